"""Checks as rows: the last result with its phases, how often it was good in a day, the certificate, who wants it."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from collectors.model import TargetStatus
from dashboard import trouble, units
from dashboard.added_checks import AddedCheck
from dashboard.heights import NAMES, Address, Height, page
from dashboard.host_facts import points
from dashboard.moments import span
from history.model import Labels, QueryError, Source

DAY = 86400.0
BUCKETS = 90
STEP = DAY / BUCKETS
BY = "by (instance, module, height)"
LATEST = {
    name: f"max {BY} ({name})"
    for name in ("probe_success", "probe_duration_seconds", "probe_http_status_code", "probe_ssl_earliest_cert_expiry")
}
SHARE = f"avg {BY} (avg_over_time(probe_success[1d]))"
HISTORY = f"avg {BY} (avg_over_time(probe_success[{STEP:g}s]))"
PHASES = {
    "resolve": "DNS", "connect": "connect", "tls": "TLS", "processing": "first byte", "transfer": "transfer",
}  # fmt: skip
"""As probe_http_duration_seconds has them, in the order in which they come."""
SOON, NOW = 14.0, 3.0
"""Days that a certificate has left: below the first it is time, below the second it is late."""
REASONS = {
    "resolve": "name not found", "connect": "no connection", "tls": "TLS failed", "certificate": "certificate refused",
    "status": "wrong status", "header": "wrong header", "body": "wrong content", "json": "wrong JSON",
    "slow": "too slow", "timeout": "no answer in time", "protocol": "not understood",
}  # fmt: skip

Key = tuple[str, str, str]
"""Instance, module, height."""


@dataclass(frozen=True)
class Phase:
    name: str
    text: str
    seconds: float


@dataclass(frozen=True)
class CheckRow:
    address: str
    module: str
    height: str
    where: str
    """The height in words."""
    state: str
    """crit, none or ok."""
    words: str
    """Of the last result."""
    reason: str
    """As web_check_failed has it; "" where it is good."""
    phases: tuple[Phase, ...]
    """Of the last result; () where it has none."""
    share: str
    """Of the results in a day that were good."""
    buckets: tuple[float | None, ...]
    """The same of each 16 minutes, the oldest first; None without a result."""
    certificate: str
    """What is left of it; "" without one."""
    certificate_state: str
    origin: str
    """Who asked for it."""
    added: str
    """Under which name it was added on the page; "" where it was not."""


def key(labels: Labels | Mapping[str, str]) -> Key:
    return labels.get("instance", ""), labels.get("module", ""), labels.get("height", "")


def rows(
    source: Source, statuses: Sequence[TargetStatus], added: Iterable[AddedCheck], at: float
) -> tuple[CheckRow, ...]:
    """`at`: Unix seconds. Failing ones first, then by address."""
    latest = {name: _values(source, expr, at) for name, expr in LATEST.items()}
    shares, history = _values(source, SHARE, at), _history(source, at)
    reasons = {key(point.labels): point.labels.get("reason", "") for point in points(source, "web_check_failed", at)}
    phases: dict[Key, dict[str, float]] = {}
    for point in points(source, "probe_http_duration_seconds", at):
        phases.setdefault(key(point.labels), {})[point.labels.get("phase", "")] = point.value
    names = {each.name for each in added}
    found = []
    for of, status in _known(statuses, latest["probe_success"]).items():
        value: Callable[[str], float | None] = lambda name, of=of: latest[name].get(of)  # type: ignore[misc] # noqa: E731
        success, reason = value("probe_success"), reasons.get(of, "")
        left = value("probe_ssl_earliest_cert_expiry")
        origin = trouble.origin(status) if status else "another process"
        certificate, look = _certificate(None if left is None else (left - at) / DAY)
        found.append(CheckRow(
            *of, NAMES.get(of[2], of[2]), "none" if success is None else "ok" if success else "crit",
            _words(success, value("probe_http_status_code"), value("probe_duration_seconds"), reason,
                   "no result now" if of in shares else "no result yet"),
            "" if success else reason, tuple(_phases(phases.get(of, {}))), units.text(shares.get(of), "ratio"),
            history.get(of, (None,) * BUCKETS), certificate, look, origin, of[1] if of[1] in names else "",
        ))  # fmt: skip
    return tuple(sorted(found, key=lambda row: (row.state != "crit", row.address, row.height, row.module)))


def _values(source: Source, expr: str, at: float) -> dict[Key, float]:
    return {key(point.labels): point.value for point in points(source, expr, at)}


def _known(statuses: Iterable[TargetStatus], seen: Iterable[Key]) -> dict[Key, TargetStatus | None]:
    """What is watched now, and what has a result although somebody else watches it."""
    watched = {key(each.target.labels): each for each in statuses if each.target.job == "blackbox"}
    plain = {of[0] for of in watched if not of[1]}  # of a process that knows targets without these labels
    known: dict[Key, TargetStatus | None] = dict.fromkeys(seen)
    return {**known, **{of: each for of, each in watched.items() if of in known or of[0] not in plain}}


def _history(source: Source, at: float) -> dict[Key, tuple[float | None, ...]]:
    try:
        lines = source.query_range(HISTORY, at - DAY + STEP, at, STEP).lines
    except QueryError:
        return {}
    found = {}
    for line in lines:
        row: list[float | None] = [None] * BUCKETS
        for t, value in zip(line.times.tolist(), line.values.tolist(), strict=True):
            if math.isfinite(value):
                row[min(BUCKETS - 1, round((t - at + DAY) / STEP) - 1)] = value
        found[key(line.labels)] = tuple(row)
    return found


def _words(success: float | None, status: float | None, seconds: float | None, reason: str, without: str) -> str:
    if success is None:
        return without
    took = f" in {units.text(seconds, 'seconds')}" if seconds is not None else ""
    code = f"{status:g}" if status else ""
    if success:
        return f"{code or 'answers'}{took}"
    why = REASONS.get(reason, "failed")
    waited = took.replace(" in ", ", after ")
    return f"{why}{f', {code}' if code else ''}{waited}"


def _phases(seconds: Mapping[str, float]) -> Iterator[Phase]:
    for name, words in PHASES.items():
        if name in seconds:
            yield Phase(words, units.text(seconds[name], "seconds"), seconds[name])


def _certificate(days: float | None) -> tuple[str, str]:
    if days is None:
        return "", "ok"
    if days <= 0:
        return f"ended {span(-days * DAY)} ago", "crit"
    return f"{span(days * DAY)} left", "crit" if days < NOW else "warn" if days < SOON else "ok"


def pages(source: Source, found: Sequence[CheckRow], at: float) -> tuple[Address, ...]:
    """Each address at all its heights; a pool's ping belongs to the sites that use the pool."""
    by_name: dict[str, list[Height]] = {}
    for row in found:
        at_url = urlsplit(row.address)
        if row.height != "fpm" and at_url.scheme in ("http", "https"):
            by_name.setdefault(f"{at_url.netloc}{at_url.path.rstrip('/')}", []).append(_height(row))
    pings = {row.address: row for row in found if row.height == "fpm"}
    for point in points(source, 'max by (site, target_instance) (web_site_uses{target_job="phpfpm"})', at):
        ping = pings.get(point.labels.get("target_instance", ""))
        for name, heights in by_name.items():
            if ping and name.partition("/")[0] == point.labels.get("site"):
                heights.append(_height(ping))
    made = [page(name, heights) for name, heights in by_name.items() if len(heights) > 1]
    return tuple(sorted(made, key=lambda each: (each.state != "crit", each.name)))


def _height(row: CheckRow) -> Height:
    return Height(row.height, NAMES.get(row.height, row.height), row.state, row.words, row.reason)
