"""Servers with a million databases, or of anything else: a reason or a part of them, in bounded memory."""

import contextlib
import re
from pathlib import Path

import pytest

from agent.reading import trial
from collectors import registry
from collectors.postgres import COLLECTOR as POSTGRES
from collectors.postgres.config import Postgres
from collectors.postgres.rows import MOST_DATABASES
from tests.agent.fakes import Script, part, running, watch
from tests.collectors import a_million
from tests.collectors.alone import read_alone
from tests.lab.ports import wait_until
from tests.lab.postgresql import PASSWORD, PostgreSql

MOST_GROWN = 80_000_000
"""Bytes that a read may take at the most, of all parts one after another."""
TALKS = {"redis": a_million.redis, "memcached": a_million.memcached, "mysql": a_million.mysql,
         "postgres": a_million.postgres}  # fmt: skip
FIRST = {"redis": "info", "memcached": "slabs", "mysql": "status", "postgres": "status"}
WHY = r"(at most|more than) \d+ bytes|found \d+ bytes without"


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "disable")  # else the fake would have to know the question for TLS


@pytest.mark.parametrize("name", TALKS)
def test_an_answer_of_a_million_rows_is_refused_with_the_reason_before_it_is_kept(name: str) -> None:
    with a_million.serving(TALKS[name]) as port:
        found = read_alone(name, port)
    outcome, error = found.outcomes[FIRST[name]]
    assert outcome == "parse"
    assert re.search(WHY, error)
    assert "bug" not in {outcome for outcome, _ in found.outcomes.values()}
    assert all(error for outcome, error in found.outcomes.values() if outcome != "absent")
    assert found.grown < MOST_GROWN


def test_neighbours_of_servers_with_a_million_of_everything_are_read() -> None:
    with contextlib.ExitStack() as servers:
        watches = []
        for name, talk in TALKS.items():
            port = servers.enter_context(a_million.serving(talk))
            collector = registry.collector(name)
            config = collector.config.model_validate({"address": "127.0.0.1", "port": port, "timeout": 0.5})
            watches.append(watch(*collector.parts_of(config), name=f"many-{name}"))
        good = watch(part(Script([2.0]), interval=1), name="good")
        with running(*watches, good) as run:
            run.tick(1)
            wait_until(lambda: run.of("web:good").get("fake_value") == 2, 5, "the good one is read")


@pytest.mark.servers
def test_of_a_server_with_very_many_databases_some_are_told(tmp_path: Path) -> None:
    with PostgreSql(tmp_path / "pg", ["allow_system_table_mods=on"]) as server:
        columns = [name for (name,) in server.sql(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'pg_database'::regclass AND attnum > 0 ORDER BY attnum"
        )]  # fmt: skip
        own = {"oid": "(100000 + n)::oid", "datname": "('site' || n)::name"}
        chosen = ", ".join(own.get(name, name) for name in columns)
        server.sql(
            f"INSERT INTO pg_database SELECT {chosen} FROM pg_database, generate_series(1, 50000) AS n "
            "WHERE datname = 'postgres'"
        )
        config = Postgres(address="127.0.0.1", port=server.port, user="lab", password=PASSWORD)
        readings = {reading.part.name: reading for reading in trial(POSTGRES, config)}
    for name in ("status", "activity", "settings", "sizes"):
        assert (readings[name].outcome, readings[name].error) == ("ok", "")
    told = [sample for sample in readings["status"].samples if sample.family.name == "pg_stat_database_xact_commit"]
    assert len(told) == MOST_DATABASES
