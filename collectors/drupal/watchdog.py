"""The log that Drupal keeps in its table `watchdog`, read on by its primary key: it has no index by time.

Source: https://api.drupal.org/api/drupal/core%21modules%21dblog%21src%21Logger%21DbLog.php/11
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

from collectors.drupal import messages
from collectors.drupal.looking import seldom
from collectors.drupal.site import Site
from collectors.drupal.tables import MissingTable
from collectors.errors import Absent
from collectors.model import Counter, Event, Gauge, Sample, Severity, State

FIRST_ROWS = 500
MOST_ROWS = 5000
MOST_ERRORS = 200
"""Rows of one look that become events; all are counted."""
MOST_BYTES = 65_536
"""Of a row's message and of its variables."""
TYPES = 20
WORST = 3
"""The least severity of an event: error."""
SEVERITIES = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")

TOTAL = Counter(
    "drupal_watchdog_total", "Messages in the site's log, by type and severity.", ("type", "severity"),
    bounds={"type": TYPES + 1},
)  # fmt: skip
ERRORS = Counter(
    "drupal_watchdog_errors_total", "Messages of severity error or worse, of all types: there before the first one."
)
LOST = Counter("drupal_watchdog_lost_total", "Messages that the site deleted before they were read.")
MODULES = 30
"""Modules whose time at cron is told, the dearest first."""
CRON = Gauge(
    "drupal_cron_module_seconds",
    "How long a module's part of the last cron run took, where the site logs it (system.cron: logging).",
    ("module",), bounds={"module": 2 * MODULES},
)  # fmt: skip
FAMILIES = (TOTAL, ERRORS, LOST, CRON)
COUNT = re.compile(r"[0-7] ")
TOOK = "took:"
"""Before a module's name: the key of its time in the state."""
MILLISECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)ms")


class Cursor(TypedDict):
    wid: int
    """Of the newest row that was read."""
    made: int
    """Its time: another one means that the table was emptied and filled anew."""
    looked: float
    """When; Unix seconds."""


def look(site: Site, name: str, cursor: Cursor | None, now: float) -> tuple[dict[str, Any] | None, Cursor | None]:
    """Absent where the site does not log to its database."""
    rows = site.tables.rows
    try:
        ((oldest, newest),) = site.tables.rows_of_existing("SELECT MIN(wid), MAX(wid) FROM {watchdog}")
    except MissingTable as error:
        raise Absent("there is no table watchdog: the site logs elsewhere") from error
    if newest is None:
        return None, Cursor(wid=0, made=0, looked=now) if cursor is None else Cursor(**{**cursor, "looked": now})
    start = _start(site, cursor, int(newest))
    end = min(int(newest), max(start, int(oldest) - 1) + MOST_ROWS)
    if end <= start:
        return None, Cursor(**{**cursor, "looked": now}) if cursor else None
    lost = max(0, int(oldest) - 1 - start) if cursor and start == cursor["wid"] else 0
    between = "FROM {watchdog} WHERE wid > %s AND wid <= %s"
    found = {
        "site": name,
        "new": cursor is not None,
        "lost": lost,
        "counts": rows(f"SELECT type, severity, COUNT(*) {between} GROUP BY type, severity", (start, end)),
        "errors": rows(
            f"SELECT wid, type, severity, timestamp, location, hostname, SUBSTR(message, 1, {MOST_BYTES}),"
            f" SUBSTR(variables, 1, {MOST_BYTES}) {between} AND severity <= %s ORDER BY wid LIMIT {MOST_ERRORS}",
            (start, end, WORST), blobs=(7,),
        ) if cursor is not None else [],
    }  # fmt: skip
    found["cron"] = rows(
        f"SELECT SUBSTR(variables, 1, {MOST_BYTES}) {between} AND type = 'cron' AND message LIKE %s ORDER BY wid",
        (start, end, "%execution of @module_previous_cron() took @time.%"), blobs=(0,),
    )  # fmt: skip
    made = rows("SELECT timestamp FROM {watchdog} WHERE wid = %s", (end,))
    at_end = end == newest
    return found, Cursor(wid=end, made=int(made[0][0]) if made else 0, looked=now if at_end else 0.0)


