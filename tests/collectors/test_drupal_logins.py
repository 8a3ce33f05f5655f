"""Guessed passwords, as the site's own log and flood control tell of them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.drupal import logins, site
from collectors.drupal.config import Drupal
from collectors.drupal.site import connect
from collectors.model import Event, State
from tests.lab import drupal

NOW = 1_800_000_000.0
FAILED, UNKNOWN = "Login attempt failed for %user.", "Login attempt failed from %ip."
BLOCKED, OPENED = "Flood control blocked login attempt from %ip", "Session opened for %name."


def row(template: str, source: str = "198.51.100.10", at: float = NOW, **values: str) -> list[Any]:
    variables = drupal.php({f"%{name}": value for name, value in values.items()}).decode("latin-1")
    return [template, variables, source, at]


def look(
    state: State, *rows: list[Any], flood: Any = (), seven: bool = False, now: float = NOW
) -> tuple[State, list[Event]]:
    payload = {"site": "shop", "now": now, "seven": seven, "rows": rows, "flood": flood}
    before = json.dumps(state)
    after, events = logins.step(state, json.loads(json.dumps(payload)))
    assert json.dumps(state) == before
    return json.loads(json.dumps(after)), list(events)


def brief(events: list[Event]) -> list[tuple[str, str, str, int]]:
    return [(event.kind, event.severity, event.evidence[0].get("form", ""), event.count) for event in events]


def counts(state: State) -> dict[str, float]:
    return {sample.labels[0]: sample.value for sample in logins.samples(state)}


def test_a_burst_from_one_source_is_told_once_and_again_at_ten_times() -> None:
    state, events = look({}, *(row(FAILED, user="root", at=NOW + each) for each in range(7)))
    assert events == []
    state, events = look(state, row(FAILED, user="root", at=NOW + 9))
    assert brief(events) == [("security.bruteforce", "info", "source", 8)]
    assert events[0].evidence[0]["source"] == "198.51.100.10"
    state, events = look(state, *(row(BLOCKED, at=NOW + 10) for _ in range(71)))
    assert events == []
    state, events = look(state, row(BLOCKED, at=NOW + 11))
    assert brief(events) == [("security.bruteforce", "info", "source", 80)]
    assert counts(state) == {"succeeded": 0, "failed": 8, "blocked": 72}


def test_success_after_failures_is_critical_and_names_the_account() -> None:
    rows = [row(FAILED, user="root") for _ in range(5)]
    _, events = look({}, *rows, row(OPENED, at=NOW + 30, name="root"))
    assert brief(events) == [("security.bruteforce_then_success", "critical", "", 1)]
    assert events[0].evidence[0].items() >= {"account": "root", "source": "198.51.100.10", "failed": "5"}.items()
    assert brief(look({}, *rows[:4], row(OPENED, name="root"))[1]) == []
    assert brief(look({}, *rows, row(OPENED, source="203.0.113.9", name="root"))[1]) == []
    assert brief(look({}, *rows, row(OPENED, at=NOW + 4000, name="root"))[1]) == []


def test_names_that_are_gone_through_and_one_account_from_many_addresses() -> None:
    _, events = look({}, *(row(UNKNOWN) for _ in range(12)))
    assert brief(events) == [("security.bruteforce", "info", "names", 12)]
    _, events = look({}, *(row(FAILED, f"198.51.100.{last}", user="alice") for last in range(6)))
    assert brief(events) == [("security.bruteforce", "info", "distributed", 6)]
    assert events[0].evidence[0]["account"] == "alice"


def test_the_flood_table_alone_tells_where_the_site_logs_elsewhere() -> None:
    flood = [["user.failed_login_ip", "203.0.113.7", 9], ["user.failed_login_user", "1-203.0.113.7", 9]]
    state, events = look({}, flood=flood)
    assert brief(events) == [("security.bruteforce", "info", "source", 9)]
    assert look(state, flood=flood)[1] == []


def test_what_was_typed_into_the_name_in_drupal_7_stands_nowhere() -> None:
    state, events = look({}, *(row(FAILED, user="hunter2!") for _ in range(9)), seven=True)
    assert brief(events) == [("security.bruteforce", "info", "source", 9)]
    assert "hunter2" not in json.dumps([state, [event.evidence for event in events]])


def test_rows_that_only_look_like_it() -> None:
    forged = row("Notice: Session opened for %name. Login attempt failed for %user.", user="x", name="y")
    broken = [["Login attempt failed for %user.", "a:1:{broken", "198.51.100.10", NOW]] * 9
    state, events = look({}, *[forged] * 20)
    assert (events, counts(state)["failed"]) == ([], 0)
    assert brief(look({}, *broken)[1]) == [("security.bruteforce", "info", "source", 9)]


def test_many_sources_take_bounded_room() -> None:
    rows = [row(FAILED, f"203.{n >> 8}.{n & 255}.1", at=NOW + n / 100, user="alice") for n in range(5000)]
    state, _ = look({}, *rows)
    assert len(state["keys"]) <= logins.MOST_KEYS
    assert max(len(each["sources"]) for each in state["keys"].values()) <= logins.MOST_SOURCES


rows_of = st.builds(
    row, st.sampled_from([FAILED, UNKNOWN, BLOCKED, OPENED]), st.sampled_from(["198.51.100.1", "198.51.100.2", ""]),
    st.floats(NOW, NOW + 1e5), user=st.sampled_from(["a", "b"]),
)  # fmt: skip


@given(st.lists(rows_of, max_size=40), st.integers(0, 40))
def test_counts_are_the_same_however_the_log_is_cut(rows: list[list[Any]], cut: int) -> None:
    whole, _ = look({}, *rows)
    first, _ = look({}, *rows[:cut])
    assert counts(look(first, *rows[cut:])[0]) == counts(whole)


def test_a_site_is_read_from_where_it_was_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "clock", lambda: NOW)
    execute = drupal.sqlite(tmp_path / "db")
    drupal.fill(execute, "sqlite")
    config = Drupal(site="shop", driver="sqlite", database=str(tmp_path / "db"))
    failed = drupal.watchdog_row("user", 5, FAILED, drupal.php({"%user": "root"}), int(NOW))
    drupal.log(execute, failed)
    with connect(config) as opened:
        payload, cursor = logins.look(opened, "shop", None, NOW)
        assert payload
        assert payload["rows"] == []
        drupal.log(execute, *[failed] * 8)
        payload, _ = logins.look(opened, "shop", cursor, NOW + 60)
    assert payload
    assert brief(look({}, *payload["rows"])[1]) == [("security.bruteforce", "info", "source", 8)]
