"""A site in numbers: what Drupal's database says of it, and the access log."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from collectors.model import Finding, TargetStatus
from dashboard import trouble, units
from dashboard.costs import quoted
from dashboard.host_facts import points
from dashboard.moments import span
from history.model import Labels, Point, Source

DAY = 86400
ERRORS = 'severity=~"emergency|alert|critical|error"'
LOGGED = f'sum by (instance, type, severity) (increase(drupal_watchdog_total{{job="drupal",{ERRORS}}}[1d]))'
COUNTED = 'sum by (instance) (increase(drupal_watchdog_errors_total{job="drupal"}[1d]))'
QUEUED = 'sum by (queue) (delta(drupal_queue_items{{job="drupal",instance={}}}[1h]))'
VERDICTS = ("not_secure", "revoked", "not_supported", "not_current", "current")
RATES = "sum by (site, status) (rate(web_requests_total[5m]))"
SEEN = 'group by (site) ({__name__=~"web_(methods|agents)_total"})'
"""Sites that have an access log, at a tenth of what RATES costs."""
CRON_LATE = 43200.0
"""Seconds, as CronStale has it; Drupal's own limit, the threshold, may be days."""
QUEUE_LATE = 86400.0
"""As QueueStuck has it."""
SHARE = 0.02
"""Of answers that fail, from which on a site is degraded."""
FEW = 10 / 300
"""Failures a second that degrade no site, however few its visitors: ten in the time that RATES looks at."""
SIGNS = (
    "cron_.+|maintenance_mode|security_updates_pending|database_updates_pending|updates|queue_.+|info|users"
    "|administrators|database_bytes"
)
"""What signs and facts are made of; the rest of a site, by table and module, is ten times as much."""


@dataclass(frozen=True)
class Sign:
    """One thing to look at first."""

    name: str
    state: str
    """crit, warn, none or ok."""
    text: str


@dataclass(frozen=True)
class Reading:
    """Everything that is known of one site at one time."""

    name: str
    now: float  # Unix seconds
    found: Mapping[str, Sequence[Point]]
    """Of Drupal: metric -> its series."""
    logged: Sequence[Point]
    """Errors of the last day, by type and severity; of one site alone."""
    rates: Sequence[Point]
    """Requests per second, by status; of `SEEN` only that there are any."""
    errors: float | None = None
    """All of the last day."""
    queued: Sequence[Point] = ()
    """What each queue gained in an hour, below 0 where it drains; of one site alone."""

    def value(self, metric: str, **labels: str) -> float | None:
        """The sum over those with these labels; None without any."""
        values = [p.value for p in self.found.get(metric, ()) if labels.items() <= p.labels.items()]
        return math.fsum(values) if values else None

    def of(self, metric: str, label: str) -> dict[str, float]:
        return {point.labels.get(label, ""): point.value for point in self.found.get(metric, ())}

    def labels(self, metric: str) -> Labels:
        return next((point.labels for point in self.found.get(metric, ())), {})


def readings(source: Source, now: float, log: str = RATES) -> tuple[Reading, ...]:
    """What the signs and the facts of every site need, by name; `log` tells of sites that have an access log."""
    return tuple(_readings(source, now, f'{{__name__=~"drupal_({SIGNS})",job="drupal"}}', log))


def reading(source: Source, name: str, now: float) -> Reading | None:
    """Everything that is known of one site; None where nothing is."""
    metrics = f'{{__name__=~"drupal_.+",job="drupal",instance={quoted(name)}}}'
    rates = RATES.replace("[5m]", f"{{site={quoted(name)}}}[5m]")
    found = next((each for each in _readings(source, now, metrics, rates) if each.name == name), None)
    logged = LOGGED.replace('job="drupal"', f'job="drupal",instance={quoted(name)}')
    queued = points(source, QUEUED.format(quoted(name)), now)
    return found and replace(found, logged=points(source, logged, now), queued=queued)


def _readings(source: Source, now: float, metrics: str, log: str) -> Iterator[Reading]:
    drupal: dict[str, dict[str, list[Point]]] = {}
    for point in points(source, metrics, now):
        site = drupal.setdefault(point.labels.get("instance", ""), {})
        site.setdefault(point.labels["__name__"], []).append(point)
    rates: dict[str, list[Point]] = {}
    for point in points(source, log, now):
        rates.setdefault(point.labels.get("site", ""), []).append(point)
    errors = {point.labels.get("instance"): point.value for point in points(source, COUNTED, now)}
    for name in sorted({*drupal, *rates} - {""}):
        yield Reading(name, now, drupal.get(name, {}), (), rates.get(name, ()), errors.get(name))


def signs(site: Reading) -> tuple[Sign, ...]:
    return (_cron(site), _maintenance(site), _updates(site), _queues(site), _errors(site), _requests(site))


def _cron(site: Reading) -> Sign:
    last, limit = site.value("drupal_cron_last_run_timestamp_seconds"), site.value("drupal_cron_threshold_seconds")
    if last is None:
        return Sign("Cron", "none", "not known")
    age = max(0.0, site.now - last)
    if site.value("drupal_cron_state", state="stuck"):
        return Sign("Cron", "warn", f"stuck: last ran to its end {span(age)} ago")
    late = age > min(CRON_LATE, limit or CRON_LATE)
    return Sign("Cron", "warn" if late else "ok", f"{span(age)} ago" if age >= 1 else "now")


