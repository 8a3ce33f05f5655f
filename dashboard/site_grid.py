"""Sites by layers: the worst of each, one row a site; the last row is what no site is known to use.

`web_site_uses` says on which targets a site stands; where it is silent, the only target of a job is everybody's.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from alerts.model import Alert
from alerts.notices import fingerprint
from collectors.model import TargetStatus
from dashboard import sites, units
from dashboard.costs import quoted
from dashboard.host_facts import points
from dashboard.layers import ORDER, Cell, sparks
from dashboard.marks import STATES
from dashboard.sites import Reading
from history.model import Source

USES = "max by (site, target_job, target_instance) (web_site_uses)"
SLOW = "histogram_quantile(0.95, sum by (site, le) (rate(web_request_duration_seconds_bucket{{{}}}[5m])))"
RATES = "sum by (site, status) (rate(web_requests_total{{{}}}[5m]))"
SPARK = "sum by (site) (rate(web_requests_total{{{}}}[2m]))"
"""`{}` names the sites."""
MOST_SITES = 12
COLUMNS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Uptime": ("uptime", ("blackbox",)),
    "Web": ("web", ("nginx", "apache")),
    "PHP": ("php", ("phpfpm",)),
    "Database": ("database", ("mysql", "postgres")),
    "Cache": ("cache", ("redis", "memcached", "varnish")),
    "Drupal": ("drupal", ()),
    "Security": ("security", ()),
}
"""Name -> the rules' label `layer`, and the jobs of its targets."""
ALIKE = (("phpfpm",), ("mysql", "postgres"), ("redis", "memcached"), ("varnish",))
"""Jobs of which a site uses one or another."""
NOTHING = Cell("", "–", "none found", "", (), "")
LOGGED = Cell("ok", "", "", "", (), "")
"""Stands for what a site's log says until that is asked."""


@dataclass(frozen=True)
class GridRow:
    name: str
    about: str
    path: str
    state: str
    """Of its worst cell."""
    cells: tuple[tuple[str, Cell], ...]
    """Column and what stands there; a cell whose state is "" is empty."""
    incident: str
    """Path of the incident that its worst cells are part of; "" if they are of none."""


@dataclass(frozen=True)
class SiteGrid:
    rows: tuple[GridRow, ...]
    """The worst first, the host's own at the end."""
    left_out: int


@dataclass(frozen=True)
class Here:
    """What is known of the host's targets without a look into history."""

    host: str
    targets: Sequence[TargetStatus]
    cells: Mapping[str, Cell]
    """Of targets, by slug."""
    alerts: Sequence[Alert]
    incidents: Mapping[str, str] = field(default_factory=dict)
    """Fingerprint of a firing alert -> path of its incident."""


def grid(source: Source, here: Here, now: float) -> SiteGrid:
    """No rows where no site is known."""
    found = [site for site in sites.readings(source, now, sites.SEEN) if site.name != "other"]
    if not found:
        return SiteGrid((), 0)
    used_by = uses(source, here.targets, [site.name for site in found], now)
    rows = []
    for site in found:
        layers = _of_targets(here, used_by[site.name])
        layers |= {"Web": LOGGED if site.rates else NOTHING, "Drupal": _drupal(site), "Security": _security(site)}
        about = f"Drupal {version}" if (version := site.labels("drupal_info").get("version")) else ""
        layers = dict(_with_alerts(layers, here.alerts, site.name))
        incident = _incident(here, used_by[site.name], site.name)
        rows.append(_row(site.name, about, f"/site/{site.name}", layers, incident))
    rows.sort(key=_worst_first)
    shown = rows[:MOST_SITES]
    web = _web(source, [row.name for row in shown], now)
    shown = sorted((_with_web(row, web) for row in shown), key=_worst_first)
    used = set().union(*used_by.values())
    of_host = _of_targets(here, free := {_key(status) for status in here.targets} - used)
    of_host |= {"Security": _calm(here.targets)}
    mine = dict(_with_alerts(of_host, here.alerts, ""))
    host = _row(here.host, "shared", "/targets", mine, _incident(here, free, ""))
    return SiteGrid((*shown, host), len(rows[MOST_SITES:]))


def _worst_first(row: GridRow) -> tuple[int, str]:
    return ORDER.index(row.state), row.name


def _with_web(row: GridRow, web: Mapping[str, Cell]) -> GridRow:
    """With what the log says, which is asked of the sites that are shown."""
    found = web.get(row.name, Cell("ok", "–", "no request yet", "", (), ""))
    cells = (
        (name, replace(found, state=_worse(found.state, cell.state)) if cell.value == LOGGED.value else cell)
        for name, cell in row.cells
    )
    return replace(row, state=_worse(found.state, row.state), cells=tuple(cells))


def _worse(one: str, other: str) -> str:
    return min(one, other, key=ORDER.index)


Key = tuple[str, str]


def _key(status: TargetStatus) -> Key:
    return status.target.job, status.target.instance


def uses(source: Source, targets: Sequence[TargetStatus], names: Iterable[str], now: float) -> dict[str, set[Key]]:
    """Job and instance of what each of these sites stands on."""
    found: dict[str, set[Key]] = {name: set() for name in names}
    for point in points(source, USES, now):
        labels = point.labels
        found.get(labels.get("site", ""), set()).add((labels.get("target_job", ""), labels.get("target_instance", "")))
    only = _only_ones(targets)
    for status in targets:
        if status.target.job == "blackbox" and (host := urlsplit(status.target.instance).hostname) in found:
            found[host].add(_key(status))
    for mine in found.values():
        known = {job for job, _ in mine}
        mine |= {key for key in only if not known.intersection(_alike(key[0]))}
    return found


