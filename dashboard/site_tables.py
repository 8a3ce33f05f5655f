"""The tables of a site's page: queues, errors, updates, users, sizes, requests, who asks."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dashboard import units
from dashboard.moments import span
from dashboard.sites import Reading

MOST_ROWS = 15
STATUSES = ("2xx", "3xx", "4xx", "5xx")
AGENTS = {"people": "people", "search": "search engines", "ai": "crawlers for AI", "monitor": "monitors",
          "scanner": "scanners", "bot": "other robots", "script": "scripts", "empty": "no user agent"}  # fmt: skip

Why = Callable[[str, str], str]
"""(part, what is said where it was read) -> why there is nothing."""


@dataclass(frozen=True)
class Line:
    name: str
    note: str
    share: float | None
    """0 to 1, for a bar; None for none."""
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    anchor: str
    title: str
    lead: str
    head: tuple[str, ...]
    lines: tuple[Line, ...]
    left_out: int
    missing: str
    """Why there is nothing; "" where there is something."""


def table(anchor: str, title: str, lead: str, head: tuple[str, ...], lines: Sequence[Line], missing: str) -> Table:  # noqa: PLR0917
    shown = tuple(lines[:MOST_ROWS])
    return Table(anchor, title, lead, head, shown, len(lines) - len(shown), "" if shown else missing)


def drupal_tables(site: Reading, why: Why) -> tuple[Table, ...]:
    return (_updates(site, why), _queues(site, why), _errors(site, why), _users(site, why),
            *(_sizes(site, why, *each) for each in SIZES))  # fmt: skip


def _updates(site: Reading, why: Why) -> Table:
    lines = []
    for point in site.found.get("drupal_project_status", ()):
        labels = point.labels
        status = labels.get("status", "").replace("_", " ")
        versions = (labels.get("installed", "") or "–", labels.get("recommended", "") or "–")
        lines.append(Line(labels.get("project", ""), labels.get("type", ""), None, (status, *versions)))
    lines.sort(key=lambda line: (line.cells[0] != "not secure", line.name))
    known = site.value("drupal_updates") is not None or site.value("drupal_security_updates_pending") is not None
    missing = (
        "Every project is current."
        if known
        else "Not known. Raingauge reads what the site's own module Update Manager found: drush pm:install update."
    )
    return table("updates", "Updates", "modules, themes and core that are behind", ("Project", "is", "installed",
                  "recommended"), lines, why("updates", missing))  # fmt: skip


def _queues(site: Reading, why: Why) -> Table:
    items = site.of("drupal_queue_items", "queue")
    claimed = site.of("drupal_queue_claimed_items", "queue")
    oldest = site.of("drupal_queue_oldest_item_timestamp_seconds", "queue")
    more = {point.labels.get("queue", ""): point.value for point in site.queued}
    lines = [
        Line(
            queue, "", None,
            (units.text(count, "count"), units.text(claimed.get(queue), "count"),
             span(max(0.0, site.now - oldest[queue])) if queue in oldest and count else "–", _drained(more.get(queue))),
        )
        for queue, count in sorted(items.items(), key=lambda each: -each[1])
    ]  # fmt: skip
    head = ("Queue", "items", "taken", "oldest", "in an hour")
    missing = why("queues", "The site has no queue with items.")
    return table("queues", "Queues", "what waits for cron or a worker", head, lines, missing)


def _drained(more: float | None) -> str:
    """What a queue gained or lost in an hour."""
    if more is None:
        return "–"
    count = units.text(float(round(abs(more))), "count")
    return f"{count} {'more' if more > 0 else 'less'}" if round(more) else "as many"


def _errors(site: Reading, why: Why) -> Table:
    found = sorted((p for p in site.logged if p.value >= 0.5), key=lambda point: -point.value)
    whole = math.fsum(point.value for point in found) or 1.0
    lines = [
        Line(
            point.labels.get("type", ""), point.labels.get("severity", ""), round(point.value / whole, 4),
            (units.text(float(round(point.value)), "count"),),
        )
        for point in found
    ]  # fmt: skip
    return table("errors", "Errors in the log", "last 24 h, by type", ("Type", "messages"), lines,
                  why("watchdog", "No error was logged in the last 24 h."))  # fmt: skip


def _users(site: Reading, why: Why) -> Table:
    found = [
        ("active accounts", site.value("drupal_users", state="active")),
        ("blocked accounts", site.value("drupal_users", state="blocked")),
        ("made in 24 h", site.value("drupal_users_new")),
        ("never used", site.value("drupal_users_never_active")),
        ("administrators", site.value("drupal_administrators")),
        ("signed in now", site.value("drupal_active_sessions", kind="user")),
    ]
    lines = [Line(name, "", None, (units.text(value, "count"),)) for name, value in found if value is not None]
    return table("users", "Users", "", ("Accounts", "number"), lines, why("users", "No account was counted."))


SIZES = (
    ("bins", "Cache bins", "tables of caches that are in the database", "bin", "drupal_cache_bin",
     "No cache is in the database: another backend keeps them."),
    ("tables", "Tables", "the largest", "table", "drupal_table", "The size of no table was read."),
)  # fmt: skip


def _sizes(  # noqa: PLR0917
    site: Reading, why: Why, anchor: str, title: str, lead: str, label: str, metric: str, nothing: str
) -> Table:
    sizes, rows = site.of(f"{metric}_bytes", label), site.of(f"{metric}_rows", label)
    whole = site.value("drupal_database_bytes") or math.fsum(sizes.values()) or 1.0
    lines = [
        Line(name, "", round(min(1.0, size / whole), 4), (units.text(size, "bytes"),
             units.text(float(round(rows[name])) if name in rows else None, "count")))
        for name, size in sorted(sizes.items(), key=lambda each: -each[1])
    ]  # fmt: skip
    return table(anchor, title, lead, (label.capitalize(), "size", "rows"), lines, why("sizes", nothing))


def request_table(classes: Sequence[tuple[str, Mapping[str, float]]], missing: str) -> Table:
    whole = math.fsum(value for _, found in classes for value in found.values()) or 1.0
    lines = [
        Line(
            name, "", round(math.fsum(found.values()) / whole, 4),
            tuple(units.text(float(round(found.get(status, 0.0))), "count") for status in STATUSES),
        )
        for name, found in classes
    ]  # fmt: skip
    lead = "classes of Drupal's routes, by status"
    return table("requests", "Requests", lead, ("Class", *STATUSES), lines, missing)


def agent_table(agents: Mapping[str, float], missing: str) -> Table:
    whole = math.fsum(agents.values()) or 1.0
    lines = [
        Line(AGENTS.get(name, name), "", round(count / whole, 4), (units.text(float(round(count)), "count"),
             units.text(count / whole, "ratio")))
        for name, count in sorted(agents.items(), key=lambda each: -each[1])
    ]  # fmt: skip
    lead = "by what they say they are"
    return table("agents", "Who asks", lead, ("Agent", "requests", "share"), lines, missing)
