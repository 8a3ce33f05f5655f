"""The slow log of MySQL and MariaDB as totals by statement; a pure step over its text, in pieces of any size.

Whoever may send statements can write lines into it that look like entries; nothing but these counts comes of it.
Source: https://mariadb.com/kb/en/slow-query-log-overview/ https://dev.mysql.com/doc/refman/8.4/en/slow-query-log.html
"""

import copy
import re
from collections.abc import Mapping
from typing import TypedDict

from collectors.mysql.normal import MOST_CHARACTERS, TOKEN, digest, normal

MOST_STATEMENTS = 1000
MOST_TEXT = 200
MOST_LINE = 1 << 20
OTHER = "other"
"""Statements past MOST_STATEMENTS are counted together."""

MOST_CHECKS = 100
HEAD = re.compile(r"# (Time: +\d|User@Host: )")
FIELD = re.compile(r"(\w+): ([^\s,]*)")
USE = re.compile(r"use `?([^`;\s]+)`?;\s*", re.IGNORECASE)
STAMP = re.compile(r"SET ([\w ]+=[\d.]+,)*timestamp=[\d.]+;\s*")
COMMAND = re.compile(r"# administrator command: ([\w ]+)")
SERVER = re.compile(r"\S*(mysqld|mariadbd)\S*, Version: |Tcp port: \d+ |Time +Id Command +Argument")
"""What a server writes when it opens the log."""


class Totals(TypedDict):
    """Of one statement in one schema, since the first step."""

    schema: str
    query: str
    calls: int
    seconds: float
    lock_seconds: float
    rows_sent: float
    rows_examined: float
    no_index: int


class Entry(TypedDict):
    fields: dict[str, str]
    stamped: bool
    """SET timestamp= came: what follows is the statement."""
    text: str
    checks: int
    """Lines that looked like the statement's last and were not."""


class State(TypedDict):
    """Plain data; `start()` gives the first."""

    rest: str
    """The beginning of a line whose end has not come."""
    schema: str
    """MySQL names the database only where it changes."""
    entry: Entry | None
    """What is being read; None between entries."""
    totals: dict[str, Totals]
    """By `digest/schema`."""


def start() -> State:
    return {"rest": "", "schema": "", "entry": None, "totals": {}}


def step(state: State, text: str) -> tuple[State, Mapping[str, Totals]]:
    """The log's next text. A statement counts once its end has been seen."""
    state = copy.deepcopy(state)
    *lines, rest = (state["rest"] + text).split("\n")
    for line in lines:
        _line(state, line[:MOST_LINE])
    state["rest"] = rest[:MOST_LINE]
    return state, state["totals"]


def _line(state: State, line: str) -> None:
    entry = state["entry"]
    if HEAD.match(line):
        if entry is None or entry["text"] or entry["fields"]:
            _finish(state)
            state["entry"] = {"fields": {}, "stamped": False, "text": "", "checks": 0}
    elif SERVER.match(line):
        _finish(state)
    elif entry and not entry["text"] and (command := COMMAND.match(line)):
        entry["text"] = f"administrator command {command[1].strip()}"
        _finish(state)
    elif entry and (entry["text"] or not _in_head(state, entry, line)):
        _statement(state, entry, line)


def _in_head(state: State, entry: Entry, line: str) -> bool:
    if entry["stamped"]:
        return not line.strip()
    if line.startswith("#"):
        entry["fields"].update(FIELD.findall(line))
    elif used := USE.fullmatch(line):
        state["schema"] = used[1]
    elif STAMP.fullmatch(line):
        entry["stamped"] = True
    else:
        return not line.strip()
    return True


def _statement(state: State, entry: Entry, line: str) -> None:
    if len(entry["text"]) < MOST_CHARACTERS:
        entry["text"] += line[:MOST_CHARACTERS] + "\n"
    if line.rstrip().endswith(";") and entry["checks"] < MOST_CHECKS:
        entry["checks"] += 1
        if _is_whole(entry["text"]):
            _finish(state)


def _is_whole(text: str) -> bool:
    """The semicolon at its end is in no string and no comment."""
    last = ""
    for found in TOKEN.finditer(text.rstrip()):
        last = found[0]
    return last == ";" or len(text) >= MOST_CHARACTERS


def _finish(state: State) -> None:
    entry = state["entry"]
    state["entry"] = None
    if entry is None or not entry["text"] or "Query_time" not in entry["fields"]:
        return
    fields = entry["fields"]
    state["schema"] = schema = fields.get("Schema", state["schema"])
    text = normal(entry["text"])
    key = f"{digest(text)}/{schema}"
    if key not in state["totals"] and len(state["totals"]) >= MOST_STATEMENTS:
        key, schema, text = OTHER, "", OTHER
    totals = state["totals"].setdefault(key, _nothing(schema, text[:MOST_TEXT]))
    totals["calls"] += 1
    totals["no_index"] += fields.get("Full_scan") == "Yes"
    totals["seconds"] += _number(fields, "Query_time")
    totals["lock_seconds"] += _number(fields, "Lock_time")
    totals["rows_sent"] += _number(fields, "Rows_sent")
    totals["rows_examined"] += _number(fields, "Rows_examined")


def _nothing(schema: str, query: str) -> Totals:
    return {"schema": schema, "query": query, "calls": 0, "seconds": 0.0, "lock_seconds": 0.0, "rows_sent": 0.0,
            "rows_examined": 0.0, "no_index": 0}  # fmt: skip


def _number(fields: Mapping[str, str], name: str) -> float:
    """0 for what is no number."""
    found = re.match(r"\d{1,18}(\.\d+)?", fields.get(name, ""), re.ASCII)
    return float(found[0]) if found else 0.0
