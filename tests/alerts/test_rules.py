"""The rules that come with Raingauge: each says what to do, is tested, and asks only for what is collected."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from agent import alerting, dead_man, outcomes, upkeep
from agent.ingest import receive, send
from alerts import templates, told_events
from alerts.expression import metrics
from alerts.model import Rule
from alerts.rulefile import load
from alerts.ruletest import file
from alerts.ruletest.run import run
from collectors import heartbeat, registry
from collectors.model import UP
from dashboard.steps import steps
from docs.metrics import families

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "alerts" / "rules").glob("*.yml"))
TESTS = ROOT / "tests" / "data" / "alerts" / "rules"
TEXTS = TESTS.parent / "texts.yml"
SHIPPED, ERRORS = load(RULES)
ALERTING = [rule for group in SHIPPED for rule in group.rules if rule.alert]
RECORDED = {rule.record for group in SHIPPED for rule in group.rules if rule.record}
CRITICAL = {
    "ApacheDown", "ApacheWorkersFull", "DiskFull", "ExploitLikelySucceeded", "FpmPoolExhausted",
    "FpmQueueOverflows", "FsBecameReadonly", "HostSilent", "IntrusionLikely", "LoginAfterBruteforce",
    "LoginAfterBruteforceSsh",
    "MysqlConnectionsRefused", "MysqlDown", "NewPrivilege", "NginxDown", "NginxDropsConnections",
    "PgConnectionsFull", "PgDown", "PhpFpmDown", "PhpInUploads", "ProbeContentWrong", "ProbeFailed",
    "RedisRefusesWrites", "RedisRejectsClients", "SensitiveFileServed", "ServiceExposed", "SiteErrors", "TlsExpired",
    "VarnishDown", "VarnishDropsSessions", "VarnishNoBackend", "WebServerSpawnedShell",
}  # fmt: skip
"""What visitors feel now, and an intruder. A cause that they do not feel yet is a warning."""
CLASSES = {"resource", "outage", "slow", "capacity", "config", "security", "self"}
LAYERS = {"host", "web", "php", "drupal", "database", "cache", "uptime", "security", "raingauge"}
LABELS = dict.fromkeys(
    (
        "mountpoint",
        "device",
        "service",
        "name",
        "pool",
        "backend",
        "schema",
        "table",
        "datname",
        "relname",
        "column",
        "queue",
        "site",
        "cache",
        "group",
    ),
    "watchdog",
) | {"host": "web1", "instance": "web1:80", "to": "vm", "channel": "ops", "err": "OOM", "digest": "a1b2c3d4"}


def declared() -> set[str]:
    found = [family for name in registry.MODULES for family in families(registry.collector(name))]
    found += heartbeat.collector(lambda _job: {}).families
    found += [family for room in (outcomes, alerting, upkeep, receive, send, dead_man) for family in room.FAMILIES]
    return {family.name for family in (*found, UP)}


def captured() -> set[str]:
    """Names that the goldens have: of a family that is declared as `x_*` a rule may only ask for these."""
    texts = [path.read_text() for path in (ROOT / "tests" / "data").glob("*/*/metrics.prom")]
    return {name for text in texts for name in re.findall(r"^[a-z_0-9A-Z]+", text, re.MULTILINE)}


@pytest.mark.parametrize("test", sorted(TESTS.glob("*.yml")), ids=lambda path: path.stem)
def test_behaviour(test: Path) -> None:
    assert [str(difference) for difference in run(file.load(test))] == []


def test_all_load() -> None:
    assert ERRORS == []
    assert len(ALERTING) >= 115
    assert len({rule.alert for rule in ALERTING}) == len(ALERTING)


@pytest.mark.parametrize("rule", ALERTING, ids=lambda rule: rule.alert)
def test_each_says_what_is_wrong_and_what_to_do(rule: Rule) -> None:
    of_event = rule.alert in told_events.names()
    assert set(rule.labels) == {"severity", "class"} | ({"layer"} if not of_event else set())
    if of_event:  # labels as its event's alert has them: one alert with two sources
        assert rule.expr.startswith(("sum by (host) (", "sum by (host, site) ("))
    assert rule.labels["severity"] in ("critical", "warning", "info")
    assert rule.labels["class"] in CLASSES
    assert set(rule.annotations) == {"summary", "description", "first_steps", "action", "runbook"}
    for text in rule.annotations.values():
        assert "<error" not in templates.expand(text, LABELS, 0.5)
    assert len(templates.expand(rule.annotations["summary"], LABELS, 0.5)) < 120
    assert rule.annotations["runbook"] == f"runbooks/{rule.alert}.md"


@pytest.mark.parametrize("rule", ALERTING, ids=lambda rule: rule.alert)
def test_the_action_is_the_first_command_of_its_steps(rule: Rule) -> None:
    pieces = [piece for step in steps(rule.annotations["first_steps"]) for piece in step.pieces]
    assert rule.annotations["action"] == next(piece.text for piece in pieces if piece.command)


def test_each_is_in_the_file_of_its_layer() -> None:
    for group in SHIPPED:
        layers = {rule.labels["layer"] for rule in group.rules if "layer" in rule.labels}
        assert layers <= LAYERS
        stem = Path(group.file).stem
        assert stem == "capacity" or not layers or layers == {{"hosts_security": "host"}.get(stem, stem)}


def test_only_what_visitors_feel_and_intruders_are_critical() -> None:
    assert {rule.alert for rule in ALERTING if rule.labels["severity"] == "critical"} == CRITICAL


def test_what_runs_out_says_when() -> None:
    runs_out = [rule for rule in ALERTING if "will" in rule.annotations["summary"]]
    assert len(runs_out) == 6
    at = 1_795_700_040.7
    for rule in runs_out:
        assert " on 2026-11-26" in templates.expand(rule.annotations["summary"], LABELS, at)


@pytest.mark.parametrize("rule", [rule for group in SHIPPED for rule in group.rules], ids=lambda r: r.alert or r.record)
def test_each_asks_for_what_is_collected(rule: Rule) -> None:
    known = declared() | RECORDED
    prefixes = tuple(name.removesuffix("*") for name in known if name.endswith("*"))
    asked = metrics(rule.expr)
    assert asked
    undeclared = asked - known
    assert all(name.startswith(prefixes) for name in undeclared), undeclared
    assert undeclared <= captured() | {"mysql_slave_status_slave_io_running"}


def test_each_is_tested_alone_where_it_fires_and_where_it_does_not() -> None:
    for rule in ALERTING:
        tests = yaml.safe_load((TESTS / f"{rule.alert}.yml").read_text())["tests"]
        firing = f'ALERTS{{alertname="{rule.alert}",alertstate="firing"}}'
        asks = [ask["exp_samples"] for test in tests for ask in test["promql_expr_test"] if firing in ask["expr"]]
        assert {host for host in ("h1", "h2", "h3") if f'host="{host}"' in str(asks)} == {"h1"}, rule.alert
        hosts = [host for host in ("h1", "h2", "h3") if f'host="{host}"' in str(tests)]
        assert len(hosts) == 3, rule.alert
    named = {f"{rule.alert}.yml" for rule in ALERTING} | {
        f"recorded_{name}.yml" for name in ("web", "cache", "capacity")
    }
    assert {path.name for path in TESTS.glob("*.yml")} == named


@pytest.mark.servers
def test_promtool_agrees() -> None:
    promtool = shutil.which("promtool")
    assert promtool, "promtool is not installed: apt-get install prometheus"
    for command in (
        ["check", "rules", *map(str, RULES)],
        ["test", "rules", str(TEXTS), *map(str, TESTS.glob("*.yml"))],
    ):
        done = subprocess.run([promtool, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
