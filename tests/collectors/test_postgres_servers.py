"""PostgreSQL: what its own client says, with the least rights, and when it lets nobody in."""

import contextlib
import getpass
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from agent.look import look
from agent.reading import Reading, trial
from collectors.config import Secret
from collectors.errors import Denied, Unreachable
from collectors.postgres import COLLECTOR, status
from collectors.postgres.config import Postgres
from collectors.postgres.connection import ask, connect
from tests.lab.ports import free_port, wait_until
from tests.lab.postgresql import PostgreSql, Standby

SECRET = "p&ss 'w\\rd"
PARTS = {part.name: part for part in COLLECTOR.parts}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSql]:
    settings = ["shared_preload_libraries=pg_stat_statements", "wal_level=replica"]
    with PostgreSql(tmp_path_factory.mktemp("pg"), settings) as server:
        password = SECRET.replace("'", "''")
        server.sql(
            "CREATE EXTENSION pg_stat_statements",
            f"CREATE ROLE reader LOGIN PASSWORD '{password}'",
            "GRANT pg_monitor TO reader",
            f"CREATE ROLE plain LOGIN PASSWORD '{password}'",
            f"CREATE ROLE one LOGIN CONNECTION LIMIT 1 PASSWORD '{password}'",
            f"CREATE ROLE {getpass.getuser()} LOGIN",
            "CREATE DATABASE site",
        )
        server.sql(
            "CREATE TABLE node (nid serial PRIMARY KEY, title text)",
            "INSERT INTO node (title) SELECT 'Node ' || n FROM generate_series(1, 3000) n",
            "VACUUM ANALYZE node",
            "CREATE TABLE cache AS SELECT 1 AS one",
            "CREATE SCHEMA gone",
            "DELETE FROM node WHERE nid <= 100",
            database="site",
        )
        yield server


def reader(server: PostgreSql, **more: Any) -> dict[str, Any]:
    return {"port": server.port, "user": "reader", "password": SECRET, "database": "site", **more}


def read(**settings: Any) -> dict[str, Reading]:
    return {reading.part.name: reading for reading in trial(COLLECTOR, Postgres(**settings))}


def outcomes(**settings: Any) -> set[str]:
    return {reading.outcome for reading in read(**settings).values()}


def values(reading: Reading) -> dict[str, float]:
    return {",".join([sample.family.name, *sample.labels]): sample.value for sample in reading.samples}


def all_values(readings: dict[str, Reading]) -> dict[str, float]:
    return {name: value for reading in readings.values() for name, value in values(reading).items()}


@pytest.mark.servers
def test_values_are_those_of_the_servers_own_client(server: PostgreSql) -> None:
    found = all_values(read(**reader(server)))
    for name, shown in (("shared_buffers_bytes", 32 << 20), ("checkpoint_timeout_seconds", 300), ("fsync", 0),
                        ("max_wal_size_bytes", 1 << 30), ("autovacuum_vacuum_scale_factor", 0.2),
                        ("log_min_duration_statement_seconds", -1), ("autovacuum_vacuum_cost_delay_seconds", 0.002),
                        ("wal_segment_size_bytes", 16 << 20), ("block_size", 8192)):  # fmt: skip
        assert found[f"pg_settings_{name}"] == pytest.approx(shown), name
    ((size, table, index),) = server.sql(
        "SELECT pg_database_size('site'), pg_table_size('node'), pg_indexes_size('node')", database="site"
    )
    assert found["pg_database_size_bytes,site"] == pytest.approx(size, rel=0.01)
    assert found["pg_stat_user_tables_table_size_bytes,site,public,node"] == table
    assert found["pg_stat_user_tables_index_size_bytes,site,public,node"] == index
    assert found["pg_stat_user_tables_n_tup_ins,site,public,node"] == 3000
    assert found["pg_stat_user_tables_n_dead_tup,site,public,node"] == 100
    assert found["pg_stat_user_tables_last_vacuum,site,public,node"] > 1.7e9
    assert "pg_stat_user_tables_last_autovacuum,site,public,node" not in found  # never is not 1970
    assert (found["pg_replication_is_replica"], found["pg_replication_lag_seconds"]) == (0, 0)
    assert len([name for name in found if name.startswith("pg_locks_count,site,")]) == 9


@pytest.mark.servers
def test_the_documented_rights_are_enough_over_tcp_and_over_the_socket(server: PostgreSql) -> None:
    assert outcomes(**reader(server, database="postgres")) == {"ok"}
    server.sql(f"GRANT pg_monitor TO {getpass.getuser()}")
    assert outcomes(socket=server.socket, user=getpass.getuser()) == {"ok"}


