"""PHP's errors, counted and told: from PHP's error_log, from PHP-FPM's log, or from nginx's or Apache's error log.

Text comes in pieces of any size. An entry counts with its first line, so that a fatal error is not told only when the
next one comes; its other lines (stack traces, SQL) belong to it and add the place, where that is at their end.

Source: https://www.php.net/manual/en/errorfunc.configuration.php#ini.error-log
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from collectors.model import Counter, Event, Gauge, Sample, State
from collectors.phpfpm.php_messages import NAMES, Message, message, place_at_end

MOST_LINE = 8192
"""Characters; what is past them in a line is dropped, however the text was cut."""
MOST_MESSAGES = 200
TOLD = ("fatal", "exception", "warning")
"""Levels of which the first of a message is an event."""
ERRORS = Counter(
    "php_errors_total",
    "Errors in PHP's log: `fatal` (parse errors too), `exception` (that Drupal caught last), `warning`, `notice`, "
    "`deprecated`, `other`.",
    ("level",),
    bounds={"level": len(NAMES)},
)
MOST_PUBLISHED = 20
"""Messages with series of their own: of the levels TOLD those that came last."""
TIMES = Counter(
    "php_error_message_total",
    "How often this message came, without what changes from request to request; the 20 that came last.",
    ("level", "message"),
)
FIRST = Gauge("php_error_message_first_timestamp_seconds", "When this message came first.", TIMES.labels)
LAST = Gauge("php_error_message_last_timestamp_seconds", "When this message came last.", TIMES.labels)
FAMILIES = (ERRORS, TIMES, FIRST, LAST)

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
OF_PHP = re.compile(
    r"\[(?P<day>\d\d)-(?P<month>[A-Z][a-z]{2})-(?P<year>\d{4}) (?P<time>\d\d:\d\d:\d\d)(?:\.\d+)?"
    r"(?: (?P<zone>[\w/+:-]{1,40}))?\] (?P<said>.*)"
)
OF_FPM = re.compile(r"(?:NOTICE|WARNING|ERROR|ALERT|DEBUG): ")
OF_NGINX = re.compile(
    r"(?P<year>\d{4})/(?P<month>\d\d)/(?P<day>\d\d) (?P<time>\d\d:\d\d:\d\d) \[\w+\] \d+#\d+: (?P<said>.*)"
)
OF_APACHE = re.compile(
    r"\[\w{3} (?P<month>[A-Z][a-z]{2}) (?P<day>\d\d) (?P<time>\d\d:\d\d:\d\d)(?:\.\d+)? (?P<year>\d{4})\] (?P<said>.*)"
)
FORMATS = (("php", OF_PHP), ("server", OF_NGINX), ("server", OF_APACHE))
AHEAD = re.compile(r"^(?:\[[^\]]*\] )*")
SAID = "PHP message: "
CHILD = re.compile(r'(?:\[pool [^\]]*\] )?child \d+ said into std(?:err|out): "(?P<said>.*)"')
OF_CHILD = re.compile(r"(?:NOTICE: )?(?:PHP message: )(?P<said>.*)")
AFTER = re.compile(r"\" while (?:reading|connecting|sending|processing) |'?, referer: ")
"""Of nginx, and of Apache."""
KEY = "message:"


class Piece(TypedDict, total=False):
    """What collectors/sources/tail.py reads; only its text matters here."""

    text: str
    followed: bool
    """False: it was there before us, so that nothing in it is news."""


def step(state: State, piece: Piece) -> tuple[State, Sequence[Event]]:
    """The state after that text, which goes on where the last one ended."""
    first, *others = piece["text"].split("\n")
    *lines, rest = (line[:MOST_LINE] for line in (f"{state.get('rest', '')}{first}", *others))
    log = _Log(dict(state))
    for line in lines:
        log.line(line.rstrip("\r"))
    log.state["rest"] = rest
    return log.state, log.events if piece.get("followed", True) else []


def samples(state: State) -> Iterable[Sample]:
    for level in NAMES:
        yield ERRORS(state.get("counts", {}).get(level, 0), level)
    yield from _of_messages([value for key, value in state.items() if key.startswith(KEY)])


def _of_messages(kept: Iterable[dict[str, Any]]) -> Iterable[Sample]:
    """A message of several places is one. A log without times says neither first nor last."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for each in kept:
        if each["level"] in TOLD:
            groups.setdefault((each["level"], each["text"]), []).append(each)
    newest = sorted(groups, key=lambda labels: (-max(each["last"] for each in groups[labels]), labels))
    for labels in newest[:MOST_PUBLISHED]:
        yield TIMES(sum(each["count"] for each in groups[labels]), *labels)
        if first := min(each["first"] for each in groups[labels]):
            yield FIRST(first, *labels)
        if last := max(each["last"] for each in groups[labels]):
            yield LAST(last, *labels)


