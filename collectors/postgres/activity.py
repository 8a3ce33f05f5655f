"""What sessions do, and how long their transactions last.

Source: https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
"""

from collections.abc import Iterator

from collectors.errors import Denied
from collectors.model import Gauge, Part, Sample
from collectors.postgres.connection import Session, ask
from collectors.postgres.rows import MOST_DATABASES, Payload, label, labels, number, rows_of, samples

LABELS = ("datname", "state", "usename", "application_name", "backend_type", "wait_event_type", "wait_event")
BOUNDS = {"usename": 50, "application_name": 50}
COUNT = Gauge(
    "pg_stat_activity_count", "Sessions; 0 for a state in which the database has none.", LABELS, bounds=BOUNDS
)
LONGEST = Gauge(
    "pg_stat_activity_max_tx_duration",
    "Seconds since the oldest open transaction of these sessions began.",
    LABELS,
    bounds=BOUNDS,
)
LONG = Gauge("pg_long_running_transactions", "Transactions that are open now, autovacuum's left out.")
OLDEST = Gauge(
    "pg_long_running_transactions_oldest_timestamp_seconds",
    "Age of the oldest open transaction in seconds; no point in time, in spite of its name.",
)
STATES = (
    "active", "idle", "idle in transaction", "idle in transaction (aborted)", "fastpath function call", "disabled",
)  # fmt: skip

DATABASES = f"SELECT datname FROM pg_database LIMIT {MOST_DATABASES}"  # noqa: S608 # no input
SESSIONS = """
    SELECT datname, state, usename, application_name, backend_type, wait_event_type, wait_event, count(*) AS sessions,
        coalesce(extract(epoch FROM now() - min(xact_start))::float8, 0) AS longest
    FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7"""
TRANSACTIONS = """
    SELECT count(*) AS transactions,
        coalesce(extract(epoch FROM clock_timestamp() - min(xact_start))::float8, 0) AS oldest
    FROM pg_stat_activity
    WHERE xact_start IS NOT NULL AND state IS DISTINCT FROM 'idle' AND pid <> pg_backend_pid()
        AND backend_type IS DISTINCT FROM 'autovacuum worker'"""


def read(session: Session) -> Payload:
    if not session.monitors:
        raise Denied("read pg_stat_activity: our role may not see other sessions: GRANT pg_monitor TO it")
    statements = (
        ("databases", DATABASES),
        ("sessions", SESSIONS),
        ("transactions", TRANSACTIONS),
    )
    return {name: ask(session, statement) for name, statement in statements}


def parse(payload: Payload) -> Iterator[Sample]:
    databases = {label(row, "datname") for row in rows_of(payload, "databases")}
    found = set()
    for row in rows_of(payload, "sessions"):
        own = labels(row, LABELS)
        if own[0] in databases and own[1] in STATES:
            found.add(own[:2])
            yield COUNT(number(row.get("sessions")) or 0, *own)
            yield LONGEST(number(row.get("longest")) or 0, *own)
    for datname in sorted(databases):
        for state in STATES:
            if (datname, state) not in found:
                yield COUNT(0, datname, state, "", "", "", "", "")
                yield LONGEST(0, datname, state, "", "", "", "", "")
    for row in rows_of(payload, "transactions")[:1]:
        yield from samples(row, {"transactions": (LONG, 1), "oldest": (OLDEST, 1)})


PART = Part("activity", (COUNT, LONGEST, LONG, OLDEST), read, parse)