@pytest.mark.servers
def test_without_pg_monitor_nobody_elses_sessions_are_called_none(server: PostgreSql) -> None:
    found = read(**reader(server, user="plain", database="postgres"))
    assert {name: reading.outcome for name, reading in found.items() if reading.outcome != "ok"} == {
        "activity": "denied",
        "vacuum": "denied",
    }
    assert found["activity"].error.endswith("GRANT pg_monitor TO it")
    assert "pg_database_size_bytes,site" in values(found["sizes"])
    assert "pg_wal_segments" not in values(found["sizes"])


@pytest.mark.servers
def test_what_is_refused_is_asked_for_once(server: PostgreSql) -> None:
    with connect(Postgres(**reader(server, user="plain"))) as session:
        for _ in range(3):
            PARTS["sizes"].read(session)
    log = (server.directory / "output.log").read_text()
    assert log.count("permission denied for function pg_ls_waldir") == 2  # once in the test before


@pytest.mark.servers
def test_who_is_not_let_in_is_denied_and_told_nothing_secret(server: PostgreSql) -> None:
    for settings in (
        reader(server, password="wrong-secret"),
        reader(server, password=None),
        reader(server, user="nobody_here"),
        reader(server, database="nowhere"),
        {"socket": server.socket, "user": "reader", "password": SECRET},
    ):
        readings = read(**settings)
        assert {reading.outcome for reading in readings.values()} == {"denied"}
        assert "secret" not in readings["status"].error
        assert "p&ss" not in readings["status"].error


@pytest.mark.servers
def test_a_server_or_a_role_with_no_connection_left_is_unreachable(server: PostgreSql, tmp_path: Path) -> None:
    with connect(Postgres(**reader(server, user="one"))):
        full = read(**reader(server, user="one"))["status"]
    assert (full.outcome, "too many connections" in full.error) == ("unreachable", True)
    with PostgreSql(tmp_path, ["max_connections=4", "superuser_reserved_connections=0"]) as small:
        settings = {"port": small.port, "user": "lab", "password": "lab"}
        with contextlib.ExitStack() as open_connections:
            for _ in range(4):
                open_connections.enter_context(psycopg.connect(small.url))
            full = read(**settings)["status"]
        assert (full.outcome, "too many clients" in full.error) == ("unreachable", True)


@pytest.mark.servers
def test_what_is_down_is_unreachable(tmp_path: Path) -> None:
    assert outcomes(socket=str(tmp_path / ".s.PGSQL.5432")) == {"unreachable"}
    assert outcomes(port=free_port()) == {"unreachable"}


@pytest.mark.servers
def test_a_server_that_goes_away_between_two_reads(tmp_path: Path) -> None:
    with (
        PostgreSql(tmp_path) as server,
        connect(Postgres(port=server.port, user="lab", password=Secret("lab"))) as session,
    ):
        assert PARTS["status"].read(session)
        server.stop()
        with pytest.raises(Unreachable, match="pg_stat_database"):
            PARTS["status"].read(session)


@pytest.mark.servers
def test_our_sessions_are_limited_and_cannot_write(server: PostgreSql) -> None:
    server.sql("ALTER ROLE reader SET default_transaction_read_only = off", "ALTER ROLE reader SET jit = on")
    limits = {
        "default_transaction_read_only": "on",
        "statement_timeout": "1500ms",
        "lock_timeout": "150ms",
        "application_name": "raingauge",
        "search_path": "pg_catalog",
        "jit": "off",
    }
    with connect(Postgres(**reader(server, timeout=1.5))) as session:
        shown = {name: ask(session, f"SELECT current_setting('{name}') AS it")[0]["it"] for name in limits}
        assert shown == limits
        with pytest.raises(Unreachable, match="statement timeout"):
            ask(session, "SELECT pg_sleep(60)")
        assert ask(session, "SELECT 1 AS one") == [{"one": 1}]  # the connection is still good


