"""The same item of a queue, claimed again and again: its worker fails, and the item is freed for the next run.

Each claim writes a new time until which the item is held, which is what tells it. Claims between two looks count once.
Source: https://api.drupal.org/api/drupal/core%21lib%21Drupal%21Core%21Queue%21DatabaseQueue.php/11
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

from collectors.drupal.looking import seldom
from collectors.drupal.queues import BATCH, BOUND, MOST
from collectors.drupal.site import Site
from collectors.model import Event, Gauge, Sample, State

MOST_ITEMS = 200
"""Claimed items that are followed, the oldest first."""
MANY = 5
"""Claims of one item after which it is told as an event."""
CLAIMS = Gauge(
    "drupal_queue_most_claims", "Claims of the item that was claimed most often, of those still in the queue.",
    ("queue",), bounds=BOUND,
)  # fmt: skip
FAMILIES = (CLAIMS,)


class Cursor(TypedDict):
    looked: float
    """When; Unix seconds."""
    items: list[int]
    """What is followed, claimed or free again."""


def look(site: Site, name: str, cursor: Cursor | None, now: float) -> tuple[dict[str, Any], Cursor]:
    """Absent where queues are not in the database."""
    site.only_in_database("queue")
    columns = "SELECT item_id, name, expire FROM {queue}"
    held = site.tables.rows(
        f"{columns} WHERE expire > 0 AND name NOT LIKE %s ORDER BY item_id LIMIT {MOST_ITEMS}", (f"{BATCH}%",)
    )
    rows = {int(row[0]): row for row in held}
    if gone := [item for item in (cursor["items"] if cursor else ()) if item not in rows]:
        marks = ", ".join(["%s"] * len(gone))
        rows |= {int(row[0]): row for row in site.tables.rows(f"{columns} WHERE item_id IN ({marks})", gone)}
    followed = sorted(rows)[:MOST_ITEMS]
    items = [[item, str(rows[item][1]), int(rows[item][2])] for item in followed]
    return {"now": now, "site": name, "items": items}, Cursor(looked=now, items=followed)


read = seldom("claims", look)


def step(state: State, payload: dict[str, Any]) -> tuple[State, Sequence[Event]]:
    """State: item -> its queue, until when it was held last, its claims. What is done or deleted falls out."""
    after, events = {}, []
    for item, queue, expire in payload["items"]:
        _, before, claims = state.get(str(item), (queue, 0, 0))
        claimed = bool(expire) and expire != before
        after[str(item)] = (queue, expire or before, claims + claimed)
        if claimed and claims + 1 == MANY:
            events.append(_event(payload, item, queue))
    return after, events


def _event(payload: dict[str, Any], item: int, queue: str) -> Event:
    site, now = payload["site"], payload["now"]
    title = f"An item of the queue {queue} was claimed {MANY} times and never finished: its worker fails"
    return Event(
        id=f"drupal.queue_item:{site}:{queue}:{item}", kind="drupal.queue_item", severity="info", host="", site=site,
        first=now, last=now, count=1, title=title[:200], evidence=({"queue": queue, "item": str(item)},),
        dedup_key=f"{site}:{queue}", source="drupal",
    )  # fmt: skip


def samples(state: State) -> Iterable[Sample]:
    highest: dict[str, int] = {}
    for queue, _, claims in state.values():
        highest[queue] = max(highest.get(queue, 0), claims)
    for queue, claims in sorted(highest.items(), key=lambda each: (-each[1], each[0]))[:MOST]:
        yield CLAIMS(claims, queue)