def _maintenance(site: Reading) -> Sign:
    mode = site.value("drupal_maintenance_mode")
    if mode is None:
        return Sign("Maintenance", "none", "not known")
    return Sign("Maintenance", "warn", "on: visitors see a notice") if mode else Sign("Maintenance", "ok", "off")


def _updates(site: Reading) -> Sign:
    security, schema = site.value("drupal_security_updates_pending"), site.value("drupal_database_updates_pending")
    if security is None and schema is None:
        return Sign("Updates", "none", "not known")
    said = [
        *([f"{security:.0f} for security"] if security else []),
        *([f"{schema:.0f} of the database"] if schema else []),
    ]
    if not said and security is None:
        return Sign("Updates", "none", "releases not known")
    return Sign("Updates", "warn" if said else "ok", ", ".join(said) or "none pending")


def _queues(site: Reading) -> Sign:
    items = site.value("drupal_queue_items")
    if items is None and site.value("drupal_queues") == 0:
        return Sign("Queues", "ok", "empty")
    if items is None:
        return Sign("Queues", "none", "not known")
    oldest = min(site.of("drupal_queue_oldest_item_timestamp_seconds", "queue").values(), default=None)
    if not items:
        return Sign("Queues", "ok", "empty")
    age = max(0.0, site.now - oldest) if oldest else 0.0
    waits = f", the oldest for {span(age)}" if oldest else ""
    return Sign("Queues", "warn" if age > QUEUE_LATE else "ok", f"{units.text(items, 'count')} wait{waits}")


def _errors(site: Reading) -> Sign:
    if site.errors is None:
        return Sign("Errors in 24 h", "none", "not known")
    return Sign("Errors in 24 h", "ok", units.text(float(round(site.errors)), "count"))


def _requests(site: Reading) -> Sign:
    whole = math.fsum(point.value for point in site.rates)
    if not site.rates:
        return Sign("Requests", "none", "not known")
    failed = math.fsum(point.value for point in site.rates if point.labels.get("status") == "5xx")
    share = f", {units.text(failed / whole, 'ratio')} fail" if whole and failed else ""
    return Sign("Requests", answers_state(failed, whole), f"{units.text(whole, 'per_second')}{share}")


def answers_state(failed: float, whole: float) -> str:
    """Of failures and all answers a second."""
    return "warn" if failed > max(FEW, SHARE * whole) else "ok"


def facts(site: Reading) -> tuple[tuple[str, str], ...]:
    """What the site is; what is not known is left out."""
    info = site.labels("drupal_info")
    users, admins = site.value("drupal_users", state="active"), site.value("drupal_administrators")
    size = site.value("drupal_database_bytes")
    found = [
        ("Drupal", info.get("version", "")),
        ("profile", info.get("profile", "")),
        ("database", info.get("database", "")),
        ("size", units.text(size, "bytes") if size is not None else ""),
        ("users", units.text(users, "count") if users is not None else ""),
        ("administrators", units.text(admins, "count") if admins is not None else ""),
    ]
    return tuple((name, text) for name, text in found if text)


def worst(found: Sequence[Sign]) -> str:
    """None only where nothing at all is known."""
    states = {sign.state for sign in found}
    return next((state for state in ("crit", "warn", "ok") if state in states), "none")


def why(status: TargetStatus | None, part: str, findings: Sequence[Finding], otherwise: str) -> str:
    """Why a site's table is empty; `otherwise` where it was read."""
    if status is None:
        shut = next((finding for finding in findings if finding.collector == "drupal"), None)
        if shut:
            return f"{shut.found}: {shut.reason}"
        return "Drupal itself is not read: no settings.php of a site of this name was found."
    found = next((each for each in status.parts if each.part == part), None)
    if found is None or found.outcome == "ok":
        return otherwise
    if found.outcome == "waiting":
        return f"Not read yet: it is read every {span(found.interval)}."
    if found.outcome == "absent":
        return f"The site does not have it: {found.error}" if found.error else otherwise
    said = trouble.WORDS.get(found.outcome, trouble.WORDS["failed"])
    return f"The database {said}: {found.error}" if found.error else f"The database {said}."


def requests(source: Source, name: str, seconds: float, at: float) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Class of route -> requests by status over the span; the most requested first."""
    series = f"web_requests_total{{site={quoted(name)}}}[{max(60, round(seconds))}s]"
    classes: dict[str, dict[str, float]] = {}
    for point in points(source, f"sum by (class, status) (increase({series}))", at):
        of_class = classes.setdefault(point.labels.get("class", ""), {})
        of_class[point.labels.get("status", "")] = point.value
    yield from sorted(classes.items(), key=lambda each: -math.fsum(each[1].values()))


def agents(source: Source, name: str, seconds: float, at: float) -> dict[str, float]:
    series = f"web_agents_total{{site={quoted(name)}}}[{max(60, round(seconds))}s]"
    found = points(source, f"sum by (agent) (increase({series}))", at)
    return {point.labels.get("agent", ""): point.value for point in found if point.value > 0}
