"""What a large site's database works for Raingauge: a million rows of log, a minute of polling on MariaDB."""

import re
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import Figure
from collectors.config import Secret
from collectors.drupal import COLLECTOR
from collectors.drupal.config import Drupal
from collectors.errors import Absent
from collectors.sources.looking import LOOK_SECONDS
from tests.lab import drupal
from tests.lab.lab import Lab
from tests.lab.servers import MariaDb

TITLE = "drupal"
ROWS, QUICK_ROWS = 1_000_000, 100_000
NEW_ROWS = 1000
"""In the log, between two looks."""
STATEMENT = re.compile(r"^# User@Host: lab\[.*?^# Query_time: ([\d.]+)", re.MULTILINE | re.DOTALL)
KINDS = "ELT(1 + seq % 5, 'user', 'php', 'page not found', 'cron', 'access denied')"
LOG = (
    "INSERT INTO watchdog (uid, type, message, variables, severity, link, location, referer, hostname, timestamp)"
    f" SELECT seq % 50, {KINDS}, REPEAT('m', 60), REPEAT('v', 400), 3 + seq % 4, '', 'https://shop.test/cart', '',"
    " '198.51.100.1', {now} + seq FROM seq_1_to_{rows}"
)
FILLED = {
    "sessions": "seq % 1000, MD5(seq), '198.51.100.2', {now} - seq, REPEAT('s', 200)",
    "node_field_data": "10 + seq, ELT(1 + seq % 3, 'page', 'article', 'news'), 1, {now} - seq, 1",
    "queue": "10 + seq, ELT(1 + seq % 3, 'mailer', 'search', 'feeds'), 'x', IF(seq % 100, 0, {now}), {now}",
    "cache_render": "MD5(seq), REPEAT('c', 2000), -1",
}
"""Table -> a row of it."""
INDEXES = (
    "watchdog (type)", "watchdog (uid)", "watchdog (severity)", "sessions (timestamp)", "sessions (uid)",
    "queue (name, created)", "queue (expire)", "flood (event, identifier, timestamp)", "flood (expiration)",
    "node_field_data (status, type, nid)", "node_field_data (changed)", "node_field_data (type)",
    "file_managed (status)", "users_field_data (access)", "users_field_data (created)",
)  # fmt: skip
"""As Drupal's own tables have them."""


@dataclass(frozen=True)
class Read:
    part: str
    interval: float
    times: tuple[float, ...]
    """Seconds of each statement."""

    @property
    def per_minute(self) -> float:
        return sum(self.times) * 60 / self.interval


def measure(_lab: Lab, quick: bool) -> Iterable[Figure]:
    rows = QUICK_ROWS if quick else ROWS
    with tempfile.TemporaryDirectory(prefix="raingauge-bench-") as folder:
        log = Path(folder) / "slow.log"
        options = ("--slow-query-log=1", "--long-query-time=0", "--log-slow-filter=", f"--slow-query-log-file={log}",
                   "--innodb-buffer-pool-size=256M")  # fmt: skip
        with MariaDb(Path(folder) / "mariadb", options) as server:
            _fill(server, rows)
            found = _reads(server, log)
    how = (
        f"MariaDB's slow log with long_query_time=0, {rows:,} rows of log and {rows // 10:,} sessions, nodes and items"
    )
    for read in sorted(found, key=lambda each: -each.per_minute)[:3]:
        how_often = f"{how}; {len(read.times)} statements each {read.interval:.0f} s"
        yield Figure(f"{read.part}: database time", 1000 * read.per_minute, "ms a minute", how_often)
    slowest = max(found, key=lambda each: max(each.times, default=0.0))
    yield Figure("database time", 1000 * sum(each.per_minute for each in found), "ms a minute", f"{how}; all parts")
    yield Figure("slowest statement", 1000 * max(slowest.times), "ms", f"{how}; of the part {slowest.part}")


def _fill(server: MariaDb, rows: int) -> None:
    execute = drupal.mysql(server, "big")
    drupal.fill(execute, "mysql")
    for number, index in enumerate(INDEXES):
        table, _, columns = index.partition(" ")
        execute(f"CREATE INDEX i{number} ON {table} {columns}", ())
    filled = [f"INSERT INTO {table} SELECT {row} FROM seq_1_to_{rows // 10}" for table, row in FILLED.items()]
    for statement in (LOG.replace("{rows}", str(rows)), *filled):
        execute(statement.replace("{now}", str(int(time.time()))), ())
    server.sql("GRANT SELECT ON big.* TO lab@localhost; ANALYZE TABLE big.watchdog, big.sessions, big.queue")


def _reads(server: MariaDb, log: Path) -> list[Read]:
    """Each part and follower on a connection of its own, for the second time: the first look tells less."""
    config = Drupal(
        site="big", driver="mysql", database="big", socket=server.socket, user="lab", password=Secret("lab"),
        timeout=10.0,
    )  # fmt: skip
    first = {each.name: _quietly(each.read, config, None) for each in COLLECTOR.followers}
    server.sql("USE big;" + LOG.replace("{now}", str(int(time.time()))).replace("{rows}", str(NEW_ROWS)))
    found = []
    assert COLLECTOR.connect is not None
    for part in COLLECTOR.parts:
        before = log.stat().st_size
        with COLLECTOR.connect(config) as site:
            _quietly(part.read, site)
        found.append(Read(part.name, part.interval, _times(server, log, before)))
    for follower in COLLECTOR.followers:
        cursor = (first[follower.name] or (None, None))[1]
        again = {**cursor, "looked": 0.0} if cursor else None
        before = log.stat().st_size
        _quietly(follower.read, config, again)
        found.append(Read(follower.name, LOOK_SECONDS, _times(server, log, before)))
    return found


def _quietly(read: Callable[..., Any], *what: Any) -> Any:
    """Parts that need the site's code have nothing to read here."""
    try:
        return read(*what)
    except Absent:
        return None


def _times(server: MariaDb, log: Path, start: int) -> tuple[float, ...]:
    """Of our account's statements from there on."""
    server.sql("SELECT 'a line is written after its answer'")
    with log.open("rb") as file:
        file.seek(start)
        text = file.read().decode(errors="replace")
    return tuple(map(float, STATEMENT.findall(text)))
