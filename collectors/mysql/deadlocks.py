"""Deadlocks that InnoDB ended, as events: the tables, and the statements without what stands in them.

InnoDB keeps the last one alone, and none of what MariaDB's own metadata locks or another engine does.
Source: https://dev.mysql.com/doc/refman/8.4/en/innodb-standard-monitor.html
"""

import re
from collections.abc import Iterable, Sequence
from typing import TypedDict

from collectors.model import Event, Follower, Sample, State
from collectors.mysql.config import Mysql
from collectors.mysql.connection import ask, connect
from collectors.mysql.normal import normal
from collectors.sources.looking import seldom

RIGHT = "PROCESS ON *.*"
MOST = 5
"""Tables and statements that are told of one."""
MOST_TEXT = 300
SECTION = re.compile(
    r"^LATEST DETECTED DEADLOCK\n-+\n(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?P<text>.*?)(?=^-+\nTRANSACTIONS$|\Z)",
    re.ASCII | re.MULTILINE | re.DOTALL,
)
STATEMENT = re.compile(
    r"^(?:MariaDB|MySQL) thread id \d+,.*\n(?P<statement>(?:(?!\*\*\* |RECORD LOCKS |TABLE LOCK ).*\n?)+)", re.MULTILINE
)
TABLE = re.compile(r"^(?:RECORD LOCKS .*? of table|TABLE LOCK table) `(.*?)`\.`(.*?)` ", re.MULTILINE)


class Cursor(TypedDict):
    looked: float  # Unix seconds
    last: str
    """When the one that was told last was, as the server writes it."""


class Payload(TypedDict):
    server: str
    at: float  # Unix seconds
    tables: list[str]
    statements: list[str]


def look(config: Mysql, cursor: Cursor | None, now: float) -> tuple[Payload | None, Cursor]:
    last = cursor["last"] if cursor else ""
    with connect(config) as session:
        status = "\n".join(row[-1] for row in ask(session, "SHOW ENGINE INNODB STATUS", RIGHT))
        found = SECTION.search(status)
        if not found or found["at"] == last:
            return None, Cursor(looked=now, last=last)
        at = float(ask(session, f"SELECT UNIX_TIMESTAMP('{found['at']}')")[0][0])
    tables, statements = told(found["text"])
    server = config.socket or f"{config.address}:{config.port}"
    return Payload(server=server, at=at, tables=tables, statements=statements), Cursor(looked=now, last=found["at"])


read = seldom("mysql", look)


def told(text: str) -> tuple[list[str], list[str]]:
    """Tables and statements of the section, without literals."""
    tables = dict.fromkeys(".".join(names) for names in TABLE.findall(text))
    statements = [normal(found["statement"])[:MOST_TEXT] for found in STATEMENT.finditer(text)]
    return list(tables)[:MOST], statements[:MOST]


def step(state: State, payload: Payload) -> tuple[State, Sequence[Event]]:
    at, server = payload["at"], payload["server"]
    place = f" in {', '.join(payload['tables'])}" if payload["tables"] else ""
    title = f"Deadlock{place}: one of the transactions was rolled back"
    evidence = tuple({"statement": statement} for statement in payload["statements"])
    event = Event(
        f"sql.deadlock:{server}:{at:.0f}", "sql.deadlock", "info", "", "", at, at, 1, title[:250], evidence,
        dedup_key=f"sql.deadlock:{server}"[:255], source="mysql",
    )  # fmt: skip
    return state, (event,)


def samples(_state: State) -> Iterable[Sample]:
    return ()


FOLLOWER = Follower("deadlocks", (), read, step, samples, lambda _found: False, beside=True)
