"""What happened on a host is one alert of one severity, though an event and a counter tell of it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from alerts import told_events
from alerts.notices import Notice
from alerts.notifiers.webhook import body
from alerts.rulefile import load
from collectors.model import Sample, Target
from collectors.security import accounts, auth, listeners, webchild
from history.events import Events
from tests.alerts.examples import T
from tests.alerts.test_evaluator import Host
from tests.collectors.test_security_auth import failures, line, payload

RULES = load([Path(told_events.__file__).with_name("rules") / "hosts_security.yml"])[0]
SECURITY = Target("security", "web1", "web1")
GETS_IN = line("Accepted password for deploy from 198.51.100.7 port 9 ssh2", 51)


def account(**found: Any) -> dict[str, Any]:
    return {"at": T, "passwd": None, "group": None, "files": {}, "keys": {}} | found


def listening(*rows: Sequence[Any]) -> dict[str, Any]:
    return {"at": T, "listeners": [list(row) for row in rows]}


def processes(*rows: Sequence[Any]) -> dict[str, Any]:
    return {"at": T, "processes": [[1, "php-fpm8.4", 0, "www-data"], *map(list, rows)]}


KEYED, UNKEYED = account(keys={"deploy": {"k": "SHA256:x"}}), account(keys={"deploy": {}})
FACTS: dict[str, tuple[Any, Any, Any, list[tuple[str, str]]]] = {
    "a key": (accounts, UNKEYED, KEYED, [("NewPrivilege", "critical")]),
    "a key less": (accounts, KEYED, UNKEYED, []),
    "a member of sudo": (accounts, account(group={"sudo": []}), account(group={"sudo": ["mallory"]}),
                         [("NewPrivilege", "critical")]),
    "a job of cron": (accounts, account(files={"cron": {}}), account(files={"cron": {"/etc/cron.d/x": "hash:1"}}), []),
    "a login after few failures": (auth, payload(), payload(*failures(auth.SUSPICIOUS), GETS_IN),
                                   [("LoginAfterBruteforceSsh", "warning")]),
    "a login after many": (auth, payload(), payload(*failures(auth.MANY), GETS_IN),
                           [("LoginAfterBruteforceSsh", "critical")]),
    "a strange port": (listeners, listening(), listening(("x", "0.0.0.0", 4444)), [("NewListener", "warning")]),
    "a web server's port": (listeners, listening(), listening(("nginx", "0.0.0.0", 80)), []),
    "a shell": (webchild, processes(), processes([2, "curl", 1, "www-data"]), [("WebServerSpawnedShell", "critical")]),
}  # fmt: skip


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("by", ["both", "event", "rule"])
def test_one_fact_is_one_alert(engine: Engine, fact: str, by: str) -> None:
    source, before, after, expected = FACTS[fact]
    host = Host(engine, *RULES)
    state, _ = source.step({}, before)
    for _ in range(3):
        _tick(host, source.samples(state))
    state, events = source.step(state, after)
    if by != "rule":
        for event in events:
            Events(engine).record(replace(event, host="web1"))
    for _ in range(3):
        _tick(host, source.samples(state) if by != "event" else ())
    alerts = [(alert.name, alert.severity) for alert in host.evaluator.alerts()]
    assert alerts == (expected if by != "rule" else [each for each in expected if _has_rule(each)])


def test_a_message_names_the_source_and_no_account(engine: Engine) -> None:
    """The event's own page does."""
    _, (_, login) = auth.step({}, payload(*failures(auth.MANY), GETS_IN))
    before, _ = accounts.step({}, account(group={"sudo": []}))
    _, (_, right) = accounts.step(before, account(group={"sudo": ["mallory"]}))
    assert (login.evidence[0]["account"], right.evidence[0]["name"]) == ("deploy", "mallory to group sudo")
    host = Host(engine, *RULES)
    for event in (login, right):
        Events(engine).record(replace(event, host="web1"))
    host.tick()
    sent = repr([body(Notice("ops", {}, (alert,), "", at=T)) for alert in host.evaluator.alerts()])
    assert f"SSH: login of an account from 198.51.100.7 after {auth.MANY} failures" in sent
    assert "Right to become root added" in sent
    assert [name for name in ("deploy", "mallory") if name in sent] == []


def _tick(host: Host, samples: Iterable[Sample]) -> None:
    host.now += 15
    host.store.append(SECURITY, host.now, list(samples))
    host.evaluator.run_due(host.now)


def _has_rule(alert: tuple[str, str]) -> bool:
    return alert in {(rule.alert, rule.labels["severity"]) for group in RULES for rule in group.rules}
