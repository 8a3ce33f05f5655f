"""How each browser wants the pages: theme, time zone, single-key shortcuts. Kept in its cookies."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from dashboard.moments import Zone, zone_of_host

THEMES = ("dark", "light")
SITE, UTC = "site", "UTC"
YEAR = 365 * 86400


@dataclass(frozen=True)
class Look:
    theme: str
    """dark or light; "" for the browser's own."""
    zone: str
    """site, UTC, or the name of the browser's zone, such as Europe/Berlin."""
    keys: bool
    """Whether single keys do something."""


def look(cookies: Mapping[str, str]) -> Look:
    """What is not understood is as if it was not there."""
    theme, zone = cookies.get("theme", ""), cookies.get("zone", SITE)
    known = zone == UTC or _named(zone) is not None
    return Look(theme if theme in THEMES else "", zone if known else SITE, cookies.get("keys") != "off")


def zone(cookies: Mapping[str, str], t: float) -> Zone:
    """In which times are shown; the host's unless another one is chosen."""
    chosen = look(cookies).zone
    if chosen == UTC:
        return Zone(0, UTC)
    named = _named(chosen)
    if named is None:
        return zone_of_host(t)
    there = datetime.fromtimestamp(t, named)
    offset = there.utcoffset()
    return Zone(int(offset.total_seconds()) if offset else 0, there.tzname() or chosen)


def _named(name: str) -> ZoneInfo | None:
    if "/" not in name:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # no zone, a path out of the folder, a folder
        return None
