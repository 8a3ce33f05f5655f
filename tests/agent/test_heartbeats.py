"""Pings over HTTP: what a job may say, who may, and that none is lost."""

import http.client
import json
import signal
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from agent.exporter import Doors, Exporter
from agent.heartbeats import BURST, Heartbeats
from agent.pages import Pages
from collectors import heartbeat
from collectors.heartbeat import Heartbeat
from tests.lab.ports import wait_until
from tests.lab.process import Raingauge

KEY = "0123456789abcdef-cron"
CRON = Heartbeat.model_validate({"name": "cron", "key": KEY, "period": 3600})
NOW = 1_790_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs(engine: Engine, clock: Clock) -> Heartbeats:
    return Heartbeats(engine, [CRON], clock)


def told(jobs: Heartbeats) -> dict[str, float]:
    (watch,) = jobs.watches()
    (part,) = watch.collector.parts
    samples = part.parse(json.loads(json.dumps(part.read(watch.config))))
    names = [",".join([sample.family.name.removeprefix("heartbeat_"), *sample.labels]) for sample in samples]
    return dict(zip(names, (sample.value for sample in samples), strict=True))


@pytest.mark.parametrize(
    ("word", "kind"),
    [("", "success"), ("/", "success"), ("/0", "success"), ("/success", "success"), ("/000", "success"),
     ("/start", "start"), ("/fail", "fail"), ("/1", "fail"), ("/255", "fail")],
)  # fmt: skip
def test_what_a_job_may_say(jobs: Heartbeats, word: str, kind: str) -> None:
    assert jobs.ping(KEY + word) == (200, b"OK\n")
    counts = {name: value for name, value in told(jobs).items() if name.startswith("pings_total")}
    assert counts == {f"pings_total,{each}": float(each == kind) for each in heartbeat.KINDS}


@pytest.mark.parametrize(
    "path", ["", "/", "x", KEY[:-1], KEY + "x", f"{KEY}/nonsense", f"{KEY}/1234", f"{KEY}/-1", f"{KEY}/start/x",
             f"../{KEY}", "\udcff", "x" * 10_000, f"{KEY}/\u0661"],
)  # fmt: skip
def test_who_does_not_know_the_key_learns_nothing(jobs: Heartbeats, path: str) -> None:
    assert jobs.ping(path) == (404, b"not found; / lists what is here\n")
    assert told(jobs)["pings_total,success"] == 0


def test_another_process_knows_the_last_ping(engine: Engine, jobs: Heartbeats, clock: Clock) -> None:
    jobs.ping(f"{KEY}/start")
    clock.now += 42
    jobs.ping(KEY)
    before = told(jobs)
    assert before["run_duration_seconds"] == 42
    assert told(Heartbeats(engine, [CRON], clock)) == before
    clock.now += 3600 + 300.5
    assert told(Heartbeats(engine, [CRON], clock))["overdue"] == 1


def test_a_job_that_never_came_is_missed_though_we_were_started_anew(engine: Engine, clock: Clock) -> None:
    Heartbeats(engine, [CRON], clock)
    clock.now += 5000
    assert told(Heartbeats(engine, [CRON], clock))["overdue"] == 1


def test_a_clock_that_was_set_back_is_remembered(engine: Engine, jobs: Heartbeats, clock: Clock) -> None:
    clock.now += 1e6
    jobs.ping(KEY)
    clock.now = NOW
    assert told(jobs)["last_ping_timestamp_seconds"] == NOW
    clock.now = NOW + 3901
    assert told(Heartbeats(engine, [CRON], clock))["overdue"] == 1


def test_what_could_not_be_stored_is_not_answered_well(engine: Engine, jobs: Heartbeats) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("database or disk is full"))

    event.listen(engine, "before_cursor_execute", refuse)
    assert jobs.ping(KEY)[0] == 503
    event.remove(engine, "before_cursor_execute", refuse)
    assert told(jobs)["pings_total,success"] == 0
    assert jobs.ping(KEY)[0] == 200


def test_a_flood_of_pings_is_bounded(jobs: Heartbeats) -> None:
    answers = [jobs.ping(KEY)[0] for _ in range(BURST + 20)]
    assert answers[:BURST] == [200] * BURST
    assert answers.count(429) >= 15
    assert told(jobs)["pings_total,success"] == answers.count(200)


def test_a_key_that_cannot_be_read_opens_nothing(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    job = Heartbeat(name="backup", key_file=tmp_path / "key", period=60.0)
    jobs = Heartbeats(engine, [job], clock)
    assert jobs.ping("")[0] == 404
    (tmp_path / "key").write_text(f"{KEY}\n")
    jobs.set_jobs([job])
    assert jobs.ping(KEY)[0] == 200


def test_every_method_pings_and_a_body_is_ignored(jobs: Heartbeats) -> None:
    exporter = Exporter("127.0.0.1", 0, Pages(), lambda _header: False, doors=Doors(ping=jobs.ping))
    exporter.start()
    try:
        at = urlsplit(exporter.url)
        for method, body in (("GET", None), ("HEAD", None), ("POST", None), ("POST", b"x" * 100_000)):
            connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=60)
            connection.request(method, f"/ping/{KEY}?from=cron", body)
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b"" if method == "HEAD" else b"OK\n")
            connection.close()
        connection.request("GET", "/ping/unknown")
        assert connection.getresponse().status == 404
        connection.close()
    finally:
        exporter.stop()
    assert told(jobs)["pings_total,success"] == 4


def ping(raingauge: Raingauge, word: str = "") -> int:
    with urllib.request.urlopen(f"{raingauge.exporter}/ping/{KEY}{word}", timeout=60) as answer:
        status: int = answer.status
        return status


def page(raingauge: Raingauge) -> str:
    with urllib.request.urlopen(f"{raingauge.exporter}/metrics", timeout=60) as answer:
        text: str = answer.read().decode()
        return text


@pytest.mark.servers
def test_a_killed_agent_has_lost_no_ping(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    configuration = (
        "host: web1\ninterval: 1s\ndiscovery: false\nheartbeats:\n"
        f"  - {{name: drupal cron, key_file: {tmp_path}/key, cron: '*/5 * * * *', timezone: Europe/Berlin}}\n"
    )
    labels = '{job="heartbeat",instance="drupal cron",host="web1"}'
    with Raingauge(tmp_path, configuration, "agent") as raingauge:
        assert [ping(raingauge, word) for word in ("", "/start", "/7", "")] == [200] * 4
        raingauge.kill()
        raingauge.start()
        line = 'heartbeat_pings_total{kind="success",job="heartbeat",instance="drupal cron",host="web1"} 2\n'
        wait_until(lambda: line in page(raingauge), 20, "the pings are known again")
        assert f"heartbeat_failed{labels} 0\n" in page(raingauge)
        ping(raingauge, "/fail")
        wait_until(lambda: f"heartbeat_failed{labels} 1\n" in page(raingauge), 20, "the failure is told")
        assert KEY not in page(raingauge) + raingauge.log()
        raingauge.configuration.write_text("host: web1\ninterval: 1s\ndiscovery: false\n")
        raingauge.hup()
        wait_until(lambda: "heartbeat_" not in page(raingauge), 20, "a job that is no longer waited for is gone")
        assert raingauge.stop() in (0, -signal.SIGTERM)