class _Log:
    """A copy of the state, changed by one line after the other."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.state["counts"] = dict(state.get("counts", {}))
        self.events: list[Event] = []

    def line(self, line: str) -> None:
        for source, pattern in FORMATS:
            if found := pattern.match(line):
                self.state["source"] = source
                self.state["at"] = _moment(found) or self.state.get("at", 0.0)
                self._begin(source, found["said"])
                return
        if self.state.get("source") == "server" and SAID in line:
            self._messages(line)
        else:
            self._go_on(line)

    def _begin(self, source: str, said: str) -> None:
        of_fpm = OF_FPM.match(said) if source == "php" else None
        if of_fpm:
            self._of_child(said[of_fpm.end() :])
            return
        self.state["open"] = ""
        if source == "php":
            self._take(said)
        elif SAID in said:
            self._messages(said)
        elif (own := AHEAD.sub("", said)).startswith("PHP "):
            self._take(_ended(own))

    def _of_child(self, said: str) -> None:
        """FPM says each line of a message on one of its own."""
        if not (child := CHILD.fullmatch(said)):
            self.state["open"] = ""
        elif found := OF_CHILD.fullmatch(child["said"]):
            self.state["open"] = ""
            self._take(found["said"])
        else:
            self._go_on(child["said"])

    def _go_on(self, line: str) -> None:
        """Another line of the message before."""
        key = self.state.get("open")
        if key and (place := place_at_end(_ended(line))):
            self.state[key] = {**self.state[key], "place": self.state[key]["place"] or place}
            self.state["open"] = ""

    def _messages(self, line: str) -> None:
        """Of a web server's line, which may hold several."""
        for part in line.split(SAID)[1:]:
            self._take(_ended(part.replace("\\n", "\n")))

    def _take(self, said: str) -> None:
        found = message(said)
        level = found.level if found else "other"
        self.state["counts"][level] = self.state["counts"].get(level, 0) + 1
        if found:
            self._remember(found)

    def _remember(self, found: Message) -> None:
        key = KEY + blake2b("\n".join(found).encode(errors="replace"), digest_size=8).hexdigest()
        at = self.state.get("at", 0.0)
        known = self.state.get(key)
        if known is None:
            self._make_room()
            known = {**found._asdict(), "count": 0, "first": at}
            if found.level in TOLD:
                self.events.append(_event(key, found, at))
        self.state[key] = {**known, "count": known["count"] + 1, "last": at}
        self.state["open"] = key

    def _make_room(self) -> None:
        """What was not seen for longest goes."""
        keys = [key for key in self.state if key.startswith(KEY)]
        if len(keys) >= MOST_MESSAGES:
            del self.state[min(keys, key=lambda each: (self.state[each]["last"], each))]


def _ended(said: str) -> str:
    """Without what a web server says after the message: request, address, referrer."""
    found = AFTER.search(said)
    return (said[: found.start()] if found else said).rstrip("; \t\"'")


def _event(key: str, found: Message, at: float) -> Event:
    evidence = {"level": found.level, "message": found.text, "place": found.place}
    return Event(
        f"php.error:{key.removeprefix(KEY)}:{at:.0f}", "php.error", "info", "", "", at, at, 1,
        f"New PHP {found.level}: {found.text}"[:250], (evidence,), dedup_key="php.error", source="php",
    )  # fmt: skip


def _moment(found: re.Match[str]) -> float | None:
    """Unix seconds. A log without a zone has the host's."""
    month = found["month"]
    number = int(month) if month.isdecimal() else MONTHS.index(month) + 1 if month in MONTHS else 0
    hour, minute, second = map(int, found["time"].split(":"))
    zone = found.groupdict().get("zone")
    try:
        moment = datetime(int(found["year"]), number, int(found["day"]), hour, minute, second, tzinfo=_zone(zone))
        return moment.timestamp()
    except (ValueError, OverflowError, OSError):
        return None


@lru_cache(maxsize=50)
def _zone(name: str | None) -> tzinfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return UTC
