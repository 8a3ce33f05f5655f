"""`raingauge dashboard` over a `raingauge agent` that it scrapes, both as processes: series, rules, events, checks."""

import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest

from collectors.model import Event
from dashboard.added_checks import AddedCheck, AddedChecks
from history.database import open_database
from history.events import Events
from tests.agent.test_probing import site
from tests.alerts.receiver import Receiver
from tests.lab.ports import free_port, wait_until
from tests.lab.process import Raingauge
from tests.lab.prometheus import ask

pytestmark = pytest.mark.servers

AGENT = "host: web1\ninterval: 1s\ndiscovery: false\ntargets: {host: [{}], redis: [{port: 1}]}\n"
RULES = """\
groups:
- name: own
  interval: 1s
  rules:
  - {record: 'fleet:load1', expr: max(node_load1)}
  - {alert: Loaded, expr: 'node_load1 >= 0', labels: {severity: warning}}
"""
CENTRAL = """\
host: central
interval: 1s
shipped_rules: false
rules: ['{rules}']
exporter: {{probe_targets: ['127.0.0.1']}}
scrape_configs:
- {{job_name: agents, scrape_interval: 1s, honor_labels: true, authorization: {{credentials: '{token}'}},
   static_configs: [{{targets: ['{agent}']}}]}}
notify:
  webhook: {{ops: {{url: '{told}'}}}}
  route: {{receiver: ops, group_wait: 0s, group_interval: 1s, group_by: [alertname]}}
"""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raingauge]:
    listen = f"127.0.0.1:{free_port()}"  # the same one after a kill
    with Raingauge(tmp_path_factory.mktemp("agent"), AGENT, "agent", listen) as running:
        yield running


@pytest.fixture(scope="module")
def checked() -> Iterator[str]:
    with site() as url:
        yield url


@pytest.fixture(scope="module")
def central(
    agent: Raingauge, receiver: Receiver, checked: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Raingauge]:
    state = tmp_path_factory.mktemp("central")
    rules = state / "rules.yml"
    rules.write_text(RULES)
    engine = open_database(state)
    AddedChecks(engine).add(AddedCheck("front", checked, 10))
    engine.dispose()
    at = agent.exporter.removeprefix("http://")
    text = CENTRAL.format(rules=rules, agent=at, token=agent.token(), told=receiver.url)
    with Raingauge(state, text, "dashboard") as running:
        wait_until(lambda: value(running, "node_load1") is not None, 30, "it has scraped")
        yield running


def found(central: Raingauge, expr: str) -> list[dict[str, Any]]:
    status, answer = ask(central.dashboard, "query", central.token(), query=expr)
    return list(answer["data"]["result"]) if status == 200 else []


def value(central: Raingauge, expr: str) -> float | None:
    result = found(central, expr)
    return float(result[0]["value"][1]) if result else None


def page(central: Raingauge, path: str) -> Any:
    headers = {"Authorization": f"Bearer {central.token()}", "Accept": "application/json"}
    with urlopen(Request(central.dashboard + path, headers=headers), timeout=60) as answer:
        return json.load(answer)


def told(receiver: Receiver, name: str) -> list[str]:
    """States of what was told of that alert, in the order that it came."""
    bodies = list(receiver.bodies.queue)
    return [body["status"] for body in bodies if any(a["labels"]["alertname"] == name for a in body["alerts"])]


def events(central: Raingauge, kind: str) -> list[Event]:
    """As they are kept here."""
    engine = open_database(central.state)
    kept = Events(engine).events(0, time.time() + 60, kind=kind)
    engine.dispose()
    return kept


def test_its_series_are_charted_and_nothing_of_this_host(central: Raingauge) -> None:
    hosts = {each["metric"]["host"] for each in found(central, "group by (host) ({host!=''})")}
    assert hosts == {"web1", "central"}
    assert {each["metric"]["job"] for each in found(central, 'group by (job) ({host="central"})')} == {
        "raingauge", "blackbox",
    }  # fmt: skip


