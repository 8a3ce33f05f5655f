"""Queues: how much waits, for how long, and what was taken and not finished.

Source: https://api.drupal.org/api/drupal/core%21lib%21Drupal%21Core%21Queue%21DatabaseQueue.php/11
"""

from collections.abc import Iterable
from typing import Any

from collectors.drupal.site import Site
from collectors.model import Gauge, Sample

MOST = 15
"""Queues that are told each by its name, those with the most items first; `other` is the rest."""
BOUND = {"queue": 2 * MOST}
ITEMS = Gauge("drupal_queue_items", "Items in the queue, claimed ones included.", ("queue",), bounds=BOUND)
CLAIMED = Gauge("drupal_queue_claimed_items", "Items that a worker has taken and holds.", ("queue",), bounds=BOUND)
LOST = Gauge(
    "drupal_queue_expired_items",
    "Items whose worker did not finish in time; cron gives them free again.",
    ("queue",),
    bounds=BOUND,
)
OLDEST = Gauge(
    "drupal_queue_oldest_item_timestamp_seconds", "When the oldest item was put in.", ("queue",), bounds=BOUND
)
BATCH = "drupal_batch:"
"""A batch is a queue of its own, whose name is used once."""
QUEUES = Gauge("drupal_queues", "Queues that hold items; a queue without any is not told.")
FAMILIES = (QUEUES, ITEMS, CLAIMED, LOST, OLDEST)

WAITING = "SELECT name, COUNT(*), MIN(created) FROM {queue} GROUP BY name ORDER BY 2 DESC LIMIT 200"
TAKEN = (
    "SELECT name, SUM(CASE WHEN expire >= %s THEN 1 ELSE 0 END), SUM(CASE WHEN expire < %s THEN 1 ELSE 0 END)"
    " FROM {queue} WHERE expire > 0 GROUP BY name"
)
"""Two statements, each of which one index answers alone: together they read every row."""


def read(site: Site) -> list[list[Any]]:
    """Absent where queues are not in the database."""
    site.only_in_database("queue")
    now = int(site.now)
    taken = {name: counts for name, *counts in site.tables.rows(TAKEN, (now, now))}
    return [
        [name, items, *taken.get(name, (0, 0)), oldest] for name, items, oldest in site.tables.rows(WAITING)
    ]  # fmt: skip


def parse(rows: list[list[Any]]) -> Iterable[Sample]:
    named = [row for row in rows if not row[0].startswith(BATCH)]
    yield QUEUES(len(named))
    for name, items, claimed, lost, oldest in named[:MOST]:
        yield ITEMS(items, name)
        yield CLAIMED(claimed, name)
        yield LOST(lost, name)
        if oldest:
            yield OLDEST(oldest, name)
    if rest := named[MOST:]:
        for family, column in ((ITEMS, 1), (CLAIMED, 2), (LOST, 3)):
            yield family(sum(row[column] for row in rest), "other")
