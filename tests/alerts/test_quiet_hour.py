"""A quiet hour: what the captured servers said, said again for an hour, wakes nobody."""

from dataclasses import replace
from pathlib import Path

import pytest

from alerts.evaluator import Evaluator
from alerts.model import Alert
from alerts.rulefile import load
from collectors.model import Target
from history.database import open_database
from history.embedded import Embedded
from history.store import Store
from tests.alerts.kept import Kept
from tests.collectors.captures import captures

RULES = sorted((Path(__file__).parents[2] / "alerts" / "rules").glob("*.yml"))
BEGIN = 1_795_700_040  # the day after the captures
STEP = 120
ILL = {
    "drupal/drupal-10.6-mariadb": {"CronStale", "SecurityUpdatePending"},
    "drupal/drupal-10.6-postgresql": {"CronStale"},
    "drupal/drupal-10.6-sqlite": {"CronStale"},
    "drupal/drupal-11.1-mariadb": {"CronStale"},
    "drupal/drupal-7.103-mariadb": {"CronStale", "SecurityUpdatePending"},
    "security/debian-12": {"ServiceExposed"},
    "host/hardware-documented": {"RaidDegraded", "ServiceFailed", "TextfileBroken"},
    "host/linux-6.18": {"ClockSkew"},
    "mysql/mysql-8.4-documented": {"MysqlReplication"},
    "phpfpm/php-8.2-bare": {"OpcacheOff"},
    "phpfpm/php-8.2-full": {"FpmPoolExhausted", "FpmWaitsOutside"},
    "probe/dns-absent": {"ProbeFailed"},
    "probe/nginx-1.22-journey": {"ProbeFailed"},
    "probe/nginx-1.22-status": {"ProbeFailed"},
}
"""What was not well when it was captured, and nothing else is said of it."""


@pytest.fixture(scope="module")
def firing(tmp_path_factory: pytest.TempPathFactory) -> list[Alert]:
    groups, errors = load(RULES)
    assert errors == []
    engine = open_database(tmp_path_factory.mktemp("state"))
    store = Store(engine)
    groups = [replace(group, interval=STEP) for group in groups]
    evaluator = Evaluator(Embedded(store), engine, groups, sink=Kept(store), clock=lambda: BEGIN)
    ticks = []
    for capture in captures():
        name = str(capture)
        up = [capture.collector.up(capture.collector.config(), 1)] if capture.collector.up else []
        ticks.append((Target(capture.collector.job, name, name), [*up, *capture.samples()]))
    assert len(ticks) > 30
    for t in range(BEGIN, BEGIN + 3600 + STEP, STEP):
        for target, samples in ticks:
            store.append(target, t, samples)
        evaluator.run_due(t)
    assert [health for health in evaluator.health() if health.last_error] == []
    return [alert for alert in evaluator.alerts() if alert.state == "firing"]


def test_only_what_is_ill_is_told_of(firing: list[Alert]) -> None:
    told: dict[str, set[str]] = {}
    for alert in firing:
        if alert.severity != "info":
            told.setdefault(alert.labels["instance"], set()).add(alert.name)
    assert told == ILL, {name: alerts for name, alerts in told.items() if ILL.get(name) != alerts}


def test_context_is_of_servers_that_have_just_started(firing: list[Alert]) -> None:
    assert {alert.name for alert in firing if alert.severity == "info"} == {"MysqlRestarted", "RedisRestarted"}
