"""What every page stands in: navigation with its counts, the host, how fresh the data is, the shown time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from alerts.model import Alert
from dashboard import incident_cards, trouble
from dashboard.marks import STATES
from dashboard.moments import Zone, ago, iso, span
from dashboard.services import Services
from dashboard.timerange import PRESETS, TimeRange, axis
from dashboard.units import SCALES
from history.model import QueryError, Source, Vector

NEWEST = "max(timestamp(up))"
NEWEST_OF_A_DAY = "max(max_over_time(timestamp(up)[1d:1m]))"
STALE_TICKS = 3
STALE_SECONDS = 15.0  # at the least: a tick may close 2 s after it was due

PAGES = (("Overview", "/", "overview", "o"), ("Trends", "/trends", "trends", "r"),
         ("Drupal", "/drupal", "drupal", "d"), ("Slowest", "/slowest", "slowest", "s"),
         ("Security", "/security", "security", "e"), ("SLOs", "/slo", "slo", "b"),
         ("Host", "/host", "host", "h"), ("Incidents", "/incidents", "incidents", "i"),
         ("Alerts", "/alerts", "alerts", "a"), ("Targets", "/targets", "targets", "t"),
         ("Checks", "/checks", "checks", "c"), ("Boards", "/boards", "boards", "p"),
         ("Explore", "/explore", "explore", "x"), ("Settings", "/settings", "settings", ","))  # fmt: skip


@dataclass(frozen=True)
class View:
    """One look at a page: when, in which zone, at which span, how finely."""

    now: float  # Unix seconds
    zone: Zone
    shown: TimeRange
    columns: int
    problem: str = ""
    """What was wrong with the span that was asked for."""
    kept: tuple[tuple[str, str], ...] = ()
    """Parameters of the page's own, which another span keeps."""

    def tick(self, interval: float) -> float:
        """The newest that can be there, so that all who look within one tick ask the same."""
        return self.now - self.now % interval


@dataclass(frozen=True)
class NavItem:
    name: str
    path: str
    icon: str
    key: str
    """After `g` on the keyboard."""
    current: bool
    count: int
    look: str
    """Of the count: crit, warn, none."""


@dataclass(frozen=True)
class Preset:
    name: str
    from_: str
    current: bool


@dataclass(frozen=True)
class Shell:
    page: str
    title: str
    host: str
    central: bool
    """These pages are of other hosts than the one that they come from."""
    version: str
    nav: tuple[NavItem, ...]
    freshness: Literal["live", "stale", "starting", "past", "unreachable"]
    unreachable: str
    """Why the history does not answer; "" when it does."""
    last_sample: float | None  # Unix seconds; None: nothing was measured in the last day
    now: float  # Unix seconds
    interval: float  # seconds between ticks
    zone_offset: int  # seconds east of UTC
    zone_name: str
    start: float  # Unix seconds
    end: float  # Unix seconds
    from_: str
    to: str
    live: bool
    """The span ends now."""
    absolute_from: str
    absolute_to: str
    presets: tuple[Preset, ...]
    kept: tuple[tuple[str, str], ...]
    """Parameters of the page's own, which another span keeps."""
    ticks: tuple[tuple[float, str], ...]
    """Of the time axis of every chart: Unix seconds and what is written there."""
    problem: str
    scales: dict[str, tuple[tuple[float, str], ...]]
    """How the browser writes numbers: unit -> (factor, suffix), as units.py does."""

    @property
    def status(self) -> str:
        """In the bar beside the title."""
        if self.freshness == "live":
            return "Live"
        if self.freshness == "starting":
            return "Starting"
        if self.freshness == "past":
            return "Past"
        if self.freshness == "unreachable":
            return "History unreachable"
        return f"Last sample {ago(self.now - self.last_sample)}" if self.last_sample else "No samples"

    @property
    def silent(self) -> str:
        """Why it is no good news that nothing is told of now; "" where samples come."""
        if self.unreachable:
            return "The history does not answer."
        if self.freshness == "starting":
            return "The first values are here in a few seconds."
        if self.freshness != "stale":
            return ""
        if self.last_sample is None:
            return "Nothing has been measured in the last day."
        return f"Nothing has been measured for {span(self.now - self.last_sample)}."


def shell(services: Services, view: View, page: str) -> Shell:
    last, unreachable = last_sample(services.source, view.now)
    firing = [alert for alert in services.alerting.alerts() if alert.state == "firing" and alert.severity in STATES]
    shown = view.shown
    return Shell(
        page=page,
        title=f"{_attention(firing)}{page} · {services.host}",
        host=services.host,
        central=services.central,
        version=services.version,
        nav=tuple(_nav(services, page, firing)),
        freshness="unreachable" if unreachable else freshness(services, view, last),
        unreachable=unreachable,
        last_sample=last,
        now=view.now,
        interval=services.interval,
        zone_offset=view.zone.offset,
        zone_name=view.zone.label,
        start=shown.start,
        end=shown.end,
        from_=shown.from_,
        to=shown.to,
        live=shown.live,
        absolute_from=iso(shown.start),
        absolute_to=iso(shown.end),
        presets=tuple(Preset(name, from_, shown.live and shown.from_ == from_) for name, from_ in PRESETS),
        kept=view.kept,
        ticks=tuple(axis(shown.start, shown.end, view.zone)),
        problem=view.problem,
        scales={str(unit): scales for unit, scales in SCALES.items()},
    )


def _attention(firing: Sequence[Alert]) -> str:
    if not firing:
        return ""
    return f"{len(firing)} {'needs' if len(firing) == 1 else 'need'} you · "


def _nav(services: Services, page: str, firing: Sequence[Alert]) -> list[NavItem]:
    statuses = services.watched.targets()
    looks = [trouble.state(status) for status in statuses if trouble.failing(status)]
    opened = incident_cards.read(services.desk, open_only=True)
    counts = {
        "Incidents": (len(opened), "crit" if any(each.severity == "critical" for each in opened) else "warn"),
        "Alerts": (len(firing), "crit" if any(alert.severity == "critical" for alert in firing) else "warn"),
        "Targets": (len(looks), "crit" if "crit" in looks else "warn"),
    }
    return [NavItem(*item, item[0] == page, *counts.get(item[0], (0, ""))) for item in PAGES]


def freshness(services: Services, view: View, last: float | None) -> Literal["live", "stale", "starting", "past"]:
    """Stale says more than past: what is shown of the past ends where samples end."""
    patience = max(STALE_TICKS * services.interval, STALE_SECONDS)
    if last is None and view.now - services.started < patience:
        return "starting"
    if last is None or view.now - last > patience:
        return "stale"
    return "live" if view.shown.live else "past"


def last_sample(source: Source, now: float) -> tuple[float | None, str]:
    """Of anything, within a day; and why the history does not answer, if it does not."""
    for expr in (NEWEST, NEWEST_OF_A_DAY):
        try:
            found = source.query(expr, now)
        except QueryError as error:
            text = str(error)
            return None, text[:1].upper() + text[1:]
        if isinstance(found, Vector) and found.points:
            return found.points[0].value, ""
    return None, ""