def _alike(job: str) -> tuple[str, ...]:
    return next((jobs for jobs in ALIKE if job in jobs), (job,))


def _only_ones(targets: Sequence[TargetStatus]) -> set[Key]:
    """Of jobs that a site may use without our knowing it, and that have one target."""
    jobs = {job for _, those in COLUMNS.values() for job in those if job not in ("blackbox", "nginx", "apache")}
    found = Counter(status.target.job for status in targets)
    return {_key(status) for status in targets if status.target.job in jobs and found[status.target.job] == 1}


def _of_targets(here: Here, used: Collection[Key]) -> dict[str, Cell]:
    """The worst cell of each column."""
    mine = [each for each in here.targets if each.slug in here.cells and _key(each) in used]
    return {
        name: min(
            (here.cells[each.slug] for each in mine if each.target.job in jobs),
            key=lambda cell: ORDER.index(cell.state), default=NOTHING,
        )
        for name, (_, jobs) in COLUMNS.items()
    }  # fmt: skip


def _web(source: Source, names: Iterable[str], now: float) -> dict[str, Cell]:
    """What the access log says: the time of answers where it has times, else requests."""
    those = f"site=~{quoted('|'.join(map(re.escape, names)))}"
    slow = points(source, SLOW.format(those), now)
    slowest = {p.labels.get("site", ""): p.value for p in slow if math.isfinite(p.value)}
    rates: dict[str, dict[str, float]] = {}
    for point in points(source, RATES.format(those), now):
        rates.setdefault(point.labels.get("site", ""), {})[point.labels.get("status", "")] = point.value
    lines = {labels.get("site", ""): line for labels, line in sparks(source, SPARK.format(those), now)}
    found = {}
    for site, by_status in rates.items():
        whole, failed = sum(by_status.values()), by_status.get("5xx", 0.0)
        rate = units.text(whole, "per_second")
        notes = [f"p95, {rate}"] if site in slowest else []
        notes += [f"{units.text(failed / whole, 'ratio')} fail"] if failed and whole else []
        value = units.text(slowest[site], "seconds") if site in slowest else rate
        state = sites.answers_state(failed, whole)
        found[site] = Cell(state, value, ", ".join(notes), "", lines.get(site, ()), "")
    return found


def _drupal(site: Reading) -> Cell:
    signs = {sign.name: sign for sign in sites.signs(site)}
    about = [signs[name] for name in ("Cron", "Maintenance", "Queues", "Errors in 24 h")]
    if all(sign.state == "none" for sign in about):
        return NOTHING
    state = sites.worst(about)
    if site.value("drupal_maintenance_mode"):
        return Cell(state, "offline", f"maintenance, cron {signs['Cron'].text}", "", (), "")
    errors = signs["Errors in 24 h"].text
    value = signs["Cron"].text.partition(":")[0]
    return Cell(state, f"cron {value.removesuffix(' ago')}", f"{errors} errors in 24 h", "", (), "")


def _security(site: Reading) -> Cell:
    pending = site.value("drupal_security_updates_pending")
    if pending is None:
        return Cell("ok", "no event", "updates not known", "", (), "") if site.rates else NOTHING
    if pending:
        updates = "1 update" if pending == 1 else f"{pending:.0f} updates"
        return Cell("warn", updates, "for security, pending", "", (), "")
    return Cell("ok", "clean", "0 updates pending", "", (), "")


def _calm(targets: Sequence[TargetStatus]) -> Cell:
    watched = any(status.target.job == "security" for status in targets)
    return Cell("ok", "no event", "logins, files, listeners", "", (), "") if watched else NOTHING


def _with_alerts(layers: Mapping[str, Cell], alerts: Sequence[Alert], site: str) -> Iterator[tuple[str, Cell]]:
    """An alert on the site colours its layer's cell; "" stands for alerts that name no site and no target."""
    for name, cell in layers.items():
        mine = [
            alert for alert in alerts
            if alert.layer == COLUMNS[name][0] and alert.state in ("firing", "pending")
            and alert.severity in STATES and _about(alert, site)
        ]  # fmt: skip
        states = [STATES[alert.severity] if alert.state == "firing" else "warn" for alert in mine]
        state = min([*states, cell.state or "ok"], key=ORDER.index) if states else cell.state
        if states and not cell.state:
            words = "1 alert" if len(mine) == 1 else f"{len(mine)} alerts"
            cell = Cell(state, words, mine[0].name, "", (), "")  # noqa: PLW2901
        yield name, replace(cell, state=state)


def concerns(alert: Alert, site: str, used: Collection[Key]) -> bool:
    """Whether it is on the site or on what it stands on."""
    return (alert.labels.get("job", ""), alert.labels.get("instance", "")) in used or _about(alert, site)


def _about(alert: Alert, site: str) -> bool:
    if site:
        return site in (alert.labels.get("site"), alert.labels.get("instance"))
    return not alert.labels.get("site") and alert.layer == "security"


def _incident(here: Here, targets: set[Key], site: str) -> str:
    """Of an alert on one of these targets, or on the site."""
    for alert in here.alerts:
        path = here.incidents.get(fingerprint(alert.labels), "")
        if path and concerns(alert, site, targets):
            return path
    return ""


def _row(name: str, about: str, path: str, cells: Mapping[str, Cell], incident: str) -> GridRow:
    those = tuple(cells.items())
    state = min((cell.state for _, cell in those if cell.state), key=ORDER.index, default="none")
    return GridRow(name, about, path, state, those, incident)
