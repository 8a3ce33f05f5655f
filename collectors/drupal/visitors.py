"""Sessions, and the entries by which Drupal slows down who tries passwords.

Source: https://api.drupal.org/api/drupal/core%21lib%21Drupal%21Core%21Flood%21DatabaseBackend.php/11
"""

from collections.abc import Iterable
from typing import Any

from collectors.drupal.site import Site
from collectors.model import Gauge, Sample

SECONDS = 900
ACTIVE = Gauge(
    "drupal_active_sessions", "Sessions with a request in the last 15 minutes, of users and of anonymous visitors.",
    ("kind",),
)  # fmt: skip
SESSIONS = Gauge("drupal_sessions", "Sessions that are stored, of users and of anonymous visitors.", ("kind",))
MOST = 12
BOUND = {"event": 2 * MOST}
FLOOD = Gauge("drupal_flood_entries", "Tries that still count against a limit.", ("event",), bounds=BOUND)
FLOODERS = Gauge("drupal_flood_identifiers", "Addresses or accounts with such tries.", ("event",), bounds=BOUND)
HIGHEST = Gauge("drupal_flood_highest_entries", "Most such tries of one address or account.", ("event",), bounds=BOUND)
EXPIRED = Gauge("drupal_flood_expired_entries", "Tries that no longer count; cron deletes them.")
ACTIVE_FAMILIES = (ACTIVE,)
SESSION_FAMILIES = (SESSIONS,)
FLOOD_FAMILIES = (FLOOD, FLOODERS, HIGHEST, EXPIRED)


def read_active(site: Site) -> list[list[Any]]:
    return site.tables.rows(
        "SELECT CASE WHEN uid > 0 THEN 'user' ELSE 'anonymous' END, COUNT(*) FROM {sessions} WHERE timestamp > %s"
        " GROUP BY CASE WHEN uid > 0 THEN 'user' ELSE 'anonymous' END",
        (int(site.now) - SECONDS,),
    )


def read_sessions(site: Site) -> list[list[Any]]:
    return site.tables.rows(
        "SELECT 'user', COUNT(*) FROM {sessions} WHERE uid > 0 UNION ALL"
        " SELECT 'anonymous', COUNT(*) FROM {sessions} WHERE uid = 0"
    )


def parse_active(rows: list[list[Any]]) -> Iterable[Sample]:
    found = dict(rows)
    return [ACTIVE(found.get(kind, 0), kind) for kind in ("user", "anonymous")]


def parse_sessions(rows: list[list[Any]]) -> Iterable[Sample]:
    found = dict(rows)
    return [SESSIONS(found.get(kind, 0), kind) for kind in ("user", "anonymous")]


def read_flood(site: Site) -> dict[str, Any]:
    """Absent where the entries are not in the database."""
    site.only_in_database("flood")
    now = int(site.now)
    return {
        "events": site.tables.rows(
            "SELECT event, SUM(n), COUNT(*), MAX(n) FROM"
            " (SELECT event, identifier, COUNT(*) AS n FROM {flood} WHERE expiration > %s"
            " GROUP BY event, identifier) AS f"
            " GROUP BY event ORDER BY 2 DESC LIMIT 100",
            (now,),
        ),
        "expired": site.tables.rows("SELECT COUNT(*) FROM {flood} WHERE expiration <= %s", (now,)),
    }


def parse_flood(payload: dict[str, Any]) -> Iterable[Sample]:
    for event, entries, identifiers, highest in payload["events"][:MOST]:
        yield FLOOD(entries, event)
        yield FLOODERS(identifiers, event)
        yield HIGHEST(highest, event)
    yield EXPIRED(sum(count for (count,) in payload["expired"]))
