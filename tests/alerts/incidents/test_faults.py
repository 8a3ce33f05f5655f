"""Real faults with the shipped rules: one incident within a minute, and its first cause is the right one.

And ten minutes of mixed load without a fault, and restarts, of which nobody is told. With fewer than MANY trials
none of them.
"""

import math
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine

from alerts.incidents import store
from alerts.incidents.model import Incident
from history.database import open_database
from tests.alerts.incidents.faults import FAULTS, SITE, Fault, Host, host
from tests.lab.ports import wait_until
from tests.lab.process import Raingauge
from tests.lab.prometheus import ask
from tests.patience import MANY, TRIALS, of_many_trials

pytestmark = [pytest.mark.servers, pytest.mark.trials]

QUIET_SECONDS = 600
OF_THE_MACHINE = {"ClockSkew", "CpuSaturated", "CpuSteal", "DiskLatency", "AgentTooHungry", "DataStale"}
"""Warnings that a machine with other work gives a reason for."""
RESTARTS_SECONDS, DOWN_SECONDS = 15.0, 2.0
SOON, LONGEST = 60.0, 80.0
"""Seconds from the fault to an incident with its cause, and for which what becomes of it is looked at."""
READ = (
    "nginx_up == 1 and on (host) mysql_up == 1 and on (host) redis_up == 1 and on (host) probe_success == 1"
    f' and on (host) count by (host) (phpfpm_up == 1) == 2 and on (host) drupal_up{{instance="{SITE}"}} == 1'
    ' and on (host) sum by (host) (rate(web_requests_total{status="2xx"}[1m])) > 1'
)


@pytest.fixture(scope="module")
def watched() -> Iterator[Host]:
    with host() as made:
        yield made


@of_many_trials
@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.name)
def test_first_cause(watched: Host, fault: Fault, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if fault.name == "disk full" and not watched.disk.is_mount():
        pytest.skip("no file system can be mounted here")
    text = f"host: lab\ndiscovery: false\ntargets: {watched.targets()}\n"
    with Raingauge(tmp_path, text) as running, watched.lab.traffic():
        wait_until(
            lambda: ask(running.dashboard, "query", running.token(), query=READ)[1]["data"]["result"], 60, "all is read"
        )
        engine = open_database(running.state)
        with fault.begin(watched, running):
            began = time.monotonic()
            seconds, found = explained(engine, fault, began)
        engine.dispose()
    with capsys.disabled():
        sys.stdout.write(f"\n{fault.name:28} {seconds:3.0f} s  {'; '.join(told(each) for each in found)}\n")
    assert len(found) == 1
    assert right(found, fault)
    assert seconds <= SOON


@of_many_trials
def test_mixed_load_is_no_fault(watched: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"host: lab\ndiscovery: false\ntargets: {watched.targets()}\n"
    with Raingauge(tmp_path, text) as running, watched.lab.traffic(seconds=700):
        threading.Event().wait(QUIET_SECONDS)  # nothing is to come of it
        query = 'max by (alertname, severity) (max_over_time(ALERTS{alertstate="firing"}[15m]))'
        lines = ask(running.dashboard, "query", running.token(), query=query)[1]["data"]["result"]
    told = sorted((line["metric"]["severity"], line["metric"]["alertname"]) for line in lines)
    with capsys.disabled():
        sys.stdout.write(f"\n{QUIET_SECONDS} s of mixed load: {told}\n")
    assert [name for severity, name in told if severity == "critical"] == []
    assert {name for severity, name in told if severity == "warning"} <= OF_THE_MACHINE


@of_many_trials
def test_a_restart_wakes_nobody(watched: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Read anew, and stopped and started: a second or two of 502 each."""
    lab = watched.lab
    text = f"host: lab\ndiscovery: false\ntargets: {watched.targets()}\n"
    with Raingauge(tmp_path, text) as running, lab.traffic():
        wait_until(
            lambda: ask(running.dashboard, "query", running.token(), query=READ)[1]["data"]["result"], 60, "all is read"
        )
        for server, again in ((lab.php, signal.SIGUSR2), (lab.nginx, signal.SIGHUP)):
            assert server.process is not None
            server.process.send_signal(again)
            threading.Event().wait(RESTARTS_SECONDS)  # nothing is to come of it
            server.stop()
            threading.Event().wait(DOWN_SECONDS)
            server.start()
            threading.Event().wait(RESTARTS_SECONDS)
        threading.Event().wait(SOON)
        engine = open_database(running.state)
        with engine.connect() as connection:
            found = store.incidents(connection)
        engine.dispose()
        failed = f'sum(web_requests_total{{site="{SITE}",status="5xx"}})'
        lines = ask(running.dashboard, "query", running.token(), query=failed)[1]["data"]["result"]
    with capsys.disabled():
        sys.stdout.write(f"\nrestarts: {[told(each) for each in found]}, failed requests {lines[0]['value'][1]}\n")
    assert [each.symptom for each in found if each.severity == "critical"] == []
    assert float(lines[0]["value"][1]) > 0, "no visitor saw a restart"


def explained(engine: Engine, fault: Fault, began: float) -> tuple[float, tuple[Incident, ...]]:
    """After how many seconds the right cause is first, and what the incidents are once all has been seen."""
    seconds = math.inf
    found: tuple[Incident, ...] = ()
    while time.monotonic() - began < (LONGEST if math.isinf(seconds) or TRIALS >= MANY else 0):
        threading.Event().wait(1)
        with engine.connect() as connection:
            found = store.incidents(connection)
        if math.isinf(seconds) and right(found, fault):
            seconds = time.monotonic() - began
    return seconds, found


def right(found: Sequence[Incident], fault: Fault) -> bool:
    first = [each for one in found for each in one.causes[:1]]
    return any((each.layer, each.alert) in fault.causes and fault.words in each.words for each in first)


def told(one: Incident) -> str:
    first = f"{one.causes[0].layer}: {one.causes[0].words}" if one.causes else "no clear cause"
    return f"{one.symptom} <- {first} {[each.name for each in one.alerts]}"