read = seldom("watchdog", look)


def _start(site: Site, cursor: Cursor | None, newest: int) -> int:
    if cursor is None:
        return max(0, newest - FIRST_ROWS)
    if newest < cursor["wid"]:
        return 0
    made = site.tables.rows("SELECT timestamp FROM {watchdog} WHERE wid = %s", (cursor["wid"],))
    return 0 if made and cursor["made"] and int(made[0][0]) != cursor["made"] else cursor["wid"]


def step(state: State, payload: dict[str, Any]) -> tuple[State, Sequence[Event]]:
    after = dict(state)
    after["lost"] = after.get("lost", 0) + payload["lost"]
    types = {key.partition(" ")[2] for key in after if COUNT.match(key)}
    for kind, severity, count in payload["counts"]:
        name = kind if kind in types or len(types) < TYPES else "other"
        types.add(name)
        key = f"{severity} {name}"
        after[key] = after.get(key, 0) + count
    if rows := payload.get("cron"):
        took = {key: value for key, value in after.items() if key.startswith(TOOK)} | dict(_took(rows))
        after = {key: value for key, value in after.items() if not key.startswith(TOOK)}
        after |= dict(sorted(took.items(), key=lambda each: -each[1])[:MODULES])
    return after, _events(payload)


def _took(rows: Sequence[Sequence[str]]) -> Iterable[tuple[str, float]]:
    for (serialized,) in rows:
        values = messages.variables(serialized.encode("latin-1", errors="replace"))
        module, time = values.get("@module_previous", ""), MILLISECONDS.fullmatch(values.get("@time", ""))
        if time and re.fullmatch(r"\w{1,100}", module):
            yield f"{TOOK}{module}", float(time[1]) / 1000


def samples(state: State) -> Iterable[Sample]:
    """A type that was seen, and PHP's, has a series of errors before its first error, which would be no rise else."""
    errors = 0.0
    for kind in sorted({"php", *(key.partition(" ")[2] for key in state if COUNT.match(key))}):
        if f"{WORST} {kind}" not in state:
            yield TOTAL(0, kind, SEVERITIES[WORST])
    for key, value in state.items():
        if COUNT.match(key):
            severity, _, kind = key.partition(" ")
            yield TOTAL(value, kind, SEVERITIES[int(severity)])
            errors += value if int(severity) <= WORST else 0
        elif key.startswith(TOOK):
            yield CRON(value, key.removeprefix(TOOK))
    yield ERRORS(errors)
    yield LOST(state.get("lost", 0))


def _events(payload: dict[str, Any]) -> list[Event]:
    """One for each thing that went wrong in the same way at the same place."""
    groups: dict[str, list[tuple[list[Any], dict[str, str]]]] = {}
    for row in payload["errors"]:
        values = messages.variables(row[7].encode("latin-1", errors="replace") if row[7] else b"N;")
        groups.setdefault(messages.group(row[1], row[6] or "", values), []).append((row, values))
    return [_event(payload["site"], key, rows) for key, rows in groups.items()]


def _event(site: str, key: str, rows: list[tuple[list[Any], dict[str, str]]]) -> Event:
    (wid, kind, _, made, _, _, template, _), values = rows[0]
    worst = min(int(row[2]) for row, _ in rows)
    severity: Severity = "warning" if worst < WORST else "info"
    evidence = tuple(
        {
            "message": messages.shown(row[6] or "", each),
            "path": messages.path_of(row[4] or ""),
            "network": messages.network(row[5] or ""),
            "wid": str(row[0]),
        }
        for row, each in rows[:5]
    )
    return Event(
        id=f"drupal.error:{site}:{wid}:{made}:{key}", kind="drupal.error", severity=severity, host="", site=site,
        first=float(min(row[3] for row, _ in rows)), last=float(max(row[3] for row, _ in rows)), count=len(rows),
        title=f"{kind}: {messages.shown(template or '', values)}"[:200], evidence=evidence,
        dedup_key=f"{site}:{key}", state="closed" if severity == "info" else "open", source="drupal",
    )  # fmt: skip
