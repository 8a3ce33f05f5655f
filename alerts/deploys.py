"""A deploy opens a short maintenance of its site: caches are cold then, and code changes. Seen and ended as any other.

It holds back warnings of how things run, never what is critical, and nothing of security.
"""

import logging

from sqlalchemy import Connection, select

from alerts import silences
from alerts.matchers import Matcher, Matchers
from alerts.silences import OPERATIONAL, Silence
from history.events import event_table

log = logging.getLogger("raingauge.alerts")

KINDS = ("deploy", "drupal.deploy")
AUTHOR = "deploy"


def open_maintenance(connection: Connection, now: float, seconds: float) -> None:
    """For each deploy of the last `seconds`, once: one that people ended early stays ended."""
    if not seconds:
        return
    column = event_table.c
    lately = column.kind.in_(KINDS) & (column.last > now - seconds) & (column.last <= now)
    events = connection.execute(select(event_table).where(lately).order_by(column.number)).all()
    known = {(each.matchers, each.comment) for each in _opened(connection, now - seconds)} if events else set()
    for event in events:
        ends = event.last + seconds
        for matchers in _matchers(event.host, event.site):
            comment = f"{event.title[: silences.MOST_TEXT - 40]} (at {event.last:.0f})"
            if (matchers, comment) in known:
                continue
            try:
                silences.begin(connection, Silence(matchers, now, ends, AUTHOR, comment, "maintenance"), now)
            except ValueError as error:
                log.warning("maintenance=not opened deploy=%s reason='%s'", event.id, error)


def _opened(connection: Connection, since: float) -> list[Silence]:
    found = silences.silences(connection, ends_after=since)
    return [each for each in found if each.kind == "maintenance" and each.author == AUTHOR]


def _matchers(host: str, site: str) -> list[Matchers]:
    """Of a site: what has its label, and what its Drupal itself says, whose instance it is."""
    warnings = (
        Matcher("host", "=", host),
        Matcher("severity", "=", "warning"),
        Matcher("class", "=~", "|".join(OPERATIONAL)),
    )
    if not site:
        return [warnings]
    of_site = (Matcher("site", "=", site),)
    of_drupal = (Matcher("job", "=", "drupal"), Matcher("instance", "=", site))
    return [(*warnings, *of_site), (*warnings, *of_drupal)]
