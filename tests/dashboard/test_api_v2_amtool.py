"""/api/v2 asked by Debian's amtool, and beside Debian's Alertmanager over the same routes, alerts and silences."""

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts.path.plan import Plan
from alerts.path.written import configuration
from tests.alerts.examples import database
from tests.alerts.receiver import Receiver
from tests.alerts.walk import NAMES, Walk, routes
from tests.dashboard.browsing import served
from tests.dashboard.test_api_v2 import ALERTS, ROUTES, fire, names
from tests.dashboard.world import NOW, World
from tests.lab.ports import free_port, wait_until
from tests.lab.prometheus import Prometheus
from tests.lab.servers import Server

pytestmark = pytest.mark.servers


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, plan=routes(ROUTES))
    fire(world, *ALERTS)
    return world


@pytest.fixture
def url(world: World) -> Iterator[str]:
    with served(world) as base:
        yield base


class Amtool:
    def __init__(self, world: World, url: str, folder: Path) -> None:
        program = shutil.which("amtool")
        assert program, "amtool is not installed: apt-get install prometheus-alertmanager"
        http = folder / "http.yml"
        http.write_text(f"authorization: {{credentials: {world.token('write')}}}\n")
        self.world = world
        self.command = [program, f"--alertmanager.url={url}", f"--http.config.file={http}"]

    def __call__(self, *words: str) -> str:
        self.world.now = time.time()  # amtool's
        done = subprocess.run([*self.command, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.mark.a3("Interop", "Debian's amtool queries alerts, makes, lists and ends silences, and tests routes.")
def test_amtool(world: World, url: str, tmp_path: Path) -> None:
    amtool = Amtool(world, url, tmp_path)
    assert json.loads(amtool("-o", "json", "alert", "query", "alertname=Other"))[0]["labels"] == ALERTS[3]
    made = amtool("silence", "add", "alertname=Other", "--comment=known", "--author=kim", "--duration=2h").strip()
    assert made in amtool("silence", "query")
    assert amtool("silence", "query", "-q", "--created-by=kim").split() == [made]
    assert json.loads(amtool("-o", "json", "alert", "query", "alertname=Other")) == []
    assert names(json.loads(amtool("-o", "json", "alert", "query", "--silenced"))) == ["Other@db1"]
    changed = amtool("silence", "update", made, "--comment=still", "--duration=3h")
    assert made in changed
    amtool("silence", "expire", made)
    assert made not in amtool("silence", "query", "-q")
    assert made in amtool("silence", "query", "-q", "--expired")
    amtool("alert", "add", "Theirs", "host=db2")
    assert names(json.loads(amtool("-o", "json", "alert", "query", "alertname=Theirs"))) == ["Theirs@db2"]
    assert "boss" in amtool("config", "routes", "show")
    for labels, receivers in (("severity=critical host=web1", "boss,ops"), ("host=db1", "ops")):
        assert amtool("config", "routes", "test", *labels.split()).strip() == receivers
    assert "version" in amtool("config", "show") or amtool("cluster", "show")


def test_the_default_plan_is_a_configuration_of_alertmanager_too(world: World, url: str, tmp_path: Path) -> None:
    world.plan = routes(shipped=True)
    amtool = Amtool(world, url, tmp_path)
    assert amtool("config", "routes", "test", "severity=critical").strip() == "ops,boss"
    assert amtool("config", "routes", "test", "severity=info").strip() == "nobody"
    world.plan = Plan()
    assert amtool("config", "routes", "test", "severity=info").strip() == "nobody"


class Alertmanager(Server):
    def __init__(self, directory: Path, plan: Plan, text: str = "") -> None:
        super().__init__(directory)
        self.address = ("127.0.0.1", free_port())
        self.url = f"http://127.0.0.1:{self.address[1]}"
        (directory / "alertmanager.yml").write_text(text or configuration(plan, NAMES))

    def command(self) -> Sequence[str]:
        return ["prometheus-alertmanager", "--config.file=alertmanager.yml", "--storage.path=data",
                "--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{self.address[1]}"]  # fmt: skip


def ask(url: str, path: str, body: Any = None, token: str = "") -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/api/v2/{path}", data, headers), timeout=60) as answer:
        return json.loads(answer.read() or "null")


def decided(groups: list[dict[str, Any]]) -> list[Any]:
    """What both have to agree on."""
    return sorted(
        (
            group["receiver"]["name"],
            sorted(group["labels"].items()),
            sorted(
                (
                    sorted(one["labels"].items()), one["fingerprint"], one["status"]["state"],
                    one["status"]["inhibitedBy"], len(one["status"]["silencedBy"]),
                    sorted(receiver["name"] for receiver in one["receivers"]),
                )
                for one in group["alerts"]
            ),
        )
        for group in groups
    )  # fmt: skip


TREES = (
    ROUTES,
    "route: {receiver: ops, group_by: [host, severity]}",
    """
route: {receiver: boss, group_by: ["..."], routes: [
  {matchers: ["host!~web.*"], receiver: ops, routes: [{matchers: ["job=mysql"], group_by: [job]}]},
  {matchers: ["severity="], receiver: ops, continue: true},
  {matchers: ["host=web2"]}]}
""",
    "",  # no route: by severity
)
MORE = (
    {"alertname": "Cause", "host": "db1", "severity": "warning", "job": "mysql"},
    {"alertname": "Effect", "host": "db1", "severity": "info"},
    {"alertname": "Odd", "host": 'q"uote\\', "severity": "critical"},
)


@pytest.mark.parametrize("tree", TREES, ids=["mixed", "flat", "deep", "none"])
@pytest.mark.a3(
    "Interop", "Debian's Alertmanager makes the same groups, receivers, inhibitions and silences of the same alerts.",
)  # fmt: skip
def test_the_same_groups_as_alertmanager(tmp_path: Path, tree: str) -> None:
    now = time.time()
    world = World(tmp_path / "ours", now=now + 5, plan=routes(tree, shipped=True))
    posted = [{"labels": labels, "startsAt": stamp(now - 60)} for labels in (*ALERTS, *MORE)]
    silence = {
        "matchers": [{"name": "host", "value": "web2|db1", "isRegex": True}, {"name": "job", "value": "mysql",
                     "isRegex": False, "isEqual": False}],
        "startsAt": stamp(now), "endsAt": stamp(now + 3600), "createdBy": "kim", "comment": "known",
    }  # fmt: skip
    with served(world) as ours, Alertmanager(tmp_path / "theirs", world.plan) as theirs:
        for url, token in ((ours, world.token("write")), (theirs.url, "")):
            ask(url, "alerts", posted, token)
            ask(url, "silences", silence, token)
        found, expected = (
            decided(ask(url, "alerts/groups", token=token))
            for url, token in ((ours, world.access.create_token("read", NOW)), (theirs.url, ""))
        )
    assert found
    assert found == expected


def stamp(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


@pytest.mark.a3("Interop", "Debian's Prometheus may name us under `alertmanagers`: what fires there is an alert here.")
def test_prometheus_posts_its_alerts(world: World, url: str, tmp_path: Path) -> None:
    world.now = time.time()
    folder = tmp_path / "prometheus"
    folder.mkdir()
    rule = {"alert": "Theirs", "expr": "vector(1)", "labels": {"host": "db2"}, "annotations": {"summary": "x"}}
    (folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "g", "interval": "1s", "rules": [rule]}]}))
    us = {"static_configs": [{"targets": [url.removeprefix("http://")]}],
          "authorization": {"credentials": world.token("write")}}  # fmt: skip
    configuration = {"alerting": {"alertmanagers": [us]}, "rule_files": ["rules.yml"]}
    token = world.access.create_token("read", NOW)
    with Prometheus(folder, json.dumps(configuration), options=["--rules.alert.resend-delay=1s"]):

        def theirs() -> list[Any]:
            return [one for one in ask(url, "alerts", token=token) if one["labels"]["alertname"] == "Theirs"]

        wait_until(theirs, 30, "Prometheus has posted")
    [one] = theirs()
    assert (one["labels"], one["annotations"]) == ({"alertname": "Theirs", "host": "db2"}, {"summary": "x"})