def test_rules_are_evaluated_over_them_and_told(central: Raingauge, receiver: Receiver) -> None:
    wait_until(lambda: value(central, "fleet:load1") is not None, 20, "the recording rule has a value")
    wait_until(lambda: told(receiver, "Loaded") == ["firing"], 20, "the alert is told")


def test_a_check_that_was_added_here_runs(central: Raingauge, checked: str) -> None:
    expr = f'probe_success{{instance="{checked}",module="front"}}'
    wait_until(lambda: value(central, expr) == 1, 20, "the check has succeeded")
    (check,) = page(central, "/checks")["checks"]
    assert (check["added"], check["state"]) == ("front", "ok")


def test_targets_of_the_agent_are_shown_with_their_state(central: Raingauge, agent: Raingauge) -> None:
    def rows() -> dict[tuple[str, str], dict[str, Any]]:
        shown = page(central, "/targets")["targets"]
        return {(row["host"], row["job"]): row for row in shown}

    wait_until(lambda: ("web1", "redis") in rows() and rows()["web1", "redis"]["state"] == "crit", 30, "redis is down")
    assert rows()["web1", "node"]["state"] == "ok"
    assert rows()["web1", "redis"]["words"] == "does not answer"
    assert rows()["central", "raingauge"]["state"] == "ok"
    assert ("central", "node") not in rows()


def test_an_event_there_is_one_here_and_an_alert_whoever_is_killed(
    central: Raingauge, agent: Raingauge, receiver: Receiver
) -> None:
    event_id = agent.says(
        "event", "add", "--kind", "intrusion", "--severity", "critical", "--title", "A shell was found"
    ).strip()
    wait_until(lambda: len(events(central, "intrusion")) == 1, 20, "the event is here")
    (event,) = events(central, "intrusion")
    assert (event.id, event.host, event.state) == (f"web1:{event_id}", "web1", "open")
    wait_until(lambda: told(receiver, "Intrusion") == ["firing"], 20, "it is told as an alert")
    for each in (central, agent):
        each.kill()
        each.start()
        agent.says("event", "add", "--kind", "deploy", "--title", f"after the kill of {each.command}")
    wait_until(lambda: len(events(central, "deploy")) == 2, 30, "what came after the kills is here")
    assert len(events(central, "intrusion")) == 1
    assert set(told(receiver, "Intrusion")) == {"firing"}  # a kill may come between telling and remembering
    central.says("event", "close", event.id, "--note", "dealt with")
    wait_until(lambda: told(receiver, "Intrusion")[-1] == "resolved", 20, "its end is told")


def test_an_agent_that_is_down_is_shown_with_the_reason(central: Raingauge, agent: Raingauge) -> None:
    agent.kill()
    try:
        wait_until(lambda: page(central, "/targets")["blind"] != [], 20, "the page says so")
        (sentence,) = page(central, "/targets")["blind"]
        assert sentence == f"events of {agent.exporter} are not copied: Connection refused"
        rows = {row["instance"]: row for row in page(central, "/targets")["targets"]}
        at = agent.exporter.removeprefix("http://")
        assert (rows[at]["state"], rows[at]["parts"][0]["error"]) == ("crit", "Connection refused")
    finally:
        agent.start()
    wait_until(lambda: page(central, "/targets")["blind"] == [], 30, "it is copied again")


@pytest.mark.parametrize("command", ["dashboard", "run", "agent"])
def test_a_second_process_on_the_same_directory_is_refused(central: Raingauge, command: str) -> None:
    second = Raingauge(central.state, central.configuration.read_text(), command)
    with pytest.raises(AssertionError, match=rf"another Raingauge \(pid {central.pid}\) uses the state directory"):
        second.start()
    last = second.log().splitlines()[-1]
    assert last.endswith("to look at what it keeps: raingauge dashboard --read-only") is (command == "dashboard")


def test_beside_it_the_pages_can_be_looked_at(central: Raingauge) -> None:
    with Raingauge(central.state, central.configuration.read_text(), "dashboard --read-only") as looking:
        assert looking.exporter == ""
        assert {row["job"] for row in page(looking, "/targets")["targets"]} >= {"node", "redis"}
    assert subprocess.run(["kill", "-0", str(central.pid)], check=False).returncode == 0
