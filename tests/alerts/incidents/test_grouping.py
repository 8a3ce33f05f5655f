"""Which alerts become one incident."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.incidents.graph import Graph, graph
from alerts.incidents.grouping import AT_ONE_TIME, JOIN_SECONDS, MOST_MEMBERS, MOST_OPEN, REOPEN_SECONDS, step
from alerts.incidents.model import Incident, Member
from alerts.incidents.roles import starts, tied
from alerts.model import Alert, Group, Rule
from alerts.path.plan import Plan
from tests.alerts.examples import T

GRAPH = graph(Plan(), ())


def fires(name: str, at: float = T, *, host: str = "web1", severity: str = "critical", **labels: str) -> Alert:
    given = {"alertname": name, "host": host, "severity": severity, **labels}
    return Alert({key: value for key, value in given.items() if value}, {"summary": f"{name}!"}, "firing", 1, at, at)


def over(alert: Alert, at: float) -> Alert:
    return replace(alert, state="resolved", resolved_at=at)


def run(*steps: tuple[float, Iterable[Alert]], known: tuple[Incident, ...] = ()) -> tuple[Incident, ...]:
    for now, alerts in steps:
        recent = tuple(one for one in known if one.ended is None or one.ended >= now - REOPEN_SECONDS)
        rest = tuple(one for one in known if one not in recent)
        known = rest + step(recent, alerts, now, GRAPH)
    return known


def names(incidents: Iterable[Incident]) -> list[list[str]]:
    return [[member.name for member in incident.alerts] for incident in incidents]


def test_what_begins_on_a_host_at_about_the_same_time_is_one() -> None:
    a, b, c = fires("A"), fires("B", T + JOIN_SECONDS), fires("C", T + 2 * JOIN_SECONDS + 1)
    assert names(run((T, [a]), (T + 900, [a, b]), (T + 1900, [a, b, c]))) == [["A", "B"], ["C"]]


def test_another_host_is_another_incident() -> None:
    assert names(run((T, [fires("A"), fires("A", host="web2")]))) == [["A"], ["A"]]


def test_what_explains_it_joins_at_any_time() -> None:
    late = fires("MysqlDown", T + 7200)
    found = run((T, [fires("SiteErrors")]), (T + 7200, [fires("SiteErrors"), late]))
    assert names(found) == [["SiteErrors", "MysqlDown"]]
    other = fires("MysqlDown", T + 7200, host="web2")
    assert len(run((T, [fires("ProbeFailed")]), (T + 7200, [fires("ProbeFailed"), other]))) == 2


def test_a_rule_may_say_what_it_depends_on() -> None:
    rule = Rule("x", alert="Shop", depends_on=("Queue",))
    own = graph(Plan(), [Group("g", "f", 15, (rule,))])
    assert own.explains({"alertname": "Queue", "host": "a"}, {"alertname": "Shop", "host": "a"})
    assert not own.explains({"alertname": "Queue", "host": "b"}, {"alertname": "Shop", "host": "a"})
    assert not own.explains({"alertname": "Shop", "host": "a"}, {"alertname": "Queue", "host": "a"})


LATER = 300.0
"""Seconds: well within JOIN_SECONDS, and not at one time."""
REDIS = fires("RedisDown", T, job="redis", instance="r", severity="warning", **{"class": "outage", "layer": "cache"})
CRON = fires("CronStale", T + LATER, job="drupal", instance="shop", severity="warning",
             **{"class": "outage", "layer": "drupal"})  # fmt: skip
MYSQL = fires("MysqlDown", T + LATER, job="mysql", instance="m", **{"class": "outage", "layer": "database"})
DISK = fires("DiskFull", T + LATER, **{"class": "resource", "layer": "host"})
ERRORS = fires("SiteErrors", T, site="shop", **{"class": "outage", "layer": "web"})
SLOW = fires("FpmPoolExhausted", T + LATER, job="phpfpm", instance="p", **{"class": "capacity", "layer": "php"})


@pytest.mark.parametrize(("first", "second", "together"), [
    (REDIS, CRON, False),  # nothing of the graph leads from one to the other
    (REDIS, MYSQL, False),
    (MYSQL, replace(CRON, active_at=T + 2 * LATER), True),  # the graph does
    (REDIS, DISK, True),  # a host carries all that runs on it
    (REDIS, SLOW, True),  # a pool is full of anything
    (ERRORS, MYSQL, True),  # a symptom waits for its reason
    (ERRORS, replace(ERRORS, labels={**ERRORS.labels, "site": "blog"}, active_at=T + LATER), False),
    (ERRORS, replace(ERRORS, labels={**ERRORS.labels, "site": "blog"}, active_at=T + AT_ONE_TIME), True),
    (CRON, replace(ERRORS, labels={**ERRORS.labels, "site": "blog"}, active_at=T + 2 * LATER), False),
])  # fmt: skip
def test_what_starts_later_of_itself_is_its_own_incident(first: Alert, second: Alert, together: bool) -> None:
    found = run((first.active_at, [first]), (second.active_at, [first, second]))
    assert len(found) == (1 if together else 2)


def test_a_victim_of_the_first_is_no_way_to_the_second() -> None:
    found = run((T + 20, [REDIS, ERRORS]), (T + LATER, [REDIS, ERRORS, MYSQL]))
    assert names(found) == [["RedisDown", "SiteErrors"], ["MysqlDown"]]


def test_a_server_of_another_site_is_another_story() -> None:
    uses = {("web1", "shop"): frozenset({("phpfpm", "p")}), ("web1", "blog"): frozenset({("phpfpm", "q")})}
    known = step((), [SLOW], SLOW.active_at, graph(Plan(uses=uses), ()))
    for site, incidents in (("shop", 1), ("blog", 2)):
        late = replace(ERRORS, labels={**ERRORS.labels, "site": site}, active_at=T + 2 * LATER)
        assert len(step(known, [SLOW, late], T + 2 * LATER, graph(Plan(uses=uses), ()))) == incidents


KINDS = (REDIS, MYSQL, CRON, DISK, ERRORS, SLOW)
LATER_ONES = st.tuples(st.sampled_from(KINDS), st.sampled_from(["a", "b", "c"]), st.integers(0, 1200))


@given(st.lists(LATER_ONES, min_size=1, max_size=8))
def test_nothing_is_in_an_incident_without_a_way_to_the_rest(begun: list[tuple[Alert, str, int]]) -> None:
    """Of what starts of itself, whatever begins in what order: a chain of ties, or of what began at one time."""
    alerts = [_of_site(alert, site, T + at) for alert, site, at in begun]
    unique = {str(alert.labels): alert for alert in sorted(alerts, key=lambda one: -one.active_at)}
    timeline = sorted(unique.values(), key=lambda one: one.active_at)
    found = run(*((alert.active_at, timeline[: at + 1]) for at, alert in enumerate(timeline)))
    assert sorted(chain.from_iterable(names(found))) == sorted(alert.name for alert in timeline)
    for incident in found:
        own = [member for member in incident.alerts if starts(member.labels)]
        assert len(_chained(own)) <= 1


def _of_site(alert: Alert, site: str, at: float) -> Alert:
    where = {"site": site} if alert.name == "SiteErrors" else {"instance": site} if alert.name == "CronStale" else {}
    return replace(alert, labels={**alert.labels, **where}, active_at=at)


def _chained(members: list[Member]) -> list[list[Member]]:
    """Groups of those between which a way leads."""
    groups: list[list[Member]] = []
    for member in members:
        near = [group for group in groups if any(_way(member, other) for other in group)]
        groups = [group for group in groups if group not in near] + [[member, *chain.from_iterable(near)]]
    return groups


def _way(one: Member, other: Member) -> bool:
    return (
        abs(one.since - other.since) <= AT_ONE_TIME
        or tied(one.labels, other.labels)
        or GRAPH.explains(one.labels, other.labels)
        or GRAPH.explains(other.labels, one.labels)
    )


def test_info_opens_none_keeps_none_open_and_is_told_with_others() -> None:
    note = fires("Rebooted", severity="info")
    assert run((T, [note])) == ()
    bad = fires("A", T + 5)
    (found,) = run((T, [note, bad]))
    assert (names([found]), found.severity, found.opened) == ([["Rebooted", "A"]], "critical", T + 5)
    assert found.began == T + 5  # what was to be known before is not its beginning
    (found,) = run((T, [note, bad]), (T + 60, [note, over(bad, T + 50)]))
    assert found.ended == T + 50


def test_the_worst_severity_stays() -> None:
    a, b = fires("A", severity="warning"), fires("B")
    (found,) = run((T, [a, b]), (T + 60, [a, over(b, T + 50)]))
    assert (found.severity, found.ended) == ("critical", None)


def test_it_ends_with_the_last_alert_and_opens_again_if_one_is_back_soon() -> None:
    a = fires("A")
    ended = run((T, [a]), (T + 60, [over(a, T + 50)]))
    assert ended[0].ended == T + 50
    again = replace(a, active_at=T + 300)
    (soon,) = run((T + 300, [again]), known=ended)
    assert (soon.ended, soon.alerts[0].since, soon.alerts[0].until) == (None, T, None)
    late = replace(a, active_at=T + 51 + REOPEN_SECONDS)
    assert [one.ended for one in run((late.active_at, [late]), known=ended)] == [T + 50, None]


def test_what_flaps_is_one_incident() -> None:
    a = fires("A")
    found: tuple[Incident, ...] = ()
    for number in range(20):
        at = T + 240 * number
        up, down = replace(a, active_at=at), over(replace(a, active_at=at), at + 120)
        found = run((at, [up]), (at + 120, [down]), known=found)
    assert len(found) == 1


def test_an_alert_that_is_known_no_more_is_over() -> None:
    (found,) = run((T, [fires("A")]), (T + 60, []))
    assert found.ended == T + 60


def test_sites_of_one_host_fail_together() -> None:
    (found,) = run((T, [fires("ProbeFailed", site="a"), fires("ProbeFailed", site="b"), fires("MysqlDown")]))
    assert (found.host, found.site) == ("web1", "")
    (found,) = run((T, [fires("ProbeFailed", site="a"), fires("MysqlDown")]))
    assert found.site == "a"


def test_without_a_host_the_site_counts() -> None:
    slo = fires("SloBurns", host="", site="a")
    assert names(run((T, [slo, fires("ProbeFailed", site="a")]))) == [["ProbeFailed", "SloBurns"]]
    assert len(run((T, [slo, fires("ProbeFailed", site="b")]))) == 2


@pytest.mark.parametrize("host", ["one", "many"])
def test_a_storm_is_bounded(host: str) -> None:
    alerts = [fires("A", host="h" if host == "one" else f"h{number}", n=str(number)) for number in range(2000)]
    found = run((T, alerts), (T + 10, alerts))
    assert len(found) <= MOST_OPEN
    assert max(len(one.alerts) for one in found) <= MOST_MEMBERS


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(["web1", "web2"]), st.booleans()), max_size=40))
def test_every_alert_is_in_one_open_incident(changes: list[tuple[str, str, bool]]) -> None:
    state: dict[tuple[str, str], Alert] = {}
    known: tuple[Incident, ...] = ()
    for number, (name, host, on) in enumerate(changes):
        now = T + 200 * number
        if on:
            if (name, host) not in state:
                state[name, host] = fires(name, now, host=host)
        else:
            state.pop((name, host), None)
        known = run((now, list(state.values())), known=known)
        open_now = [member for one in known if one.ended is None for member in one.alerts if member.until is None]
        assert sorted(str(one.labels) for one in open_now) == sorted(str(one.labels) for one in state.values())
        assert all(one.ended is None or all(member.until for member in one.alerts) for one in known)


def test_an_empty_graph_explains_nothing() -> None:
    assert not Graph().explains({"alertname": "MysqlDown"}, {"alertname": "ProbeFailed"})
