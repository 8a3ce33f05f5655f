"""Events above info are alerts at once, and stay it until they are closed."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from alerts import silences, state, told_events
from alerts.delivery import Delivery
from alerts.engine import RuleState
from alerts.matchers import parse_matchers
from alerts.model import Alert, Group, Rule
from alerts.rulefile import load
from alerts.silences import Silence
from collectors.model import Counter, Event, Target
from history.events import Events
from history.open_events import DAY, close
from tests.alerts.examples import T, webhook
from tests.alerts.receiver import Receiver
from tests.alerts.test_evaluator import Host
from tests.lab.ports import wait_until

UPLOAD = Event(
    "security.upload:ab12", "security.upload", "critical", "web1", "shop", T - 5, T - 5, 1,
    "PHP among the uploads of shop: x.php", ({"path": "/var/www/files/x.php", "hash": "99"},), "upload", "open",
)  # fmt: skip
LABELS = {"alertname": "PhpInUploads", "class": "security", "host": "web1", "severity": "critical", "site": "shop"}
RULES = load([Path(told_events.__file__).with_name("rules") / "hosts_security.yml"])[0]
CHANGES = Counter("security_file_changes_total", "", ("zone", "kind", "site"))


def pure(*events: Event, before: RuleState | None = None, now: float = T) -> RuleState:
    by_name = {rule.alert: rule for group in RULES for rule in group.rules}
    return told_events.step(before or RuleState(), events, by_name, now)


def only(found: RuleState) -> Alert:
    (alert,) = found.alerts.values()
    return alert


def test_it_has_the_labels_of_the_fallback_and_the_words_of_the_event() -> None:
    alert = only(pure(UPLOAD))
    assert alert.labels == LABELS
    assert (alert.state, alert.active_at, alert.fired_at, alert.value) == ("firing", T - 5, T, 1)
    assert alert.annotations["summary"] == UPLOAD.title
    assert alert.annotations["description"].splitlines() == [
        "once, 2023-11-14 22:13:15 UTC", "path: /var/www/files/x.php, hash: 99",
    ]  # fmt: skip
    steps = alert.annotations["first_steps"].splitlines()
    assert steps[0] == "What happened: raingauge event show security.upload:ab12"
    assert steps[1].startswith("Which: find /var/www")
    assert steps[-1] == "When it is dealt with: raingauge event close security.upload:ab12 --note WHY"
    assert alert.annotations["runbook"] == "runbooks/PhpInUploads.md"


def test_braces_in_what_an_attacker_wrote_are_only_text() -> None:
    title = '{{ query "up" }}'
    assert only(pure(replace(UPLOAD, title=title))).annotations["summary"] == title


def test_many_of_the_same_labels_are_one() -> None:
    newer = replace(UPLOAD, id="security.upload:2", last=T - 1, count=4, title="y.php")
    alert = only(pure(newer, UPLOAD))
    assert (alert.value, alert.active_at, alert.annotations["summary"]) == (5, T - 5, "y.php (and 1 more)")


@pytest.mark.parametrize(
    ("kind", "name", "of"),
    [
        ("security.jndi", "ExploitLikelySucceeded", "security"),
        ("drupal.admin_added", "DrupalAccessChanged", "security"),
        ("security.root_login", "SecurityRootLogin", "security"),
        ("deploy.failed", "DeployFailed", "config"),
    ],
)
def test_each_kind_has_a_name(kind: str, name: str, of: str) -> None:
    labels = told_events.labels_of(replace(UPLOAD, kind=kind, site="", severity="warning"))
    assert labels == {"alertname": name, "class": of, "host": "web1", "severity": "warning"}


def test_it_is_over_when_none_is_open_and_another_one_is_a_new_alert() -> None:
    first = pure(UPLOAD)
    over = pure(before=first, now=T + 10)
    assert (only(over).state, only(over).resolved_at) == ("resolved", T + 10)
    assert pure(before=over, now=T + 10 + 3601).alerts == {}
    again = only(pure(replace(UPLOAD, first=T + 20), before=over, now=T + 20))
    assert (again.state, again.active_at, again.fired_at, again.resolved_at) == ("firing", T + 20, T + 20, None)


def test_a_higher_severity_is_another_alert() -> None:
    warned = pure(replace(UPLOAD, severity="warning"))
    found = pure(UPLOAD, before=warned, now=T + 10)
    assert {(alert.severity, alert.state) for alert in found.alerts.values()} == {
        ("warning", "resolved"), ("critical", "firing"),
    }  # fmt: skip


def test_from_the_database_to_the_outbox_and_back(engine: Engine) -> None:
    host, events = Host(engine), Events(engine)
    assert host.tick() == []
    events.record(UPLOAD)
    assert host.tick() == [("PhpInUploads", "firing")]
    assert state.waiting(engine) == {"ops": (1, T + 20)}
    assert host.value("ALERTS") == {
        ",".join(f"{k}={v}" for k, v in sorted({**LABELS, "__name__": "ALERTS", "alertstate": "firing"}.items())): 1
    }
    with engine.begin() as connection:
        close(connection, UPLOAD.id, T, "anna", "ours")
    assert host.tick() == [("PhpInUploads", "resolved")]
    assert [(event.title.partition(":")[0], event.state) for event in host.sink.events] == [
        ("PhpInUploads firing", "open"), ("PhpInUploads resolved", "closed"),
    ]  # fmt: skip


def test_after_a_restart_it_goes_on_and_is_not_told_again(engine: Engine) -> None:
    Events(engine).record(UPLOAD)
    Host(engine).tick()
    for at, options in ((T + 100, {}), (T + 200, {"like_prometheus": True})):
        later = Host(engine, now=at, **options)
        assert later.tick() == [("PhpInUploads", "firing")]
        assert later.evaluator.alerts()[0].fired_at == T + 10
        assert later.sink.events == []


def test_a_silence_holds_it(engine: Engine) -> None:
    host = Host(engine)
    matchers = tuple(parse_matchers('{alertname="PhpInUploads"}'))
    silences.post(engine, Silence(matchers, T, T + 600, "anna", "known"), T)
    Events(engine).record(UPLOAD)
    host.tick()
    assert state.waiting(engine) == {}


def test_what_nobody_closes_ends_after_a_quiet_time(engine: Engine) -> None:
    Events(engine).record(replace(UPLOAD, severity="warning"))
    assert [Host(engine, now=T + late).tick()[0][1] for late in (0, DAY - 20, DAY - 10)] == [
        "firing", "firing", "resolved",
    ]  # fmt: skip


def test_with_its_rule_it_is_one_alert_with_two_sources(engine: Engine) -> None:
    host = Host(engine, *RULES)
    target = Target("security", "web1", "web1")

    def tick(count: int) -> list[tuple[str, str]]:
        host.now += 15
        host.store.append(target, host.now, [CHANGES(count, "uploads", "executable", "shop")])
        host.evaluator.run_due(host.now)
        return [(alert.name, alert.state) for alert in host.evaluator.alerts()]

    for count in (0, 0, 1, 1):
        tick(count)
    (by_rule,) = host.evaluator.alerts()
    assert (by_rule.labels, by_rule.state) == (LABELS, "firing")
    Events(engine).record(UPLOAD)
    tick(1)
    (both,) = host.evaluator.alerts()
    assert (both.labels, both.annotations["summary"]) == (LABELS, UPLOAD.title)
    with engine.begin() as connection:
        close(connection, UPLOAD.id, T, "anna", "ours")
    assert tick(1) == [("PhpInUploads", "firing")]  # its rule keeps it for half an hour
    told = [event.title.partition(":")[0] for event in host.sink.events]
    assert told == ["PhpInUploads firing"]


def test_one_that_comes_between_two_cycles_is_told_at_once(engine: Engine) -> None:
    with Receiver() as receiver:
        channel = webhook(receiver.url)
        delivery = Delivery(engine, [channel])
        slow = Group("g", "/etc/rules/own.yml", 600, (Rule("vector(0) > 1", alert="Never"),))
        host = Host(engine, slow, channels=[channel], told=delivery.wake)
        delivery.start()
        host.evaluator.start()
        try:
            wait_until(lambda: host.evaluator.stats.last_cycle is not None, 5, "the first cycle")
            Events(engine).record(UPLOAD)
            assert receiver.body()["commonLabels"] == LABELS
        finally:
            host.evaluator.stop()
            delivery.stop()
