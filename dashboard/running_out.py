"""What will run out, and on which day if it goes on as in the last hours: disks, tables, certificates, budgets."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dashboard import units
from dashboard.host_facts import REAL, points
from dashboard.moments import span
from dashboard.units import Unit
from history.model import Labels, Source

HORIZON = 90 * 86400.0
"""Seconds; what ends later is no news."""
SOON, VERY_SOON = 14 * 86400.0, 86400.0
LOOKED = "6h"
SETTLED = 3600.0
"""Seconds: what is known for less says nothing of what ends later than that."""
DATABASE_FOLDER = "/var/lib/mysql"
"""Where tables are, as packages have it: they grow into what is left of its file system."""
GROWTH = (
    "topk(1, ((drupal_table_bytes - drupal_table_bytes offset 6h) / 21600"
    " or (drupal_table_bytes - drupal_table_bytes offset 1h) / 3600) > 0)"
)
"""Bytes a second of the table that grows most: of its ends only, as sites have many tables."""
FILES: tuple[tuple[str, str, Unit], ...] = (("avail_bytes", "Disk", "bytes"), ("files_free", "Inodes of", "count"))


@dataclass(frozen=True)
class RunsOut:
    what: str
    how: str
    """How fast, and how much is left."""
    at: float  # Unix seconds
    state: str
    """crit within a day, warn within two weeks, else ok."""


def running_out(source: Source, now: float) -> tuple[RunsOut, ...]:
    """The first to end first."""
    found = [*_files(source, now), *_tables(source, now), *_certificates(source, now), *_budgets(source, now)]
    return tuple(sorted(found, key=lambda each: each.at))


def ends(what: str, how: str, at: float, now: float) -> RunsOut | None:
    """None for what ends too late to be told of."""
    left = at - now
    if left > HORIZON:
        return None
    return RunsOut(what, how, max(at, now), "crit" if left <= VERY_SOON else "warn" if left <= SOON else "ok")


def when_used_up(left: float, per_second: float, now: float) -> float | None:
    """Unix seconds at which nothing of it is left; None if it does not shrink."""
    return now + left / -per_second if per_second < 0 else None


def _files(source: Source, now: float) -> Iterator[RunsOut]:
    for series, name, unit in FILES:
        slopes = _by_place(source, f"deriv(node_filesystem_{series}{{{REAL}}}[{LOOKED}])", now)
        settled = _by_place(source, f"node_filesystem_{series}{{{REAL}}} offset {SETTLED:.0f}s", now)
        for place, left in _by_place(source, f"node_filesystem_{series}{{{REAL}}}", now).items():
            slope = slopes.get(place, 0.0)
            at = when_used_up(left, slope, now)
            if at is None or (place not in settled and at - now > SETTLED):
                continue
            how = f"{units.text(left, unit)} left, {units.text(-slope * 86400, unit)} less a day"
            if one := ends(f"{name} {place}", how, at, now):
                yield one


def _by_place(source: Source, expr: str, now: float) -> Mapping[str, float]:
    return {point.labels.get("mountpoint", ""): point.value for point in points(source, expr, now)}


def _tables(source: Source, now: float) -> Iterator[RunsOut]:
    """The table that grows most, into what is left for all of them."""
    growing = points(source, GROWTH, now)
    left = _by_place(source, f"node_filesystem_avail_bytes{{{REAL}}}", now)
    room = left.get(mount_of(left, DATABASE_FOLDER))
    for point in growing:
        if room is None or (at := when_used_up(room, -point.value, now)) is None:
            continue
        name = f"Room for the table {point.labels.get('table', '')} of {_site(point.labels)}"
        if one := ends(name, f"it grows {units.text(point.value * 86400, 'bytes')} a day", at, now):
            yield one


def mount_of(mounts: Iterable[str], folder: str) -> str:
    """The one that holds the folder."""
    inside = [mount for mount in mounts if folder == mount or folder.startswith(f"{mount.rstrip('/')}/")]
    return max(inside, key=len, default="")


def _site(labels: Labels) -> str:
    return labels.get("site") or labels.get("instance", "")


def _certificates(source: Source, now: float) -> Iterator[RunsOut]:
    for point in points(source, "min by (instance) (probe_ssl_earliest_cert_expiry)", now):
        if one := ends(
            f"Certificate of {point.labels.get('instance', '')}",
            f"valid for {span(point.value - now)}",
            point.value,
            now,
        ):
            yield one


def _budgets(source: Source, now: float) -> Iterator[RunsOut]:
    for point in points(source, "min by (slo) (slo_days_to_empty)", now):
        if one := ends(
            f"Error budget {point.labels.get('slo', '')}",
            "at the rate of the last hours",
            now + point.value * 86400,
            now,
        ):
            yield one
