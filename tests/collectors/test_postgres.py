"""PostgreSQL's rows: units, places in the log, versions that differ, and rows as nobody would expect them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import ParseError
from collectors.model import Part
from collectors.postgres import COLLECTOR, activity, replication, settings, statements, status, vacuum
from collectors.postgres.rows import lsn, number
from tests.collectors.captures import captures

PARTS = {part.name: part for part in COLLECTOR.parts}
CAPTURED = {capture.folder.name: capture for capture in captures() if capture.collector is COLLECTOR}


def values(part: Part, payload: Any) -> dict[str, float]:
    return {",".join([sample.family.name, *sample.labels]): sample.value for sample in part.parse(payload)}


@pytest.mark.parametrize(
    ("setting", "unit", "name", "value"),
    [
        ("4096", "8kB", "x_bytes", 32 << 20),
        ("4", "MB", "x_bytes", 4 << 20),
        ("5", "min", "x_seconds", 300),
        ("200", "ms", "x_seconds", 0.2),
        ("7", "d", "x_seconds", 604_800),
        ("-1", "ms", "x_seconds", -1),
        ("-1", "8kB", "x_bytes", -1),
        ("0.2", None, "x", 0.2),
        ("16777216", "B", "x_bytes", 16 << 20),
    ],
)
def test_settings_are_in_base_units(setting: str, unit: str | None, name: str, value: float) -> None:
    row = {"name": "x", "setting": setting, "unit": unit, "vartype": "integer"}
    assert values(settings.PART, {"settings": [row]}) == {f"pg_settings_{name}": pytest.approx(value)}


@pytest.mark.parametrize(
    ("setting", "unit"), [("12", "parsecs"), ("much", None), ("nan", "s"), ("", "kB"), (None, None)]
)
def test_a_setting_that_is_no_number_is_left_out(setting: str | None, unit: str | None) -> None:
    row = {"name": "x", "setting": setting, "unit": unit, "vartype": "real"}
    assert values(settings.PART, {"settings": [row]}) == {}


def test_names_of_extensions_settings_are_made_fit() -> None:
    rows = [{"name": "pg_stat-statements.track", "setting": "on", "unit": None, "vartype": "bool"}]
    assert values(settings.PART, {"settings": rows}) == {"pg_settings_pg_stat_statements_track": 1}


@pytest.mark.parametrize(
    ("text", "place"),
    [("16/B374D848", 0x16B374D848), ("0/0", 0), ("FFFFFFFF/FFFFFFFF", 2**64 - 1), ("", None), ("0/g", None), (7, None)],
)
def test_places_in_the_log(text: Any, place: int | None) -> None:
    assert lsn(text) == place


def test_times_are_whole_seconds_and_what_is_no_number_is_none() -> None:
    assert number("2026-09-21T14:13:20.9+00:00") == 1_790_000_000
    assert [number(each) for each in (None, "", "infinity", "NaN", [1], 10**400, float("inf"))] == [None] * 7
    assert number(True) == 1


def recovery(**row: Any) -> dict[str, float]:
    return values(replication.PART, {"recovery": [{"replica": True, "received": "0/9", "replayed": "0/5", **row}]})


def test_lag_is_what_is_left_to_replay() -> None:
    assert recovery(age=7.5) == {
        "pg_replication_is_replica": 1,
        "pg_replication_lag_seconds": 7.5,
        "pg_replication_last_replay_seconds": 7.5,
    }
    assert recovery(age=7.5, replayed="0/9")["pg_replication_lag_seconds"] == 0
    assert recovery(age=None) == {"pg_replication_is_replica": 1}  # unknown is not 0
    assert recovery(age=None, received=None, replayed=None) == {"pg_replication_is_replica": 1}
    assert recovery(replica=False, age=None) == {"pg_replication_is_replica": 0, "pg_replication_lag_seconds": 0}


def test_every_state_and_mode_of_a_database_is_there() -> None:
    session = {"datname": "a", "state": "active", "usename": "u", "sessions": 2, "longest": 1.5}
    gone = {**session, "datname": "dropped"}
    found = values(activity.PART, {"databases": [{"datname": "a"}, {"datname": "b"}], "sessions": [session, gone]})
    counts = {name: value for name, value in found.items() if name.startswith("pg_stat_activity_count")}
    assert len(counts) == 12
    assert counts["pg_stat_activity_count,a,active,u,,,,"] == 2
    assert sum(counts.values()) == 2
    rows = [{"datid": 5, "datname": "a"}]
    locks = [
        {"database": 5, "mode": "sharelock", "locks": 3, "waits": 1, "longest": 2.5},
        {"database": None, "mode": "exclusivelock", "locks": 9, "waits": 1, "longest": 8},
    ]
    found = values(status.PART, {"databases": rows, "locks": locks})
    assert len([name for name in found if name.startswith("pg_locks_count,a,")]) == 9
    assert (found["pg_locks_count,a,sharelock"], found["pg_locks_count,a,exclusivelock"]) == (3, 0)
    assert (found["sql_lock_waits"], found["sql_lock_wait_longest_seconds"]) == (2, 8)
    assert "sql_lock_waits" not in values(status.PART, {"databases": rows, "locks": None})


def test_a_wait_whose_begin_is_unknown_has_no_length() -> None:
    locks = [{"database": 5, "mode": "sharelock", "locks": 1, "waits": 1}]
    assert values(status.PART, {"databases": [], "locks": locks}) == {
        "pg_exporter_last_scrape_error": 0,
        "sql_lock_waits": 1,
    }


def names(folder: str) -> set[str]:
    return {sample.family.name for sample in CAPTURED[folder].samples()}


def test_checkpoints_moved_in_17() -> None:
    moved = {"pg_stat_bgwriter_checkpoints_timed_total", "pg_stat_bgwriter_buffers_backend_total"}
    assert moved <= names("postgresql-16")
    assert moved & names("postgresql-17") == set()
    assert "pg_stat_checkpointer_num_timed_total" in names("postgresql-17") - names("postgresql-16")


def test_every_version_gives_what_dashboards_read() -> None:
    common = {
        "pg_stat_database_xact_commit", "pg_stat_activity_count", "pg_locks_count", "pg_database_size_bytes",
        "pg_replication_is_replica", "pg_stat_user_tables_n_dead_tup", "pg_statio_user_indexes_idx_blks_hit_total",
        "pg_stat_statements_calls_total", "pg_stat_archiver_failed_count", "pg_postmaster_start_time_seconds",
        "pg_stat_bgwriter_buffers_clean_total", "pg_settings_max_connections", "pg_settings_shared_buffers_bytes",
        "pg_stat_progress_vacuum_heap_blks_scanned", "pg_database_wraparound_age_datfrozenxid_seconds", "pg_static",
        "pg_wal_size_bytes", "pg_replication_slots_slot_is_active", "sql_lock_waits",
    }  # fmt: skip
    for folder in CAPTURED:
        missing = common - names(folder)
        standby = {"pg_stat_progress_vacuum_heap_blks_scanned", "pg_replication_slots_slot_is_active"}
        assert missing <= (standby if folder.endswith("-standby") else set()), folder


def test_no_capture_holds_the_text_of_a_statement() -> None:
    for capture in CAPTURED.values():
        assert "SELECT" not in (capture.folder / "payload.statements.json").read_text().upper()


fields = sorted(
    {*replication.UPSTREAM, *replication.STANDBY, *replication.RECEIVER, *status.DATABASE, *activity.LABELS, "position"}
    | {"restart_lsn", "name", "setting", "unit", "vartype", "number", "version", "mode", "locks", "waits", "longest"}
    | {"replica", "age", "datname", "datid", "database", "slot_type", "sessions", *statements.LABELS, *vacuum.PROGRESS}
)
odd = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["0/1", "active", "on", "integer", "8kB", "2026-01-01T00:00:00+00:00", "9999-12-31"])
    | st.lists(st.integers(), max_size=2)
)  # fmt: skip
rows = st.lists(st.dictionaries(st.sampled_from(fields), odd, max_size=12), max_size=4)


@pytest.mark.parametrize("part", COLLECTOR.parts, ids=lambda part: part.name)
@given(data=st.data())
def test_any_rows_are_read_as_far_as_they_go(part: Part, data: st.DataObject) -> None:
    module = {"status": status, "replication": replication, "settings": settings}.get(part.name)
    asked = {"databases", "sessions", "transactions", "locks", "checkpointer", "standbys", "receivers", "tables"}
    asked |= {"blocks", "indexes", "wal", "statements", "progress", "autovacuum", *getattr(module, "STATEMENTS", ())}
    payload = data.draw(st.dictionaries(st.sampled_from(sorted(asked)), st.none() | rows))
    for sample in part.parse(payload):
        assert sample.family in part.families or sample.family.name.startswith("pg_settings_")
        assert sample.value == sample.value


@pytest.mark.parametrize("part", COLLECTOR.parts, ids=lambda part: part.name)
@given(name=st.sampled_from(["databases", "settings", "statements", "tables"]), odd=odd)
def test_what_are_no_rows_is_refused(part: Part, name: str, odd: Any) -> None:
    try:
        found = list(part.parse({name: odd}))
    except ParseError as error:
        assert str(error).startswith(f"{name}: expected rows")  # noqa: PT017 # it may also ask for others
    else:
        assert [sample for sample in found if sample.family is not status.ERROR] == []
