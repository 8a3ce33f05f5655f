"""MySQL's part of us and Debian's mysqld_exporter, side by side on one server: the same series with the same values."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.exposition import render
from agent.reading import trial
from collectors.mysql import COLLECTOR
from collectors.mysql.config import Mysql
from tests.collectors.official import families, series
from tests.lab.mariadb_replica import mariadb_replica
from tests.lab.mysqld_exporter import MysqldExporter
from tests.lab.ports import wait_until
from tests.lab.servers import MariaDb

pytestmark = pytest.mark.servers

NEWER = {
    "mysql_slave_status_gtid_io_pos": "mysqld_exporter has it since 0.20",
    "mysql_slave_status_gtid_slave_pos": "mysqld_exporter has it since 0.20",
    "mysql_perf_schema_events_statements_lock_time_seconds_total": "since 0.17, and there of MySQL alone",
}
NOT_OURS = {
    "mysql_up": "the runner writes it",
    "mysql_exporter_collector_duration_seconds": "raingauge_part_duration_seconds",
    "mysql_exporter_last_scrape_error": "raingauge_part_failures_total",
    "mysql_exporter_scrape_errors_total": "raingauge_part_failures_total",
    "mysql_exporter_scrapes_total": "it is gone in 0.20",
    "mysqld_exporter_build_info": "raingauge_build_info",
    "mysql_info_schema_query_response_time_seconds": "three families: a page of ours has no histograms",
    "mysql_info_schema_user_statistics_max_statement_time_exceeded": "an untyped column that it does not know",
}
OF_TABLES = {
    "mysql_info_schema_auto_increment_column", "mysql_info_schema_auto_increment_column_max",
    "mysql_info_schema_table_rows", "mysql_info_schema_table_size", "mysql_info_schema_table_version",
}  # fmt: skip
SYSTEM = {("schema", "sys"), ("schema", "mysql")}
"""Their tables are left out; 0.20 leaves them out of all but the columns."""
NEVER_HAPPENED = (
    "mysql_perf_schema_events_waits", "mysql_perf_schema_file_events", "mysql_perf_schema_table_io_waits",
    "mysql_perf_schema_index_io_waits", "mysql_perf_schema_sql_lock_waits", "mysql_perf_schema_external_lock_waits",
)  # fmt: skip
"""Events that never happened are left out: their zeros would be hundreds of series."""
VOLATILE = {
    "mysql_global_status_memory_used": "it rises and falls with each statement",
    "mysql_global_status_threads_running": "the exporter's own two threads",
    "mysql_global_status_threads_connected": "the exporter's own two connections",
    "mysql_global_status_threads_cached": "what its connections leave behind",
    "mysql_global_status_open_files": "files are opened and closed",
    "mysql_info_schema_processlist_threads": "the exporter's own connections come and go",
    "mysql_info_schema_processlist_seconds": "the same",
    "mysql_info_schema_processlist_processes_by_user": "the same",
    "mysql_info_schema_processlist_processes_by_host": "the same",
    "mysql_info_schema_user_statistics_concurrent_connections": "the same",
    "mysql_info_schema_client_statistics_concurrent_connections": "the same",
    "mysql_perf_schema_memory_events_used_bytes": "memory of statements",
    "mysql_perf_schema_events_waits_total": "`idle` falls when its connections end",
    "mysql_perf_schema_events_waits_seconds_total": "the same",
    "mysql_engine_innodb_read_views_open_inside_innodb": "our statements and theirs",
}


@pytest.fixture(scope="module", params=["source", "replica", "performance_schema"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    folder = tmp_path_factory.mktemp("compared")
    if request.param != "performance_schema":
        with mariadb_replica(folder) as both:
            chosen: MariaDb = getattr(both, request.param)
            with_work(both.source)
            wait_until(both.caught_up, 60, "the replica has caught up")
            yield chosen
        return
    plugin = ("--plugin-load-add=query_response_time", "--query-response-time-stats=ON")
    settings = ("--performance-schema=ON", "--performance-schema-instrument=%=ON", "--userstat=ON", *plugin)
    with MariaDb(folder, settings) as watched:
        with_work(watched)
        yield watched


def with_work(server: MariaDb) -> None:
    server.sql(
        "CREATE DATABASE heartbeat; CREATE TABLE heartbeat.heartbeat (ts VARCHAR(26), server_id INT PRIMARY KEY);"
        "INSERT INTO heartbeat.heartbeat VALUES (NOW(6), 1);"
        "CREATE TABLE lab.term (tid SMALLINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, name VARCHAR(20));"
        "INSERT INTO lab.term (name) VALUES ('a'), ('b');"
        "USE lab; SELECT title FROM node WHERE nid = 3; UPDATE node SET title = 'x' WHERE nid IN (1, 2);"
        "SELECT COUNT(*) FROM node n JOIN node m ON n.title = m.title;"
    )


def pages(server: MariaDb, folder: Path) -> tuple[str, str, str]:
    """Theirs, ours, and theirs again."""
    config = Mysql(socket=server.socket, user=server.user, heartbeat_table="heartbeat.heartbeat")
    with MysqldExporter(folder, server) as exporter:
        exporter.page()
        before = exporter.page()
        readings = trial(COLLECTOR, config)
        assert [reading.error for reading in readings if reading.error] == []
        ours = render(sample for reading in readings for sample in reading.samples).decode()
        return before, ours, exporter.page()


def of_mysql(found: Mapping[Any, Any]) -> dict[Any, Any]:
    """Ours of every kind have other beginnings."""
    return {key: value for key, value in found.items() if (key if isinstance(key, str) else key[0])[:5] == "mysql"}


def a_histograms(name: str) -> bool:
    return name.endswith(
        ("_response_time_seconds_bucket", "_response_time_seconds_sum", "_response_time_seconds_count")
    )


def test_the_same_series_with_the_same_values(server: MariaDb, tmp_path: Path) -> None:
    before, ours, after = pages(server, tmp_path)
    our_families, their_families = of_mysql(families(ours)), of_mysql(families(before))
    shared = our_families.keys() & their_families.keys()
    assert len(shared) > 850
    assert {name for name in our_families.keys() - shared if not a_histograms(name)} - NEWER.keys() == set()
    assert their_families.keys() - shared - NOT_OURS.keys() == set()
    assert {name: (our_families[name], their_families[name]) for name in shared
            if our_families[name] != their_families[name]} == {}  # fmt: skip

    mine, first, last = (of_mysql(series(page)) for page in (ours, before, after))
    theirs = {key for key in first.keys() & last.keys() if key[0] in shared or a_histograms(key[0])}
    assert {key for key in theirs - mine.keys() if not left_out(key, first)} == set()
    assert {key for key in mine.keys() - first.keys() - last.keys() if key[0] in shared} - {
        key for key in mine if key[0] in VOLATILE
    } == set()
    different = {
        key: (first[key], value, last[key])
        for key, value in mine.items()
        if key in theirs and key[0] not in VOLATILE and not between(first[key], value, last[key])
    }
    assert different == {}


def left_out(key: tuple[str, frozenset[tuple[str, str]]], first: Mapping[Any, float]) -> bool:
    name, labels = key
    if name in OF_TABLES:
        return bool(labels & SYSTEM)
    return name in VOLATILE or (name.startswith(NEVER_HAPPENED) and first[key] == 0)


def between(first: float, value: float, last: float) -> bool:
    room = 1e-9 * max(abs(first), abs(last))  # picoseconds are turned into seconds by other arithmetic
    return min(first, last) - room <= value <= max(first, last) + room
