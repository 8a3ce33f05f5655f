"""One entry of a log of authentications: syslog's two stamps, and the journal as JSON.

Source: https://www.rfc-editor.org/rfc/rfc3164#section-4.1 https://www.rfc-editor.org/rfc/rfc3339
https://systemd.io/JOURNAL_EXPORT_FORMATS/#journal-json-format
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

from collectors.errors import ParseError
from collectors.sources.jsontext import json_object

MOST_LINE = 8192
"""Characters; what is past them is dropped."""
DAY = 86400.0
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
OLD = re.compile(r"([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d) ")
NEW = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) ")
FROM = re.compile(r"\S{1,255} ([\w./-]{1,64})(?:\[(\d{1,10})\])?: ?(.*)")
REPEATED = re.compile(r"message repeated (\d{1,6}) times: \[ (.*)\]")


class Entry(NamedTuple):
    at: float
    """Unix seconds."""
    program: str
    pid: str
    message: str
    times: int = 1
    uid: str = ""
    """Of who wrote it, as the kernel says; "" in files, which do not tell."""


def entry(line: str, now: float, zone: float) -> Entry | None:
    """None: it is none. `now` gives the year of a stamp that has none, `zone` is the host's, seconds east of UTC."""
    line = line[:MOST_LINE]
    if line.startswith("{"):
        return _of_journal(line, now)
    stamp = OLD.match(line) or NEW.match(line)
    found = FROM.match(line, stamp.end()) if stamp else None
    if stamp is None or found is None:
        return None
    at = _new(stamp[1]) if stamp.re is NEW else _old(stamp, now, zone)
    return None if at is None else _repeated(Entry(_past(at, now), found[1], found[2] or "", found[3].rstrip()))


def _repeated(each: Entry) -> Entry:
    if found := REPEATED.fullmatch(each.message):
        return each._replace(message=found[2], times=int(found[1]))
    return each


def _past(at: float, now: float) -> float:
    """A stamp far in the future would hold its place for ever."""
    return at if at <= now + DAY else now


def _new(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def _old(stamp: re.Match[str], now: float, zone: float) -> float | None:
    """The last such moment that is not in the future."""
    if stamp[1] not in MONTHS:
        return None
    try:
        here = timezone(timedelta(seconds=zone))
        year = datetime.fromtimestamp(now, UTC).year
        numbers = (MONTHS.index(stamp[1]) + 1, *(int(stamp[group]) for group in (2, 3, 4, 5)))
        for each in (year + 1, year, year - 1):
            if (at := _moment(each, numbers, here)) is not None and at <= now + DAY:
                return at
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _moment(year: int, numbers: tuple[int, ...], zone: timezone) -> float | None:
    month, day, hour, minute, second = numbers
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone).timestamp()
    except ValueError:  # the 29th of February of another year
        return None


def _of_journal(line: str, now: float) -> Entry | None:
    try:
        found = json_object(line, "an entry of the journal")
    except ParseError:
        return None
    message = found.get("MESSAGE")
    if isinstance(message, list):  # bytes that are no text
        message = bytes(each for each in message if isinstance(each, int) and 0 <= each < 256).decode(errors="replace")
    program = found.get("SYSLOG_IDENTIFIER") or found.get("_COMM")
    if not isinstance(message, str) or not isinstance(program, str):
        return None
    micros = str(found.get("__REALTIME_TIMESTAMP", ""))
    at = int(micros) / 1e6 if micros.isascii() and micros.isdecimal() and len(micros) < 18 else now
    pid = str(found.get("_PID") or found.get("SYSLOG_PID") or "")
    return _repeated(
        Entry(_past(at, now), program, pid[:10], message.partition("\n")[0], uid=str(found.get("_UID", ""))[:10])
    )
