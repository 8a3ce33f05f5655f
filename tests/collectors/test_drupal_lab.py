"""Whole sites of a private lab: what was planted in them is found. Skipped where they are not at hand."""

import gzip
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.reading import trial
from collectors.drupal import COLLECTOR, changes, logins, site, snapshots, watchdog
from collectors.drupal.config import Drupal
from collectors.drupal.php_values import unserialize
from collectors.drupal.site import connect
from tests.collectors.drupal_site import SHARED as SITES
from tests.collectors.drupal_told import values
from tests.lab.postgresql import PASSWORD, PostgreSql
from tests.lab.servers import MariaDb

AT = 1_795_341_780.0
"""A moment after the last row of the richest site."""

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(not SITES.exists(), reason="the sites of a private lab are not here"),
]
MARIADB = {"seven": "drupal7.103-mariadb", "ten": "drupal10.6.15-mariadb", "eleven": "drupal11.1.10-mariadb"}


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "clock", lambda: AT)


def unpacked(name: str) -> bytes:
    return gzip.decompress((SITES / name).read_bytes())


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    with MariaDb(tmp_path_factory.mktemp("lab")) as server:
        for database, dump in MARIADB.items():
            server.sql(f"CREATE DATABASE {database}")
            words = ["mariadb", "--no-defaults", f"--socket={server.socket}", f"--user={server.user}", database]
            subprocess.run(words, input=unpacked(f"{dump}.sql.gz"), check=True)
        yield server


def of(server: MariaDb, database: str) -> Drupal:
    return Drupal(site="lab", driver="mysql", database=database, socket=server.socket, user=server.user)


def told(config: Drupal) -> dict[str, float]:
    readings = trial(COLLECTOR, config)
    assert {reading.part.name: reading.error for reading in readings if not reading.answered} == {}
    found = values(readings)
    assert len(found) <= 600
    return found


def test_what_was_planted_in_ten(mariadb: MariaDb) -> None:
    found = told(of(mariadb, "ten"))
    planted = {
        "drupal_administrators": 4, "drupal_administrator_roles": 2, "drupal_users blocked": 4,
        "drupal_queue_items lab_queue": 25, "drupal_batches": 1, "drupal_comments published": 8,
        "drupal_comments unpublished": 4, "drupal_files permanent": 1, "drupal_files temporary": 5,
        "drupal_moderated_items editorial draft": 2, "drupal_moderated_items editorial published": 2,
        "drupal_sessions user": 9, "drupal_sessions anonymous": 9, "drupal_cron_state running": 1,
        "drupal_flood_entries user.failed_login_ip": 143, "drupal_flood_entries user.failed_login_user": 28,
        "drupal_flood_entries user.http_login": 1, "drupal_flood_entries contact": 1,
        "drupal_flood_entries user.password_request_ip": 6, "drupal_flood_entries user.password_request_user": 5,
        "drupal_watchdog_total page not found warning": 32, "drupal_watchdog_total access denied warning": 23,
        "drupal_watchdog_total client error warning": 4, "drupal_watchdog_total mail error": 11,
        "drupal_watchdog_total lab_channel error": 1, "drupal_watchdog_total update error": 1,
        "drupal_locks expired": 1, "drupal_locks held": 1,
    }  # fmt: skip
    assert {name: found.get(name) for name in planted} == planted
    by_type: dict[str, float] = {}
    for name, value in found.items():
        if name.startswith("drupal_watchdog_total "):
            kind = name.removeprefix("drupal_watchdog_total ").rpartition(" ")[0]
            by_type[kind] = by_type.get(kind, 0) + value
    assert (by_type["user"], by_type["system"], by_type["cron"], by_type["php"]) == (176, 55, 44, 9)


def test_a_killed_cron_is_stuck_once_its_lock_has_expired(mariadb: MariaDb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "clock", lambda: AT + 3600)
    assert told(of(mariadb, "ten"))["drupal_cron_state stuck"] == 1


