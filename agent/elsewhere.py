"""Targets that another process reads, as their series tell: dashboard.services.Watched without anything of our own."""

import re
import threading
import time
from collections.abc import Callable, Sequence

from agent.collecting import Collecting
from agent.ingest.pulling import Pulling
from agent.ingest.scraping import Scraping
from collectors.model import Finding, PartStatus, Target, TargetStatus
from dashboard.costs import quoted
from history.model import Labels, QueryError, Source, Vector

REMEDY = "raingauge discover"
"""To be asked where it is read: there it says what would allow it."""
KEPT_SECONDS = 5.0
"""Pages ask several times for each request."""
PART_SERIES = ("interval_seconds", "up", "duration_seconds", "last_success_timestamp_seconds")
REASONS = "increase(raingauge_part_failures_total{{host=~{}}}[5m]) > 0"

Key = tuple[str, str, str, str]
"""job, instance, host and part."""


class Elsewhere:
    def __init__(self, source: Source, host: str, clock: Callable[[], float] = time.time) -> None:
        """`host`: as this process calls itself."""
        self._host = host
        self._source = source
        self._clock = clock
        self._lock = threading.Lock()
        self._asked = 0.0
        self._known: tuple[TargetStatus, ...] = ()

    def targets(self) -> Sequence[TargetStatus]:
        with self._lock:
            now = self._clock()
            if not 0 <= now - self._asked < KEPT_SECONDS:
                self._known, self._asked = self._read(now), now
            return self._known

    def findings(self) -> Sequence[Finding]:
        return ()

    def blind(self) -> Sequence[str]:
        return ("these pages only show what another process collects",)

    def _read(self, now: float) -> tuple[TargetStatus, ...]:
        parts: dict[Key, dict[str, float]] = {}
        for name in PART_SERIES:
            for key, _, value in self._points(f"raingauge_part_{name}", now):
                parts.setdefault(key, {})[name] = value
        failing = {key for key, of in parts.items() if of.get("up") == 0}
        reasons = self._reasons(failing, now) if failing else {}
        found: dict[tuple[str, str, str], list[PartStatus]] = {}
        for key, of in sorted(parts.items()):
            found.setdefault(key[:3], []).append(_part(key[3], of, reasons.get(key, "failed")))
        return tuple(self._status(Target(*target), those) for target, those in found.items())

    def _status(self, target: Target, parts: Sequence[PartStatus]) -> TargetStatus:
        slug = re.sub(r"[^A-Za-z0-9.-]", "_", f"{target.job}-{target.instance}-{target.host}")
        elsewhere = target.host != self._host
        return TargetStatus(target, slug, target.job, f"Raingauge on {target.host}", tuple(parts), REMEDY, elsewhere)

    def _reasons(self, failing: set[Key], now: float) -> dict[Key, str]:
        """What most of the last failures were; only of hosts that have some, as each part has six such series."""
        hosts = quoted("|".join(sorted({re.escape(key[2]) for key in failing})))
        found = sorted(self._points(REASONS.format(hosts), now), key=lambda point: point[2])
        return {key: reason for key, reason, _ in found if key in failing}

    def _points(self, expr: str, now: float) -> list[tuple[Key, str, float]]:
        """Which part, the label `reason`, and the value."""
        try:
            result = self._source.query(expr, now)
        except QueryError:
            return []
        points = result.points if isinstance(result, Vector) else ()
        return [(_key(point.labels), point.labels.get("reason", ""), point.value) for point in points]


def _key(labels: Labels) -> Key:
    job, instance, host, part = (labels.get(name, "") for name in ("target_job", "target_instance", "host", "part"))
    return job, instance, host, part


def _part(name: str, of: dict[str, float], reason: str) -> PartStatus:
    up = of.get("up")
    outcome = "waiting" if up is None else "ok" if up else reason
    return PartStatus(
        name, of.get("interval_seconds", 0.0), outcome, "", of.get("duration_seconds"),
        of.get("last_success_timestamp_seconds"),
    )  # fmt: skip


class Fleet:
    """Our own targets and those of the Raingauges that we scrape; and what cannot be scraped or copied."""

    def __init__(self, collecting: Collecting, scraping: Scraping, pulling: Pulling, elsewhere: Elsewhere) -> None:
        self._collecting = collecting
        self._scraping = scraping
        self._pulling = pulling
        self._elsewhere = elsewhere

    def targets(self) -> Sequence[TargetStatus]:
        """As we read it, else as who reads it says, else how its scrape goes."""
        found = list(self._collecting.targets())
        for others in (self._elsewhere.targets(), self._scraping.statuses()):
            known = {_same(status.target) for status in found}
            found += [status for status in others if _same(status.target) not in known]
        return tuple(found)

    def findings(self) -> Sequence[Finding]:
        return self._collecting.findings()

    def blind(self) -> Sequence[str]:
        return (*self._collecting.blind(), *self._pulling.failing())


def _same(target: Target) -> tuple[str, str, str]:
    return target.job, target.instance, target.host
