"""Is it really down, for whom, since when; and where on the way to the visitor it breaks."""

from urllib.parse import urlsplit

from alerts.incidents.grouping import JOIN_SECONDS
from dashboard import layers, units
from dashboard.answers.scope import Answer, Scope
from dashboard.costs import quoted
from dashboard.incident_cards import without_host
from dashboard.moments import span
from history.model import Labels

SUCCESS = "max by (instance, height) (probe_success)"
SECONDS = "max by (instance, height) (probe_duration_seconds)"
HEIGHTS = {"fpm": "inside, PHP-FPM alone", "local": "inside, this host's web server", "public": "by its public name"}
SLOW, TIMES = 1.0, 2.0
"""Seconds from which a check is slow if it is so many times slower than usual."""
FAILING = 0.02
FAILED = 'status="5xx"'
LAYERS = {"Host": "host", "Web": "web server", "PHP": "PHP", "Database": "database", "Cache": "cache"}
"""What has a place on the way to the visitor; checks tell of the whole way."""
CAUSES = {"host": "Host", "web": "Web", "php": "PHP", "database": "Database", "cache": "Cache"}


def down(scope: Scope) -> Answer:
    checks = [point for point in scope.points(SUCCESS) if _concerns(scope, point.labels)]
    failed = [point for point in checks if point.value < 1]
    lines = [_check(scope, point.labels, point.value) for point in checks]
    share = _failing(scope)
    slow = [line for line in lines if line.endswith("slow")]
    if share is not None:
        lines.append(f"of requests {units.text(share, 'ratio')} fail (5xx)")
    since = f", for {span(scope.now - scope.incident.began)}"
    if checks and len(failed) == len(checks):
        state, text = "crit", f"Yes, for everybody: no check gets an answer{since}."
    elif failed:
        state, text = "crit", f"In part: {len(failed)} of {len(checks)} checks get no answer{since}."
    elif share is not None and share > FAILING:
        state, text = "crit", f"Not down, but {units.text(share, 'ratio')} of requests get an error{since}."
    elif slow:
        state, text = "warn", f"Not down: every check gets an answer, but slowly{since}."
    elif checks:
        state, text = "ok", f"No: {_all(len(checks))} an answer in time."
    else:
        state, text = "none", "Not known: no check asks for it. Under `checks:` in the configuration one can."
    return Answer("down", "Is it really down, for whom, since when?", state, text, tuple(lines),
                  f"/trends?{scope.window}#checks", "Checks")  # fmt: skip


def _all(count: int) -> str:
    return "the check gets" if count == 1 else f"all {count} checks get"


def _concerns(scope: Scope, labels: Labels) -> bool:
    host = urlsplit(labels.get("instance", "")).hostname
    return not scope.site or host in (None, scope.site) or labels.get("height") == "fpm"


def _check(scope: Scope, labels: Labels, success: float) -> str:
    where = HEIGHTS.get(labels.get("height", ""), "")
    name = f"{without_host(labels.get('instance', ''), scope.incident)} {where}".rstrip()
    if success < 1:
        return f"{name}: no answer"
    mine = [point.value for point in scope.points(SECONDS) if point.labels == labels]
    if not mine:
        return f"{name}: answers"
    usual = scope.usual(f"max(probe_duration_seconds{{instance={quoted(labels.get('instance', ''))}}})")
    said = f"{name}: answers in {units.text(mine[0], 'seconds')}"
    if usual is None:
        return said
    slow = ", slow" if mine[0] > SLOW and mine[0] > TIMES * usual else ""
    return f"{said}, usually {units.text(usual, 'seconds')}{slow}"


def _failing(scope: Scope) -> float | None:
    whole = scope.number(f"sum(rate(web_requests_total{scope.matchers()}[5m]))")
    bad = scope.number(f"sum(rate(web_requests_total{scope.matchers(FAILED)}[5m]))")
    return (bad or 0.0) / whole if whole else None


def where(scope: Scope) -> Answer:
    """From what lies deepest to what visitors see."""
    of_it = [member.labels for member in scope.incident.alerts]
    alerts = [each for each in scope.alerts if each.state == "firing" and each.labels in of_it]
    found = layers.layers(scope.targets, layers.cells(scope.source, scope.targets, alerts, scope.now), {})
    worst = [(layer.name, layer.cells[0]) for layer in found if layer.cells]
    recent = scope.incident.began - JOIN_SECONDS
    causes = [cause for cause in scope.causes if cause.since >= recent]
    bad = {name for name, cell in worst if cell.state in ("crit", "warn")} | {
        CAUSES[cause.layer] for cause in causes if cause.layer in CAUSES
    }
    lines = [_rung(name, cell, bad=name in bad) for name, cell in worst]
    peers = scope.points("topk(3, sum by (peer) (php_fpm_outbound_connections)) > 0")
    lines += [f"elsewhere {p.labels.get('peer', '')}: {units.text(p.value, 'count')} workers connected" for p in peers]
    outside = [cause for cause in causes if cause.layer == "outside"]
    at = [words for name, words in LAYERS.items() if name in bad]
    if outside:
        whom = f", {peers[0].labels.get('peer', '')}" if peers else ""
        text = f"A third party is suspected: {outside[0].words}{whom}."
    elif at:
        text = f"At the origin: {' and '.join(at)} in trouble."
    else:
        text = "Every layer of this host answers: it may be the network, a proxy or a cache before it."
    state = "crit" if at or outside else "ok"
    return Answer("where", "Origin, cache, network or a third party?", state, text, tuple(lines), "/targets", "Targets")


def _rung(name: str, cell: layers.Cell, *, bad: bool) -> str:
    which = f" {cell.target}" if cell.target else ""
    joint = " " if cell.note.startswith("of ") else ", "
    trouble = ", in trouble" if bad else ""
    return f"{LAYERS.get(name, name)}{which}: {joint.join(filter(None, (cell.value, cell.note)))}{trouble}"
