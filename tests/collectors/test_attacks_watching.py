"""What the follower says of attacks: counters from the first line on, events by network and class, nothing secret."""

import copy
import json
from collections.abc import Iterable, Sequence

import orjson
from hypothesis import given
from hypothesis import strategies as st

from collectors.model import Event, State
from collectors.weblog import COLLECTOR
from collectors.weblog.attacks.families import CLASSES, samples
from collectors.weblog.attacks.keys import MOST
from collectors.weblog.attacks.outcome import OUTCOMES
from collectors.weblog.attacks.watching import step
from tests.collectors.weblog_lines import payload

START = 1795342000  # 22 November 2026, 10:06:40 UTC


def row(
    asked: str, status: int = 404, size: int | str = 5000, remote: str = "203.0.113.7", after: int = 0, agent: str = "x"
) -> str:
    clock = 10 * 3600 + 6 * 60 + 40 + after
    time = f"22/Nov/2026:{clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02} +0000"
    return f'{remote} - - [{time}] "{asked} HTTP/1.1" {status} {size} "-" "{agent}"\n'


def told(rows: Iterable[str], state: State | None = None) -> tuple[State, Sequence[Event]]:
    return step(state or {}, payload("".join(rows), hosts={}))


def count(state: State, found: str, outcome: str, site: str = "shop") -> float:
    (value,) = [each.value for each in samples(state) if each.labels == (site, found, outcome)]
    return value


def kinds(events: Iterable[Event]) -> list[tuple[str, str]]:
    return [(event.kind, event.severity) for event in events if event.kind.startswith("security.")]


def test_each_class_is_there_before_its_first_request() -> None:
    state, _ = told([row("GET /", 200)])
    found = {each.labels: each.value for each in COLLECTOR.followers[0].samples(state)
             if each.family.name == "security_requests_total"}  # fmt: skip
    assert found == {(site, name, how): 0 for site in ("shop", "other") for name in CLASSES for how in OUTCOMES}


def test_an_exploit_by_its_answer() -> None:
    asked = "POST /user/register?element_parents=account/mail/%23value&ajax_form=1&_wrapper_format=drupal_ajax"
    for status, size, outcome, severity in (
        (200, 900, "success_suspected", "critical"),
        (200, 90_000, "attempt", "info"),
        (500, 70, "attempt", "info"),
        (403, 40, "blocked", "info"),
    ):
        state, events = told([row(asked, status, size)])
        assert count(state, "drupal_exploit", outcome) == 1
        assert kinds(events) == [("security.drupal_exploit", severity)]


def test_no_value_and_no_address_is_shown() -> None:
    asked = "GET /user/reset/1/1795342000/AbCdEfGhIjKlMnOpQrStUv12345/x?pass=hunter2&mail=ann@x.example&id=1'+or+'1'='1"
    _, events = told([row(asked, 500)])
    assert kinds(events) == [("security.sqli", "warning")]
    text = json.dumps([event.__dict__ for event in events], default=str)
    for secret in ("hunter2", "ann@", "AbCdEf", "203.0.113.7", "'1'"):
        assert secret not in text
    (event,) = events
    assert event.evidence[0]["parameters"] == "pass, mail, id"
    assert "203.0.113.0/24" in event.title


def test_control_characters_are_shown_as_text() -> None:
    _, events = told([row("POST /?name%5B%23%1b%5B31m%0d%0aroot%5D=1", 404)])
    assert all(text.isprintable() for event in events for each in event.evidence for text in each.values())


def test_attempts_of_a_network_are_one_event() -> None:
    names = ("wp-login.php", "xmlrpc.php", "phpmyadmin/", "actuator/health", "adminer.php", "web.config")
    rows = [row(f"GET /{name}", after=at, remote=f"203.0.113.{at}") for at, name in enumerate(names)]
    state, events = told(rows)
    assert kinds(events) == [("security.probe", "info")]
    assert events[0].count == 3
    assert count(state, "probe", "attempt") == len(names)
    _, later = told([row("GET /wp-login.php", after=400)], state)
    assert [event.count for event in later] == [7]
    assert later[0].dedup_key == events[0].dedup_key
    assert later[0].id != events[0].id


def test_a_file_that_was_served() -> None:
    for asked, status, size, outcome in (
        ("GET /.env", 200, 700, "success_suspected"),
        ("GET /.env", 200, 0, "attempt"),
        ("HEAD /.env", 200, "-", "attempt"),
        ("GET /.env", 404, 700, "attempt"),
        ("GET /.env", 403, 700, "blocked"),
        ("GET /backup.sql", 206, 900_000, "success_suspected"),
    ):
        state, events = told([row(asked, status, size)])
        assert count(state, "sensitive_file", outcome) == 1, (asked, status)
        assert [event.severity for event in events] == (["critical"] if outcome == "success_suspected" else [])


def test_a_page_for_what_is_not_there_is_no_success() -> None:
    """A site that says 200 and the same page whatever is asked for; learned from what is not there on any site."""
    probes = [
        row(f"GET /{name}", 200, 8000 + at) for at, name in enumerate(("wp-login.php", "adminer.php", "xmlrpc.php"))
    ]
    state, _ = told(probes)
    state, events = told([row("GET /.env", 200, 8010), row("GET /.git/config", 200, 7990)], state)
    assert count(state, "sensitive_file", "attempt") == 2
    assert [event for event in events if event.severity != "info"] == []
    state, events = told([row("GET /.env", 200, 431)], state)
    assert kinds(events) == [("security.sensitive_file", "critical")]


