"""The slow log in any pieces, and statements without what was said in them."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.mysql.normal import digest, normal
from collectors.mysql.slowlog import MOST_STATEMENTS, OTHER, State, Totals, start, step
from tests.lab.ports import wait_until
from tests.lab.servers import MariaDb

MYSQL = """\
/usr/sbin/mysqld, Version: 8.4.3 (MySQL Community Server - GPL). started with:
Tcp port: 3306  Unix socket: /var/run/mysqld/mysqld.sock
Time                 Id Command    Argument
# Time: 2026-03-01T10:00:00.123456Z
# User@Host: drupal[drupal] @ localhost []  Id:     8
# Query_time: 2.500000  Lock_time: 0.000002 Rows_sent: 1  Rows_examined: 500
use shop;
SET timestamp=1772359200;
SELECT title FROM node WHERE nid = 5;
# Time: 2026-03-01T10:00:03.123456Z
# User@Host: drupal[drupal] @ localhost []  Id:     8
# Query_time: 1.500000  Lock_time: 0.500000 Rows_sent: 2  Rows_examined: 700
SET timestamp=1772359203;
SELECT title
FROM node
WHERE nid = 6;
# Time: 2026-03-01T10:00:04.123456Z
# User@Host: drupal[drupal] @ localhost []  Id:     8
# Query_time: 0.000010  Lock_time: 0.000000 Rows_sent: 0  Rows_examined: 0
SET timestamp=1772359204;
# administrator command: Quit;
"""
MARIADB = """\
# Time: 260301 10:00:00
# User@Host: drupal[drupal] @ localhost []
# Thread_id: 5  Schema: blog  QC_hit: No
# Query_time: 0.250000  Lock_time: 0.000095  Rows_sent: 1  Rows_examined: 10
# Rows_affected: 0  Bytes_sent: 83
# Full_scan: Yes  Full_join: No  Tmp_table: No  Tmp_table_on_disk: No
# Filesort: No  Filesort_on_disk: No  Merge_passes: 0  Priority_queue: No
#
# explain: id\tselect_type\ttable\ttype\tpossible_keys\tkey\tkey_len\tref\trows\tr_rows\tfiltered\tr_filtered\tExtra
# explain: 1\tSIMPLE\tnode\tALL\tNULL\tNULL\tNULL\tNULL\t10\t10.00\t100.00\t100.00\tUsing where
#
use `blog`;
SET timestamp=1772359200;
SELECT nid FROM node WHERE title <> 'a;
# User@Host: nobody
b' AND uid = 1;
# User@Host: drupal[drupal] @ localhost []
# Thread_id: 6  Schema:   QC_hit: No
# Query_time: 0.125000  Lock_time: 0.000080  Rows_sent: 3  Rows_examined: 3
# Rows_affected: 0  Bytes_sent: 155
SET timestamp=1772359201;
SELECT * FROM blog.node WHERE nid IN (1,2,3);
"""


def read(*pieces: str) -> tuple[State, dict[str, Totals]]:
    state = start()
    for piece in pieces:
        state, _ = step(state, piece)
    return state, {f"{each['schema']}: {each['query']}": each for each in state["totals"].values()}


def test_what_mysql_writes() -> None:
    _, totals = read(MYSQL)
    assert totals["shop: SELECT title FROM node WHERE nid = ?"] == {
        "schema": "shop", "query": "SELECT title FROM node WHERE nid = ?", "calls": 2, "seconds": 4.0,
        "lock_seconds": 0.500002, "rows_sent": 3, "rows_examined": 1200, "no_index": 0,
    }  # fmt: skip
    assert totals.keys() == {"shop: SELECT title FROM node WHERE nid = ?", "shop: administrator command Quit"}


def test_what_mariadb_writes() -> None:
    log = MARIADB.replace("# User@Host: nobody\n", "")
    _, totals = read(log)
    assert {name: (each["seconds"], each["no_index"]) for name, each in totals.items()} == {
        "blog: SELECT nid FROM node WHERE title <> ? AND uid = ?": (0.25, 1),
        ": SELECT * FROM blog.node WHERE nid IN (...)": (0.125, 0),
    }


def test_an_entry_that_a_client_forged_has_no_time_and_counts_not() -> None:
    _, totals = read(MARIADB)
    assert [name for name in totals if "IN" not in name] == ["blog: SELECT nid FROM node WHERE title <> ?"]


@given(st.sampled_from([MYSQL, MARIADB, MYSQL + MARIADB]), st.lists(st.integers(0, 3500), max_size=30))
def test_in_any_pieces_it_is_the_same(log: str, cuts: Sequence[int]) -> None:
    places = sorted({0, len(log), *(min(cut, len(log)) for cut in cuts)})
    pieces = [log[at:to] for at, to in pairwise(places)]
    assert read(*pieces) == read(log)
    assert json.loads(json.dumps(read(*pieces)[0])) == read(log)[0]


@given(st.lists(st.sampled_from([*MYSQL.splitlines(), *MARIADB.splitlines(), "", "x;", "'", "/*"]), max_size=30))
def test_lines_in_any_order_are_survived(lines: list[str]) -> None:
    log = "\n".join(lines)
    assert read(log, "\n") == read(*(letter for letter in log), "\n")


@given(st.text(alphabet="#: \n;'\"`/*-SETtimestamp=1.Query_time@User\\"))
def test_any_text_is_survived(text: str) -> None:
    _, totals = read("# User@Host: a\n# Query_time: 1\n", text, "\n# User@Host: a\n")
    assert all(each["seconds"] >= 0 for each in totals.values())


def test_the_state_that_went_in_is_not_changed() -> None:
    before = start()
    step(before, MYSQL)
    assert before == start()


def test_statements_past_the_most_are_counted_together() -> None:
    entry = "# User@Host: a\n# Query_time: 1\nSET timestamp=1;\nSELECT a{0} FROM b{1};\n"
    log = "".join(entry.format(number // 90, chr(97 + number % 26) * (1 + number % 90)) for number in range(1500))
    state, _ = read(log)
    assert len(state["totals"]) == MOST_STATEMENTS + 1
    assert sum(each["calls"] for each in state["totals"].values()) == 1500
    assert state["totals"][OTHER]["query"] == OTHER


@pytest.mark.servers
def test_a_servers_own_log(tmp_path: Path) -> None:
    log = tmp_path / "slow.log"
    settings = (
        "--slow-query-log=ON",
        "--long-query-time=0",
        f"--slow-query-log-file={log}",
        "--log-slow-verbosity=full",
    )
    with MariaDb(tmp_path / "db", settings) as server:
        for number in range(3):
            server.sql(f"SELECT title FROM lab.node\nWHERE nid = {number} AND title <> 'a;\nb{number}'")
        wait_until(lambda: "b2';\n" in log.read_text(), 20, "the last one is written")
        _, totals = read(log.read_text())
        statement = ": SELECT title FROM lab.node WHERE nid = ? AND title <> ?"
        assert totals[statement]["calls"] == 3
        assert totals[": INSERT INTO lab.node (title) SELECT CONCAT (?, seq) FROM lab.seq_1_to_N"]["no_index"] == 1


# What a statement may say: each hides behind an odd spelling.
literals = st.one_of(
    st.from_regex(r"'(secret[a-z ]*|\\'|''|;|--|#|/\*|\n|\")*secret'", fullmatch=True),
    st.from_regex(r"[xXnN]'(5ec5e7)+'", fullmatch=True),
    st.from_regex(r'"secret([a-z ]*|\\"|""|\'|`)*secret"', fullmatch=True),
    st.from_regex(r"-?7777[0-9]{0,9}(\.[0-9]+)?(e-?[0-9]+)?", fullmatch=True),
    st.from_regex(r"0x(5ec5e7)+", fullmatch=True),
    st.sampled_from([".7777", "7777.", "+7777", "_utf8mb4'secret'", "DATE '7777-01-01'"]),
)
templates = st.sampled_from([
    "SELECT * FROM node WHERE a = {0} AND b IN ({1}, {2}) -- secret\n",
    "INSERT INTO node (a, b, c) VALUES ({0}, {1}, {2}), ({2}, NULL, NOW())",
    "UPDATE node SET a = {0}, b = b + {1} WHERE c > {2} /* secret */",
    "SELECT TRIM(BOTH {0} FROM {1}), {2} AS x # secret",
    "CALL p({0},{1},{2})", "SET @a = {0}, @b := {1}, @@session.x = {2}", "SELECT {0} UNION SELECT {1} LIMIT {2}",
    "SELECT a->{0} FROM `t` WHERE JSON_EXTRACT(b, {1}) LIKE {2} ESCAPE '|'", "{0} {1} {2}",
])  # fmt: skip


@given(templates, literals, literals, literals)
def test_no_literal_survives(template: str, first: str, second: str, third: str) -> None:
    text = normal(template.format(first, second, third))
    for said in ("secret", "7777", "5ec5e7"):
        assert said not in text
    assert normal(text) == text
    assert "\n" not in text


@given(st.text())
def test_any_text_becomes_one_line(text: str) -> None:
    assert len(normal(text).splitlines()) <= 1


@given(st.lists(st.sampled_from(["1", "'a'", "NULL", "-5"]), min_size=1, max_size=5), st.integers(1, 4))
def test_a_list_of_any_length_is_the_same_statement(values: list[str], rows: int) -> None:
    row = f"({', '.join(values)})"
    assert normal(f"SELECT a FROM b WHERE c IN {row}") == "SELECT a FROM b WHERE c IN (...)"
    assert normal(f"INSERT INTO b VALUES {', '.join([row] * rows)}") == "INSERT INTO b VALUES (...)"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("select  A.b from `d7_node` a where c=-5", "SELECT A.b FROM `d7_node` a WHERE c = ?"),
        ("SELECT x FROM simpletest483921node", "SELECT x FROM simpletestNnode"),
        ('SELECT "n"."nid" AS "nid" FROM "dr_node" "n" WHERE "n"."uid" IN (\'1\', \'2\') AND "x" = 5',
         'SELECT "n"."nid" AS "nid" FROM "dr_node" "n" WHERE "n"."uid" IN (...) AND "x" = ?'),
        ("SELECT a FROM b WHERE c IN (:db_condition_placeholder_0, :db_condition_placeholder_1)",
         "SELECT a FROM b WHERE c IN (:db_condition_placeholder_N, ...)"),
        ("SELECT a FROM b WHERE c = :uid LIMIT 5 OFFSET 10", "SELECT a FROM b WHERE c = :uid LIMIT ? OFFSET ?"),
        ("SELECT a - 1, a -b FROM t1.c2", "SELECT a - ?, a - b FROM t1.c2"),
        ("INSERT INTO t VALUES (1, NOW()), (2, NOW())", "INSERT INTO t VALUES (?, NOW ())"),
        ("SELECT 'unfinished", "SELECT ?"),
        ("VALUES (...) /* , ... */", "VALUES (...)"),
        ("SELECT 1;", "SELECT ?"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_statement_and_its_shape(statement: str, expected: str) -> None:
    assert normal(statement) == expected
    assert normal(expected) == expected


def test_a_digest_is_of_the_text() -> None:
    assert digest(normal("SELECT 1")) == digest(normal("select  2")) != digest(normal("SELECT a"))
    assert len(digest("")) == 16