@pytest.mark.servers
def test_who_waits_for_a_lock_is_counted_and_we_wait_for_none(server: PostgreSql) -> None:
    idle = values(read(**reader(server))["status"])
    assert (idle["sql_lock_waits"], idle["sql_lock_wait_longest_seconds"]) == (0, 0)

    def drop() -> None:
        with contextlib.suppress(psycopg.errors.QueryCanceled):
            server.sql("ALTER TABLE node ADD COLUMN more int", database="site")

    with psycopg.connect(server.url.replace("/postgres", "/site"), application_name="holder") as holder:
        holder.execute("LOCK TABLE node IN ACCESS EXCLUSIVE MODE")
        waiting = threading.Thread(target=drop)
        waiting.start()
        holder.execute("DROP SCHEMA gone")  # a lock, too, but on no relation
        wait_until(lambda: server.sql("SELECT 1 FROM pg_locks WHERE NOT granted"), 20, "somebody waits")
        readings = read(**reader(server))
        holder.rollback()
        waiting.join(20)
    found = all_values(readings)
    assert {reading.outcome for reading in readings.values()} == {"ok", "absent"}
    assert found["sql_lock_waits"] == 1
    assert 0 < found["sql_lock_wait_longest_seconds"] < 60
    assert found["pg_locks_count,site,accessexclusivelock"] == 3
    assert found["pg_stat_user_tables_n_tup_ins,site,public,node"] == 3000
    assert "pg_stat_user_tables_table_size_bytes,site,public,node" not in found
    assert found["pg_stat_user_tables_table_size_bytes,site,public,cache"] == 8192
    idle_in_transaction = "site,idle in transaction,lab,holder,client backend,Client,ClientRead"
    assert found[f"pg_stat_activity_count,{idle_in_transaction}"] == 1
    assert found[f"pg_stat_activity_max_tx_duration,{idle_in_transaction}"] > 0
    assert found["pg_stat_activity_count,site,disabled,,,,,"] == 0
    assert found["pg_long_running_transactions"] == 2


@pytest.mark.servers
def test_statements_are_counted_and_their_text_is_never_read(server: PostgreSql) -> None:
    server.sql("SELECT pg_stat_statements_reset()")  # only those that took most time are read
    for _ in range(3):
        server.sql("SELECT title FROM node WHERE nid = 777", database="site")
    ((queryid,),) = server.sql(
        "SELECT queryid::text FROM pg_stat_statements WHERE query LIKE 'SELECT title FROM node%'"
    )
    reading = read(**reader(server, database="postgres"))["statements"]
    found = values(reading)
    assert found[f"pg_stat_statements_calls_total,lab,site,{queryid}"] == 3
    assert found[f"pg_stat_statements_rows_total,lab,site,{queryid}"] == 3
    assert "SELECT" not in str(reading.payload)
    assert read(**reader(server))["statements"].outcome == "absent"  # the site's database lacks the extension


@pytest.mark.servers
def test_a_standby_and_its_primary(server: PostgreSql, tmp_path: Path) -> None:
    with Standby(tmp_path, server) as standby:
        wait_until(lambda: server.sql("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'"), 20, "it streams")
        server.sql("CREATE TABLE after_backup ()", database="site")
        ((end,),) = server.sql("SELECT pg_current_wal_lsn()")
        wait_until(
            lambda: standby.sql(f"SELECT 1 WHERE pg_last_wal_replay_lsn() >= '{end}'"), 20, "it has replayed all"
        )
        ours, theirs = all_values(read(**reader(server))), all_values(read(**reader(standby)))
    assert (ours["pg_replication_is_replica"], theirs["pg_replication_is_replica"]) == (0, 1)
    assert theirs["pg_replication_last_replay_seconds"] >= 0
    (behind,) = (name for name in ours if name.startswith("pg_stat_replication_pg_wal_lsn_diff"))
    assert "walreceiver,127.0.0.1/32,streaming,standby," in behind
    assert ours["pg_replication_slots_active,standby,"] == 1
    assert theirs["pg_stat_wal_receiver_received_tli,127.0.0.1,standby,streaming"] == 1
    server.sql("SELECT pg_drop_replication_slot('standby')")


@pytest.mark.servers
def test_names_that_are_no_utf_8_do_no_harm(server: PostgreSql) -> None:
    server.sql("CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    with psycopg.connect(server.url.replace("/postgres", "/bytes"), client_encoding="latin1") as connection:
        connection.execute('CREATE TABLE "stra\xdfe,""x"" \\ \n" (a int)')
    found = all_values(read(**reader(server, database="bytes")))
    (name,) = (name for name in found if name.startswith("pg_stat_user_tables_seq_scan,bytes,"))
    assert name.endswith('public,stra\ufffde,"x" \\ \n')
    server.sql("DROP DATABASE bytes")


@pytest.mark.servers
def test_every_statement_of_a_part_refused_is_denied(server: PostgreSql) -> None:
    with connect(Postgres(**reader(server))) as session:
        session.refused |= set(status.STATEMENTS.values())
        session.refused |= {status.LOCK_COUNTS.format(longest=status.SINCE), status.LOCK_COUNTS.format(longest="")}
        with pytest.raises(Denied, match="permission denied"):
            status.read(session)


@pytest.mark.servers
def test_discovery_finds_it_by_its_socket(server: PostgreSql) -> None:
    configs = [each.config for each in COLLECTOR.discover(look("h"))]
    assert Postgres(socket=server.socket) in configs
    assert [config for config in configs if isinstance(config, Postgres) and config.port == server.port] == []