def test_a_login_after_many_failures() -> None:
    failures = [row("POST /user/login", 200, after=at) for at in range(9)]
    state, events = told(failures)
    assert kinds(events) == [("security.bruteforce", "info")]
    assert "several accounts" in events[0].evidence[-1]["why"]
    assert count(state, "bruteforce", "attempt") == 2
    state, events = told([row("POST /user/login", 303, after=20)], state)
    assert kinds(events) == [("security.bruteforce_then_success", "critical")]
    results = {each.labels: each.value for each in samples(state) if each.family.name == "security_logins_total"}
    assert (results["shop", "failed"], results["shop", "succeeded"]) == (9, 1)
    _, events = told([row("POST /user/login", 303, after=30)], state)
    assert kinds(events) == []


def test_a_forgotten_password_is_nothing() -> None:
    _, events = told(
        [row("POST /user/login", 200, after=at * 5) for at in range(5)] + [row("POST /user/login", 303, after=30)]
    )
    assert kinds(events) == []
    slow = [row("POST /user/login", 200, after=at * 90) for at in range(20)]
    _, events = told([*slow, row("POST /user/login", 303, after=1850)])
    assert kinds(events) == []
    other = [row("POST /user/login", 200, after=at) for at in range(9)]
    _, events = told([*other, row("POST /user/login", 303, after=9, remote="203.0.113.8")])
    assert kinds(events) == [("security.bruteforce", "info")]


def test_drupal_7_and_json_logins() -> None:
    for asked, failure, success in (
        ("POST /?q=user/login", 200, 302),
        ("POST /user", 200, 302),
        ("POST /user/login?_format=json", 400, 200),
        ("POST /de/user/login", 200, 303),
    ):
        rows = [row(asked, failure, after=at) for at in range(8)]
        _, events = told([*rows, row(asked, success, after=9)])
        assert kinds(events)[-1] == ("security.bruteforce_then_success", "critical"), asked


def test_the_same_from_many_sources() -> None:
    rows = [row("POST /user/login", 200, after=at, remote=f"198.51.{at % 15}.9") for at in range(40)]
    _, events = told(rows)
    assert kinds(events) == [("security.bruteforce", "info")]
    assert "many sources" in events[0].evidence[-1]["why"]


def test_a_login_is_counted_once() -> None:
    """Though it is one of many from its source, and from everywhere."""
    rows = [row("POST /user/login", 200, after=at, remote=f"198.51.{at % 12}.9") for at in range(150)]
    state, _ = told(rows)
    assert count(state, "bruteforce", "attempt") == 121


def test_accounts_that_are_counted_through() -> None:
    rows = [row(f"GET /user/{at}", 403 if at % 2 else 404, after=at) for at in range(1, 7)]
    state, events = told(rows)
    assert kinds(events) == [("security.user_enum", "info")]
    assert count(state, "user_enum", "attempt") == 2
    _, events = told([row("GET /user/1", 403, after=at) for at in range(9)])
    assert kinds(events) == []
    _, events = told([row("POST /user/password", 303, after=at) for at in range(6)])
    assert kinds(events) == [("security.user_enum", "info")]


def test_spoofed_sources_are_bounded() -> None:
    state: State = {}
    seen = 0
    for part in range(10):
        rows = [row("GET /.env", 404, remote=f"10.{part}.{at % 250}.{at // 250}", after=part) for at in range(1000)]
        rows += [
            row("POST /user/login", 200, remote=f"10.{part}.{at % 250}.{at // 250}", after=part) for at in range(1000)
        ]
        rows += [row("POST /?%23type=1", 404, remote=f"11.{part}.{at % 250}.1", after=part) for at in range(250)]
        state, events = told(rows, state)
        seen += len([event for event in events if event.kind.startswith("security.")])
    for name, most in MOST.items():
        assert len(state["attack keys"][name]) <= most
    assert len(orjson.dumps(state)) < 2_000_000
    assert seen <= 70
    assert state["attack keys"]["evicted"] > 0


def test_a_site_that_is_gone_is_forgotten() -> None:
    state, _ = told([row("GET /.env")])
    state, _ = step(state, payload(row("GET /"), hosts={}, default="docs"))
    assert {each.labels[0] for each in samples(state) if each.labels} == {"docs", "other"}


ASKED = (
    "GET /.env",
    "POST /user/login",
    "GET /?id=1'+or+'1'='1",
    "GET /user/3",
    "GET /wp-login.php",
    "GET /",
    "GET /user/9",
)
some = st.builds(
    row, st.sampled_from(ASKED), st.sampled_from([200, 303, 403, 404, 500]), st.sampled_from([0, 90, 8000]),
    st.sampled_from(["203.0.113.7", "203.0.113.9", "2001:db8::1", "-", "::ffff:10.0.0.1"]), st.integers(0, 900),
)  # fmt: skip


@given(st.lists(some, max_size=60), st.integers(0, 60))
def test_the_same_however_it_comes_in_pieces(rows: list[str], cut: int) -> None:
    whole, events = told(rows)
    first, before = told(rows[:cut])
    kept = copy.deepcopy(first)
    second, after = told(rows[cut:], orjson.loads(orjson.dumps(first)))
    assert first == kept
    assert [*before, *after] == list(events)
    assert {key: second[key] for key in second if key.startswith("attack")} == {
        key: whole[key] for key in whole if key.startswith("attack")
    }
    assert len({event.id for event in events}) == len(events)
