"""A real server's slow log, followed through its rotation."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.reading import trial
from collectors.errors import Absent
from collectors.inventory import Inventory, Listener
from collectors.model import State
from collectors.mysql import COLLECTOR
from collectors.mysql.config import Mysql
from collectors.mysql.slow_statements import FOLLOWER, MOST, samples, step
from tests.lab.ports import wait_until
from tests.lab.servers import MariaDb

ENTRY = (
    "# User@Host: a[a] @ localhost []\n# Thread_id: 5  Schema: shop  QC_hit: No\n"
    "# Query_time: {seconds}  Lock_time: 0.25  Rows_sent: 1  Rows_examined: 10\nSET timestamp=1772359200;\n"
    "SELECT a FROM t{table} WHERE b = 'secret';\n"
)


def follow(config: Mysql, state: State, cursor: Any) -> tuple[State, Any]:
    while True:
        payload, cursor = json.loads(json.dumps(FOLLOWER.read(config, cursor)))
        if payload is None:
            return state, cursor
        before = json.dumps(state)
        after, _ = FOLLOWER.step(state, payload)
        assert json.dumps(state) == before
        state = json.loads(json.dumps(after))


def told(state: State) -> dict[str, float]:
    return {" ".join([each.family.name, *each.labels[1:]]).strip(): each.value for each in samples(state)}


def test_those_that_took_most_time_are_told() -> None:
    text = "".join(ENTRY.format(seconds=number + 1, table="x" * (number + 1)) for number in range(MOST + 20))
    state, events = step({}, {"text": text})
    found = list(samples(state))
    assert (len({each.labels for each in found}), list(events)) == (MOST, [])
    assert min(each.value for each in found if each.family.name == "sql_slow_seconds_total") == 21
    assert "secret" not in json.dumps([each.labels for each in found])


def test_a_statement_in_two_pieces_counts_once() -> None:
    text = ENTRY.format(seconds=2, table="")
    state, _ = step({}, {"text": text[:150]})
    assert told(state) == {}
    state, _ = step(state, {"text": text[150:]})
    query = "shop SELECT a FROM t WHERE b = ?"
    assert told(state) == {
        f"sql_slow_queries_total {query}": 1, f"sql_slow_seconds_total {query}": 2,
        f"sql_slow_lock_seconds_total {query}": 0.25, f"sql_slow_rows_examined_total {query}": 10,
        f"sql_slow_rows_sent_total {query}": 1,
    }  # fmt: skip


def test_a_log_does_not_make_a_server_that_is_down_a_good_find(tmp_path: Path) -> None:
    log = tmp_path / "slow.log"
    log.write_text(ENTRY.format(seconds=2, table=""))
    found = trial(COLLECTOR, Mysql(socket=f"{tmp_path}/none.sock", slow_log=str(log)))
    assert {reading.part.name for reading in found if not reading.part.beside} == {
        part.name for part in COLLECTOR.parts
    }
    with pytest.raises(Absent):
        FOLLOWER.read(Mysql(slow_log=f"{log}.none"), None)
    assert not FOLLOWER.wanted(Mysql())


def test_the_usual_place_is_that_of_the_only_server() -> None:
    at = (Listener("mariadbd", 7, path="/run/a.sock"), Listener("mariadbd", 8, path="/run/b.sock"))
    log = "/var/log/mysql/mariadb-slow.log"
    for listeners, found in ((at[:1], {log}), (at, {""})):
        proposals = COLLECTOR.discover(Inventory("h", listeners=listeners, slow_logs=(log,)))
        assert {each.config.slow_log for each in proposals if isinstance(each.config, Mysql)} == found


@pytest.mark.servers
def test_a_real_servers_log_is_followed_through_rotation(tmp_path: Path) -> None:
    log = tmp_path / "slow.log"
    settings = ("--slow-query-log=ON", "--long-query-time=0", f"--slow-query-log-file={log}")
    with MariaDb(tmp_path / "db", settings) as server:
        config = Mysql(slow_log=str(log))
        state, cursor = follow(config, {}, None)
        name = "sql_slow_queries_total lab SELECT title FROM node WHERE nid = ?"
        for number in range(3):
            server.sql(f"USE lab; SELECT title FROM node WHERE nid = {number}")
        wait_until(lambda: "nid = 2;\n" in log.read_text(), 20, "the third is written")
        log.rename(f"{log}.1")
        server.sql("FLUSH SLOW LOGS")
        server.sql("USE lab; SELECT title FROM node WHERE nid = 9")
        wait_until(lambda: log.exists() and "nid = 9;\n" in log.read_text(), 20, "the new file has the fourth")
        state, cursor = follow(config, state, cursor)
        assert told(state)[name] == 4
        assert told(state)[name.replace("queries", "rows_sent")] == 3  # there is no node 0
        assert follow(config, state, cursor)[0] == state
