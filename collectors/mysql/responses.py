"""How many statements took how long, where the server counts it (query_response_time_stats=ON).

Source: https://mariadb.com/kb/en/query-response-time-plugin/
"""

import math
from collections.abc import Iterable, Mapping

from collectors.errors import Absent, Unsupported
from collectors.model import Counter, Family, Sample
from collectors.mysql.connection import Session, ask, table
from collectors.mysql.values import Table, number

Histogram = tuple[Family, Family, Family]


def _histogram(name: str, which: str) -> Histogram:
    """Its three names as three families: a page of ours has no histograms."""
    name = f"mysql_info_schema_{name}_response_time_seconds"
    return (
        Counter(f"{name}_bucket", f"{which} that took at most so long.", ("le",)),
        Counter(f"{name}_sum", f"Time of {which.lower()}."),
        Counter(f"{name}_count", f"{which}."),
    )


TABLES: Mapping[str, Histogram] = {
    "query_response_time": _histogram("query", "Statements"),
    "query_response_time_read": _histogram("read_query", "Statements that read"),
    "query_response_time_write": _histogram("write_query", "Statements that write"),
}
"""The last two are not on every server."""
FAMILIES = tuple(family for histogram in TABLES.values() for family in histogram)


def read(session: Session) -> Mapping[str, Table]:
    """By table of information_schema."""
    found = ask(session, "SHOW GLOBAL VARIABLES LIKE 'query_response_time_stats'")
    if not found or found[0][-1] != "ON":
        raise Absent
    tables = {}
    for name in TABLES:
        if session.facts.get(name) == "missing":
            continue
        try:
            tables[name] = table(session, f"SELECT time, count, total FROM information_schema.{name.upper()}")  # noqa: S608
        except Unsupported:
            session.facts[name] = "missing"
    return tables


def parse(payload: Mapping[str, Table]) -> Iterable[Sample]:
    for name, rows in payload.items():
        bucket, total, count = TABLES[name]
        counted = spent = 0.0
        for row in rows:
            counted += number(row.get("count")) or 0
            spent += number(row.get("total")) or 0
            limit = number(row.get("time"))  # the last row is "TOO LONG"
            if limit is not None and math.isfinite(limit):
                yield bucket(counted, f"{limit:.6g}")
        yield bucket(counted, "+Inf")
        yield total(spent)
        yield count(counted)