@pytest.mark.a3("Routing", "Debian's Alertmanager says the same words in the same order as an alert, another, and the "
                "ends of both come.")  # fmt: skip
def test_the_same_words_as_alertmanager(tmp_path: Path) -> None:
    one, other = ({"alertname": "Broken", "host": host, "severity": "critical"} for host in ("web1", "web2"))
    tree = "route: {receiver: ops, group_by: [alertname], group_wait: 1s, group_interval: 2s}"
    walk = Walk(database(tmp_path), routes(tree))
    with Receiver() as receiver:
        plan = yaml.safe_load(configuration(routes(tree), ["ops"]))
        plan["receivers"][1]["webhook_configs"] = [{"url": receiver.url}]
        (tmp_path / "theirs").mkdir()
        with Alertmanager(tmp_path / "theirs", routes(tree), yaml.safe_dump(plan)) as theirs:
            for labels, fires in ((one, True), (other, True), (one, False), (other, False)):
                now = time.time()
                ends = {} if fires else {"endsAt": stamp(now)}
                ask(theirs.url, "alerts", [{"labels": labels, "startsAt": stamp(now - 5), **ends}])
                body = receiver.body()
                (walk.fire if fires else walk.end)("Broken", host=labels["host"])
                [told] = walk.tick(30)
                assert (body["status"], words(body["alerts"])) == (told.status, sorted(told.names))
                assert body["groupKey"] == '{}:{alertname="Broken"}'


def words(alerts: list[dict[str, Any]]) -> list[str]:
    return sorted(("" if one["status"] == "firing" else "-") + one["labels"]["alertname"] for one in alerts)
