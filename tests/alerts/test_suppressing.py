"""Inhibition, silences, acknowledgements, maintenance, flapping and storms, on the way to receivers."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from alerts import silences
from alerts.matchers import parse_matchers
from alerts.path.flapping import HOLD, LONGEST_HOLD, advance
from alerts.path.flow import Flap
from alerts.silences import ACK_SECONDS, Kind, Silence
from tests.alerts.examples import T, alert
from tests.alerts.walk import Walk, routes

AT_ONCE = "route: {receiver: ops, group_by: [alertname], group_wait: 0s, group_interval: 1m}\n"
INHIBIT = (
    AT_ONCE
    + """
inhibit_rules:
  - {source_matchers: ['alertname="Cause"'], target_matchers: ['alertname=~"Cause|Effect"'], equal: [host, site]}
"""
)


def silence(walk: Walk, matchers: str, seconds: float = 3600, kind: Kind = "silence") -> str:
    given = Silence(parse_matchers(matchers), walk.now, walk.now + seconds, "kim", "known", kind)
    return silences.post(walk.engine, given, walk.now)


@pytest.mark.a3("Suppressing", "A firing source inhibits what has equal labels; a label that is not there is empty.")
def test_inhibition(engine: Engine) -> None:
    walk = Walk(engine, routes(INHIBIT))
    walk.fire("Cause")
    walk.fire("Effect")
    walk.fire("Effect", host="web2")
    walk.fire("Effect", site="shop")
    told = walk.tick(600, each=30)
    assert [(one.names) for one in told] == [("Cause",), ("Effect", "Effect")]


@pytest.mark.a3("Suppressing", "What fits both sides of a rule is not inhibited by another that does.")
def test_no_inhibition_between_two_sources(engine: Engine) -> None:
    walk = Walk(engine, routes(INHIBIT))
    walk.fire("Cause", disk="a")
    walk.fire("Cause", disk="b")
    assert [one.names for one in walk.tick(60)] == [("Cause", "Cause")]


@pytest.mark.a3("Suppressing", "A silenced source still inhibits.")
def test_a_silenced_source_inhibits(engine: Engine) -> None:
    walk = Walk(engine, routes(INHIBIT))
    silence(walk, 'alertname="Cause"')
    walk.fire("Cause")
    walk.fire("Effect")
    assert walk.tick(600, each=30) == []


@pytest.mark.a3("Suppressing", "A suppressed alert stays visible with the name of its source.")
def test_suppressed_alerts_are_visible(engine: Engine) -> None:
    walk = Walk(engine, routes(INHIBIT))
    walk.fire("Cause")
    key = walk.fire("Effect")
    walk.tick(60)
    assert walk.flow().marks[key].text == "inhibited by Cause"
    assert [(one.decision, one.reason) for one in walk.decisions(key)] == [("held", "inhibited by Cause")]


@pytest.mark.a3("Suppressing", "When the source ends, what it inhibited comes alive, told before or not.")
def test_alive_again(engine: Engine) -> None:
    walk = Walk(engine, routes(INHIBIT))
    walk.fire("Effect")
    walk.tick(60)
    walk.fire("Cause")
    walk.fire("Effect", disk="b")
    walk.tick(300)
    walk.end("Cause")
    assert {(one.names, one.reason) for one in walk.tick(120)} == {
        (("-Cause",), "all resolved"), (("Effect", "Effect"), "new in the group"),
    }  # fmt: skip
    walk.tick(1800, each=60)  # else it would flap
    walk.fire("Cause")
    walk.tick(300)
    walk.end("Cause")
    assert [one.reason for one in walk.tick(120) if one.names == ("Effect", "Effect")] == ["no longer suppressed"]


@pytest.mark.a3("Suppressing", "The end of an alert is told although it is suppressed, to those who know of it.")
def test_a_suppressed_alert_ends(engine: Engine) -> None:
    walk = Walk(engine, routes(AT_ONCE))
    walk.fire()
    walk.tick(60)
    silence(walk, 'alertname="Broken"')
    walk.tick(60)
    walk.end()
    assert [one.names for one in walk.tick(120)] == [("-Broken",)]


@pytest.mark.parametrize(("cause", "effect", "is_suppressed"), [
    ({"alertname": "HostSilent"}, {"alertname": "NginxDown"}, True),
    ({"alertname": "HostSilent"}, {"alertname": "NginxDown", "host": "web2"}, False),
    ({"alertname": "DiskFull"}, {"alertname": "MysqlQueriesPiledUp", "severity": "warning"}, True),
    ({"alertname": "DiskFull"}, {"alertname": "MysqlDown"}, False),
    ({"alertname": "MysqlDown"}, {"alertname": "ErrorBudgetFast", "site": "shop"}, True),
    ({"alertname": "PhpFpmDown"}, {"alertname": "SiteSlow"}, True),
    ({"alertname": "FpmPoolExhausted"}, {"alertname": "SiteSlow"}, True),
    ({"alertname": "PhpFpmDown"}, {"alertname": "ProbeFailed", "instance": "https://b/"}, False),
    ({"alertname": "UplinkDown"}, {"alertname": "ProbeFailed"}, True),
    ({"alertname": "TlsExpires3d", "instance": "x"}, {"alertname": "TlsExpires14d", "instance": "x"}, True),
    ({"alertname": "Any", "instance": "x"}, {"alertname": "Any", "instance": "x", "severity": "warning"}, True),
    ({"alertname": "Any", "instance": "x"}, {"alertname": "Any", "instance": "y", "severity": "warning"}, False),
    ({"alertname": "MysqlDown"}, {"alertname": "WebShell", "class": "webshell"}, False),
    ({"alertname": "MysqlDown"}, {"alertname": "ProbeFailed", "instance": "https://b/"}, False),
])  # fmt: skip
@pytest.mark.a3("Suppressing", "What follows from a host, a disk, a database or PHP that is down is suppressed.")
def test_the_shipped_graph(engine: Engine, cause: dict[str, str], effect: dict[str, str], is_suppressed: bool) -> None:
    walk = Walk(engine, routes(shipped=True))
    source, target = (walk.fire(**{"name": labels["alertname"], **labels}) for labels in (cause, effect))
    marks = walk.flow().marks
    assert (target in marks) == is_suppressed
    assert source not in marks


@pytest.mark.a3("Suppressing", "An acknowledgement holds an alert back until it is over, or for 4 hours; then it is "
                "told again.")  # fmt: skip
def test_acknowledged(engine: Engine) -> None:
    walk = Walk(engine, routes(AT_ONCE))
    key = walk.fire()
    walk.tick(60)
    silences.acknowledge(engine, walk.alerts[key], "kim", now=walk.now, until=walk.now + ACK_SECONDS)
    walk.fire(host="web2")
    assert [one.names for one in walk.tick(ACK_SECONDS - 60, each=60)] == [("Broken",)]
    assert [(one.names, one.reason) for one in walk.tick(180)] == [(("Broken", "Broken"), "no longer suppressed")]


@pytest.mark.a3("Suppressing", "An acknowledgement ends with its alert: the next time it is told.")
def test_an_acknowledgement_ends_with_the_alert(engine: Engine) -> None:
    walk = Walk(engine, routes(AT_ONCE))
    key = walk.fire()
    walk.tick(60)
    silences.acknowledge(engine, walk.alerts[key], "kim", now=walk.now, until=walk.now + ACK_SECONDS)
    walk.tick(60)
    walk.end()
    walk.tick(120)
    with engine.connect() as connection:
        assert [one.state(walk.now) for one in silences.silences(connection)] == ["expired"]
    walk.fire()
    assert [one.names for one in walk.tick(60)] == [("Broken",)]


@pytest.mark.parametrize(("job", "instance", "is_suppressed"), [
    ("mysql", "web1:3306", True), ("mysql", "web1:3307", False), ("postgres", "web1:5432", False),
    ("phpfpm", "web1:9000", True),
])  # fmt: skip
@pytest.mark.parametrize("name", ["ErrorBudgetFast", "SiteErrors"])
def test_a_site_with_another_database_is_told_of(
    engine: Engine, name: str, job: str, instance: str, is_suppressed: bool
) -> None:
    plan = replace(routes(shipped=True), uses={("web1", "shop"): frozenset({("mysql", "web1:3306")})})
    walk = Walk(engine, plan)
    walk.fire({"mysql": "MysqlDown", "postgres": "PgDown", "phpfpm": "PhpFpmDown"}[job], job=job, instance=instance)
    target = walk.fire(name, site="shop")
    assert (target in walk.flow().marks) == is_suppressed


@pytest.mark.a3("Suppressing", "Maintenance holds nothing critical of security back.")
@pytest.mark.parametrize(("labels", "is_told"), [
    ({}, False), ({"class": "outage"}, False), ({"class": "webshell"}, True), ({"class": "security"}, True),
    ({"category": "security"}, True),
    ({"class": "scan", "severity": "warning"}, False),
])  # fmt: skip
def test_maintenance(engine: Engine, labels: dict[str, str], is_told: bool) -> None:
    walk = Walk(engine, routes(AT_ONCE))
    silence(walk, 'host="web1"', kind="maintenance")
    walk.fire(**labels)
    assert bool(walk.tick(120)) == is_told


def test_a_silence_that_has_not_begun_holds_nothing_back(engine: Engine) -> None:
    walk = Walk(engine, routes(AT_ONCE))
    given = Silence(parse_matchers("host=web1"), walk.now + 300, walk.now + 600, "kim", "later")
    silences.post(engine, given, walk.now)
    walk.fire()
    assert len(walk.tick(60)) == 1
    walk.fire(disk="b")
    assert len(walk.tick(120)) == 1
    walk.fire(disk="c")
    walk.now = T + 310
    assert walk.tick(120) == []


def flapping(walk: Walk, times: int) -> None:
    for _ in range(times):
        walk.fire()
        walk.tick(120, each=30)
        walk.end()
        walk.tick(120, each=30)


@pytest.mark.a3("Suppressing", "Four changes within 30 minutes: one word that it flaps, then nothing until it was "
                "steady for 15 minutes.")  # fmt: skip
def test_flapping(engine: Engine) -> None:
    walk = Walk(engine, routes(AT_ONCE))
    flapping(walk, 6)
    reasons = [one.reason for one in walk.told]
    assert reasons == ["first firing", "all resolved", "first firing", "flapping"]
    steady = walk.tick(HOLD + 60, each=60)
    assert [(one.status, one.reason) for one in steady] == [("resolved", "all resolved")]
    assert walk.tick(4 * 3600, each=120) == []
    assert walk.flow().known.flaps == {}


@pytest.mark.a3("Suppressing", "An alert that flaps again has to be steady twice as long, at most 2 hours.")
def test_the_hold_grows() -> None:
    holds, now, flap = [], T, None
    for _ in range(5):
        while flap is None or not flap.since:
            now += 60
            one = alert(state="resolved") if int(now / 60) % 2 else alert()
            over = one.state == "resolved"
            one = replace(one, fired_at=now - 60 if over else now, resolved_at=now if over else None)
            flap = advance(flap, one, now)
        holds.append(flap.hold)
        while flap and flap.since:
            now += 60
            flap = advance(flap, None, now)
    assert holds == [900, 1800, 3600, 7200, LONGEST_HOLD]
    assert advance(flap, None, now + LONGEST_HOLD + 60) is None


def test_changes_that_are_far_apart_are_no_flapping() -> None:
    flap: Flap | None = None
    for hour in range(20):
        flap = advance(flap, replace(alert(), fired_at=T + hour * 3600), T + hour * 3600)
        assert flap is None
        flap = advance(flap, replace(alert(state="resolved"), resolved_at=T + hour * 3600 + 60), T + hour * 3600 + 60)
        assert flap is None or not flap.since


@pytest.mark.a3("Suppressing", "What flaps counts as firing: it is escalated, unless acknowledged.")
def test_what_flaps_is_escalated(engine: Engine) -> None:
    walk = Walk(
        engine, routes(AT_ONCE.replace("receiver: ops", "receiver: ops, escalate: [{after: 10m, receiver: boss}]"))
    )
    flapping(walk, 6)
    assert [one.receiver for one in walk.told if one.receiver == "boss"] == ["boss"]


def test_a_flap_whose_alert_is_forgotten_is_told_its_end(engine: Engine) -> None:
    walk = Walk(engine, routes(AT_ONCE))
    flapping(walk, 4)
    walk.forget()
    assert [one.names for one in walk.tick(HOLD + 120)] == [("-Broken",)]
