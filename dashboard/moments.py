"""Times for people: in one named zone, in ISO order, 24 hours; spans in words."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Zone:
    """The zone in which a page shows its times; one offset for the whole page."""

    offset: int  # seconds east of UTC
    name: str

    @property
    def label(self) -> str:
        """`UTC`, `UTC+1 CET`, `UTC+5:30 IST`."""
        hours, minutes = divmod(abs(self.offset) // 60, 60)
        sign = "-" if self.offset < 0 else "+"
        plain = f"UTC{sign}{hours}" + (f":{minutes:02}" if minutes else "") if self.offset else "UTC"
        return plain if self.name in ("UTC", "GMT", "") or self.name.startswith(("+", "-")) else f"{plain} {self.name}"

    def at(self, t: float) -> datetime:
        """The wall clock's reading, marked as UTC so that nothing converts it again."""
        return datetime.fromtimestamp(t + self.offset, UTC)

    def hour(self, t: float) -> str:
        return self.at(t).strftime("%H:%M")

    def day(self, t: float) -> str:
        return self.at(t).strftime("%Y-%m-%d")

    def full(self, t: float) -> str:
        return self.at(t).strftime("%Y-%m-%d %H:%M:%S")

    def short(self, t: float, now: float) -> str:
        """`03:02`, with the date when that is not today's."""
        moment = self.at(t)
        return moment.strftime("%H:%M" if moment.date() == self.at(now).date() else "%m-%d %H:%M")


def zone_of_host(t: float) -> Zone:
    """Ours at that time."""
    local = time.localtime(t)
    return Zone(local.tm_gmtoff, local.tm_zone)


def iso(t: float) -> str:
    """For `<time datetime>` and links: UTC."""
    return datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(seconds: float) -> str:
    """`4 s`, `19 min`, `1 h 5 min`, `41 d 3 h`: two parts at most, and no zero."""
    whole = max(0, round(seconds))
    for size, name, smaller, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {name}" + (f" {rest} {small}" if rest and whole < 10 * size else "")
    return f"{whole // 60} min" if whole >= 60 else f"{whole} s"


def ago(seconds: float) -> str:
    return f"{span(seconds)} ago" if seconds >= 1 else "now"
