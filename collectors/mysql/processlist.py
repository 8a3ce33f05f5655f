"""What the server's threads do, ours left out: by command and state, by user, by client's host.

Source: https://mariadb.com/kb/en/information-schema-processlist-table/
"""

from collections import Counter as Sum
from collections.abc import Iterable
from contextlib import suppress

from collectors.errors import Unsupported
from collectors.model import Gauge, Sample
from collectors.mysql.connection import Session, table
from collectors.mysql.values import Table, number, word

BOUNDS = {"command": 50, "state": 100}
THREADS = Gauge(
    "mysql_info_schema_processlist_threads", "Threads, by command and state.", ("command", "state"), bounds=BOUNDS
)
SECONDS = Gauge(
    "mysql_info_schema_processlist_seconds",
    "Seconds that these threads have been in their state, added up.",
    ("command", "state"),
    bounds=BOUNDS,
)
USERS = Gauge(
    "mysql_info_schema_processlist_processes_by_user", "Threads, by account.", ("mysql_user",),
    bounds={"mysql_user": 50},
)  # fmt: skip
HOSTS = Gauge(
    "mysql_info_schema_processlist_processes_by_host", "Threads, by client's host.", ("client_host",),
    bounds={"client_host": 50},
)  # fmt: skip
LONGEST = Gauge(
    "sql_statement_longest_seconds", "How long the oldest of the running statements has run, by state.", ("state",),
    bounds={"state": 100},
)  # fmt: skip
FAMILIES = (THREADS, SECONDS, USERS, HOSTS, LONGEST)

RIGHT = "PROCESS ON *.*"
STATEMENT = """
SELECT user, SUBSTRING_INDEX(host, ':', 1) AS host, command, state,
       COUNT(*) AS threads, SUM(time) AS seconds, MAX(time) AS longest
FROM information_schema.processlist WHERE id <> CONNECTION_ID()
GROUP BY user, SUBSTRING_INDEX(host, ':', 1), command, state"""
REFUSED_WITHOUT_PROCESS = "SELECT page_size FROM information_schema.innodb_cmp LIMIT 1"
"""The list itself is not refused without PROCESS: it silently holds our own threads alone."""
RUNNING = ("query", "execute", "prepare", "fetch")
REPLACED = str.maketrans(dict.fromkeys(";,:.()", "") | dict.fromkeys(" -", "_"))


def read(session: Session) -> Table:
    require_process(session)
    return table(session, STATEMENT, RIGHT)


def require_process(session: Session) -> None:
    """Denied without PROCESS."""
    if "process" not in session.facts:
        with suppress(Unsupported):  # without InnoDB we cannot tell
            table(session, REFUSED_WITHOUT_PROCESS, RIGHT)
        session.facts["process"] = "granted"


def parse(rows: Table) -> Iterable[Sample]:
    threads: Sum[tuple[str, str]] = Sum()
    seconds: dict[tuple[str, str], float] = {}
    users: Sum[str] = Sum()
    hosts: Sum[str] = Sum()
    longest: dict[str, float] = {}
    for row in rows:
        count = int(number(row.get("threads")) or 0)
        key = state(word(row, "command")), state(word(row, "state"))
        threads[key] += count
        seconds[key] = seconds.get(key, 0) + (number(row.get("seconds")) or 0)
        users[word(row, "user")] += count
        hosts[word(row, "host") or "unknown"] += count
        if key[0] in RUNNING:
            longest[key[1]] = max(longest.get(key[1], 0), number(row.get("longest")) or 0)
    yield from (THREADS(count, *key) for key, count in threads.items())
    yield from (SECONDS(total, *key) for key, total in seconds.items())
    yield from (USERS(count, user) for user, count in users.items())
    yield from (HOSTS(count, host) for host, count in hosts.items())
    yield from (LONGEST(most, name) for name, most in longest.items())


def state(words: str) -> str:
    """As mysqld_exporter spells it: `waiting_for_table_metadata_lock`."""
    return (words or "unknown").lower().translate(REPLACED)
