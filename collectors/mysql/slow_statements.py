"""The statements of the slow log that took most of the time, followed in its file.

Source: https://mariadb.com/kb/en/slow-query-log-overview/ https://dev.mysql.com/doc/refman/8.4/en/slow-query-log.html
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from collectors.errors import Denied
from collectors.model import Counter, Event, Family, Follower, Sample, State
from collectors.mysql import slowlog
from collectors.mysql.config import Mysql
from collectors.mysql.slowlog import Totals
from collectors.sources.tail import Cursor, read_new

MOST = 100
BOUND = 3 * MOST
"""Of an hour: at any moment MOST are shown, but not always the same."""
TOTAL = "total:"
"""Before a statement's key: each is kept apart, as few of them change between two looks."""


def _family(name: str, text: str) -> Family:
    labels = ("digest", "schema", "query")
    return Counter(f"sql_slow_{name}_total", text, labels, bounds={"digest": BOUND, "query": BOUND})


QUERIES = _family("queries", "Entries of the slow log, by statement; those that took most time.")
SECONDS = _family("seconds", "Time of the slow log's entries, by statement.")
LOCK_SECONDS = _family("lock_seconds", "Time that the slow log's entries waited for locks, by statement.")
EXAMINED = _family("rows_examined", "Rows that the slow log's entries read, by statement.")
SENT = _family("rows_sent", "Rows that the slow log's entries sent, by statement.")
FAMILIES = (QUERIES, SECONDS, LOCK_SECONDS, EXAMINED, SENT)
REMEDY = "usermod --append --groups adm raingauge && systemctl restart raingauge"


def read(config: Mysql, cursor: Cursor | None) -> tuple[Any, Cursor]:
    try:
        return read_new(config.slow_log, cursor)
    except Denied as error:
        raise Denied(f"{error}; {REMEDY}") from error


def step(state: State, piece: Any) -> tuple[State, Sequence[Event]]:
    before = slowlog.start()
    if state:
        before = {"rest": state["rest"], "schema": state["schema"], "entry": state["entry"], "totals": _totals(state)}
    after, totals = slowlog.step(before, piece["text"])
    kept = {f"{TOTAL}{key}": each for key, each in totals.items()}
    return {"rest": after["rest"], "schema": after["schema"], "entry": after["entry"], **kept}, ()


def _totals(state: State) -> dict[str, Totals]:
    return {key.removeprefix(TOTAL): each for key, each in state.items() if key.startswith(TOTAL)}


def samples(state: State) -> Iterable[Sample]:
    totals = _totals(state)
    for key in sorted(totals, key=lambda each: (-totals[each]["seconds"], each))[:MOST]:
        yield from _samples(key.partition("/")[0], totals[key])


def _samples(digest: str, each: Totals) -> Iterable[Sample]:
    labels = (digest, each["schema"], each["query"])
    values: Mapping[Family, float] = {
        QUERIES: each["calls"], SECONDS: each["seconds"], LOCK_SECONDS: each["lock_seconds"],
        EXAMINED: each["rows_examined"], SENT: each["rows_sent"],
    }  # fmt: skip
    return [family(value, *labels) for family, value in values.items()]


FOLLOWER = Follower(
    "slowlog", FAMILIES, read, step, samples, wanted=lambda config: bool(config.slow_log), beside=True,
)  # fmt: skip
