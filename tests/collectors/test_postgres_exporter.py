"""Beside Debian's postgres_exporter 0.11 at the same server: the same series with the same numbers.

Where 0.11 differs from today's 0.20 we follow 0.20; each difference is named here with its reason.
"""

import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from agent.exposition import render
from agent.reading import trial
from collectors.postgres import COLLECTOR
from collectors.postgres.config import Postgres
from tests.collectors.official import families, series
from tests.lab.ports import wait_until
from tests.lab.postgresql import PostgresExporter, PostgreSql, Standby

pytestmark = pytest.mark.servers
Labels = frozenset[tuple[str, str]]
Key = tuple[str, Labels]

NOT_OURS = {
    "pg_exporter_last_scrape_duration_seconds": "of the exporter itself; raingauge_part_duration_seconds is ours",
    "pg_exporter_scrapes_total": "of the exporter itself",
    "pg_scrape_collector_duration_seconds": "of the exporter itself",
    "pg_scrape_collector_success": "of the exporter itself",
    "pg_up": "added by whoever reads",
    "pg_stat_database_active_time": "0.20: pg_stat_database_active_time_seconds_total",
    "pg_stat_database_idle_in_transaction_time": "gone in 0.20",
    "pg_stat_database_session_time": "gone in 0.20",
    "pg_stat_database_sessions": "gone in 0.20",
    "pg_stat_database_sessions_abandoned": "gone in 0.20",
    "pg_stat_database_sessions_fatal": "gone in 0.20",
    "pg_stat_database_sessions_killed": "gone in 0.20",
    "pg_settings_transaction_read_only": "state of the transaction that reads",
    "pg_stat_replication_reply_time": "gone in 0.20",
}
OF_SESSIONS = {"usename", "application_name", "backend_type", "wait_event_type", "wait_event"}
OF_STANDBYS = {"pid", "slot_name", "client_addr"}
NEWER_LABELS = {
    "pg_stat_activity_count": OF_SESSIONS,
    "pg_stat_activity_max_tx_duration": OF_SESSIONS,
    "pg_stat_replication_pg_current_wal_lsn_bytes": OF_STANDBYS,
    "pg_stat_replication_pg_wal_lsn_diff": OF_STANDBYS,
}
"""0.20 has them; 0.11 gives the process in slot_name, and no address."""
VOLATILE = {
    "pg_settings_extra_float_digits": "set by the exporter's own client library",
    "pg_stat_database_numbackends": "ours is one more",
    "pg_stat_activity_max_tx_duration": "grows between the reads, and sessions come and go",
    "pg_stat_activity_count": "each is active in its own read, and idle in the other's",
    "pg_locks_count": "both see the locks of the other's reads",
}
"""Compared by their names and labels only."""


def scrape(exporter: PostgresExporter) -> str:
    with urllib.request.urlopen(exporter.url, timeout=60) as answer:
        text: str = answer.read().decode()
    return text


@dataclass(frozen=True)
class Beside:
    ours: str
    before: str
    after: str


def beside(server: PostgreSql, directory: Path) -> Beside:
    with PostgresExporter(directory, server, "site") as exporter:
        wait_until(lambda: "\npg_up 1" in scrape(exporter), 20, "the exporter has connected")
        before = scrape(exporter)
        config = Postgres(port=server.port, user="lab", password="lab", database="site")
        ours = render([sample for reading in trial(COLLECTOR, config) for sample in reading.samples]).decode()
        return Beside(ours, before, scrape(exporter))


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Beside]]:
    folder = tmp_path_factory.mktemp("beside")
    with PostgreSql(folder / "primary") as primary, Standby(folder / "standby", primary) as standby:
        primary.sql("CREATE DATABASE site")
        primary.sql("CREATE TABLE node (nid int)", "INSERT INTO node SELECT generate_series(1, 1000)", database="site")
        ((end,),) = primary.sql("SELECT pg_current_wal_lsn()")
        wait_until(lambda: standby.sql(f"SELECT 1 WHERE pg_last_wal_replay_lsn() >= '{end}'"), 20, "all is replayed")
        with psycopg.connect(primary.url.replace("/postgres", "/site")) as idle:
            idle.execute("SELECT 1")
            yield {
                "primary": beside(primary, folder / "exporter"),
                "standby": beside(standby, folder / "exporter-standby"),
            }


def read_as_ours(page: str) -> dict[Key, float]:
    """Less what 0.20 does not say: `server`, databases without a name (shared catalogues), NULL as NaN."""
    found = {}
    for (name, labels), value in series(page).items():
        if name.startswith("pg_") and ("datname", "") not in labels and value == value:
            dropped = set() if name == "pg_static" else {"server"} | NEWER_LABELS.get(name, set())
            found[name, frozenset(label for label in labels if label[0] not in dropped)] = value
    return found


def joined(page: str) -> dict[Key, float]:
    values: dict[Key, list[float]] = defaultdict(list)
    for (name, labels), value in series(page).items():
        dropped = NEWER_LABELS.get(name, set())
        values[name, frozenset(label for label in labels if label[0] not in dropped)].append(value)
    return {key: sum(each) if key[0] == "pg_stat_activity_count" else max(each) for key, each in values.items()}


@pytest.mark.parametrize("which", ["primary", "standby"])
def test_all_that_it_says_is_said_by_us_with_the_same_labels(answers: dict[str, Beside], which: str) -> None:
    ours, theirs = joined(answers[which].ours), read_as_ours(answers[which].before)
    missing = {name for name, _ in theirs} - {name for name, _ in ours} - NOT_OURS.keys()
    assert missing == set()
    names = {name for name, _ in ours} & {name for name, _ in theirs}
    assert len(names) > 250
    assert {key for key in theirs if key[0] in names} - ours.keys() == set()
    assert {key for key in ours if key[0] in names} - theirs.keys() == set()


@pytest.mark.parametrize("which", ["primary", "standby"])
def test_types_are_the_same(answers: dict[str, Beside], which: str) -> None:
    ours, theirs = families(answers[which].ours), families(answers[which].before)
    different = {name: (ours[name].type, theirs[name].type) for name in ours.keys() & theirs.keys()
                 if ours[name].type != theirs[name].type}  # fmt: skip
    assert different == {}


@pytest.mark.parametrize("which", ["primary", "standby"])
def test_numbers_lie_between_its_own_before_and_after(answers: dict[str, Beside], which: str) -> None:
    ours = joined(answers[which].ours)
    before, after = read_as_ours(answers[which].before), read_as_ours(answers[which].after)
    wrong = {
        key: (before[key], ours[key], after[key])
        for key in ours.keys() & before.keys() & after.keys()
        if key[0] not in VOLATILE and not between(before[key], ours[key], after[key])
    }
    assert wrong == {}


def between(before: float, ours: float, after: float) -> bool:
    slack = 1e-6 * abs(before)
    return min(before, after) - slack <= ours <= max(before, after) + slack