def test_who_guessed_passwords_in_ten(mariadb: MariaDb) -> None:
    with connect(of(mariadb, "ten")) as opened:
        payload, _ = logins.look(opened, "lab", logins.Cursor(wid=0, looked=0.0), AT)
    _, events = logins.step({}, payload)
    told = {event.evidence[0]["form"]: event.evidence[0] for event in events}
    assert {event.severity for event in events} == {"info"}
    assert len(events) == len(told) == 3
    assert told["source"]["source"] == "198.51.100.10"
    assert told["names"].items() >= {"source": "198.51.100.11", "blocked": "62", "flood entries": "112"}.items()
    assert told["distributed"]["account"] == "alice"
    assert told["distributed"]["sources"].split(", ") == [f"198.51.100.{last}" for last in range(100, 106)]


def test_a_role_that_was_granted_by_sql_in_ten(mariadb: MariaDb) -> None:
    """The fourth account's role is taken out of the first of two snapshots."""
    with connect(of(mariadb, "ten")) as opened:
        after, _ = snapshots.look(opened, "lab", None, AT)
    assert after
    before = changes.Snapshot(**{**after, "roles": [pair for pair in after["roles"] if pair[0] != 4]})
    state, told = changes.step({}, before)
    assert list(told) == []
    _, told = changes.step(state, after)
    assert [(event.kind, event.severity, event.evidence) for event in told] == [
        ("drupal.admin_added", "warning", ({"uid": "4", "role": "administrator"},))
    ]


@pytest.mark.parametrize("database", MARIADB)
def test_errors_of_each_site_are_events(mariadb: MariaDb, database: str) -> None:
    with connect(of(mariadb, database)) as opened:
        start = watchdog.Cursor(wid=0, made=0, looked=0.0)
        payload, _ = watchdog.look(opened, "lab", start, AT)
    assert payload
    _, events = watchdog.step({}, payload)
    titles = "\n".join(event.title for event in events)
    assert "xception in" in titles or "xception: payment gateway unreachable in" in titles
    texts = "\n".join([titles, *(text for event in events for record in event.evidence for text in record.values())])
    assert not any(part in texts for part in ("@example.org", "labadmin", "alice", "203.0.113.150", "cron_key"))


def test_ten_and_eleven_and_seven_have_their_own_tables(mariadb: MariaDb) -> None:
    seven, eleven = told(of(mariadb, "seven")), told(of(mariadb, "eleven"))
    assert (seven["drupal_extensions_enabled module"], seven["drupal_nodes article published"]) == (36, 23)
    assert (eleven["drupal_users active"] > 0, eleven["drupal_nodes article published"]) == (True, 23)


def test_postgresql(tmp_path: Path) -> None:
    with PostgreSql(tmp_path / "pg") as server:
        subprocess.run(
            ["psql", "-q", server.url],
            input=unpacked("drupal10.6.15-postgresql.sql.gz"),
            check=True,
            capture_output=True,
        )
        found = told(Drupal.model_validate(
            {"driver": "pgsql", "database": "postgres", "address": "127.0.0.1", "port": server.port, "user": "lab",
             "password": PASSWORD}
        ))  # fmt: skip
    assert found["drupal_extensions_enabled module"] > 30
    assert found["drupal_watchdog_total php error"] >= 1


def test_sqlite_and_every_serialized_value_in_it(tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(unpacked("drupal10.6.15.sqlite.gz"))
    config = Drupal(driver="sqlite", database=str(tmp_path / "db"))
    assert told(config)["drupal_extensions_enabled module"] > 30
    with connect(config) as opened:
        for statement in (
            "SELECT value FROM {key_value}",
            "SELECT data FROM {config}",
            "SELECT variables FROM {watchdog}",
        ):
            for (data,) in opened.tables.rows(statement, blobs=(0,)):
                unserialize(data.encode("latin-1"))
