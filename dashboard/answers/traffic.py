"""Which routes suffer, and who asks for them."""

import math
from collections.abc import Sequence

from dashboard import costs, units
from dashboard.answers.scope import Answer, Scope
from dashboard.site_tables import AGENTS
from history.model import Point

PEOPLE = ("people",)
MANY = 0.5
LATELY = 3600.0


def routes(scope: Scope) -> Answer:
    question = "Which pages or routes are slow or failing?"
    watched = costs.Watched(scope.targets, scope.findings)
    table = costs.routes(scope.source, scope.span, watched, costs.ORDERS[0], scope.site or None)
    path = (f"/slowest?{scope.window}#routes", "All routes")
    if not table.rows:
        return Answer("routes", question, "none", f"Not known. {table.missing}", (), *path)
    failing = _failing(scope)
    lines = [
        f"{row.name}: {units.text(row.share, 'ratio')} of all time, {row.mean} each, {row.calls} requests"
        for row in table.rows[:3]
    ]
    lines += [f"{p.labels.get('class', '')}: {round(p.value)} errors (5xx) in 5 min" for p in failing]
    slow = f"{table.rows[0].name} takes most time, {table.rows[0].mean} each"
    bad = f"; {failing[0].labels.get('class', '')} fails most often" if failing else "; none fails"
    return Answer("routes", question, "warn" if failing else "ok", f"{slow}{bad}.", tuple(lines), *path)


def _failing(scope: Scope) -> Sequence[Point]:
    failed = scope.matchers('status="5xx"')
    found = scope.points(f"topk(3, sum by (class) (increase(web_requests_total{failed}[5m])) > 0.5)")
    return sorted(found, key=lambda point: -point.value)


def visitors(scope: Scope) -> Answer:
    question = "Real visitors, bots or an attack?"
    path = (f"/site/{scope.site}#agents", "Who asks") if scope.site else ("/drupal", "Sites")
    agents = scope.points(f"sum by (agent) (rate(web_agents_total{scope.matchers()}[5m])) > 0")
    if not agents:
        return Answer("visitors", question, "none", "Not known: no access log with user agents is read.", (), *path)
    whole = math.fsum(point.value for point in agents)
    robots = math.fsum(point.value for point in agents if point.labels.get("agent") not in PEOPLE) / whole
    lines = [
        f"{AGENTS.get(p.labels.get('agent', ''), p.labels.get('agent', ''))}: {units.text(p.value / whole, 'ratio')}"
        for p in sorted(agents, key=lambda each: -each.value)[:4]
    ]
    rate = scope.compared(f"sum(rate(web_requests_total{scope.matchers()}[5m]))", "per_second")
    lines.insert(0, f"requests: {rate}")
    lines += _attacks(scope)
    share = units.text(max(robots, 1 - robots), "ratio")
    who = f"Mostly {'robots' if robots > MANY else 'people'}: {share} of {units.text(whole, 'per_second')}"
    found = [event for event in scope.attacks if event.last >= scope.incident.began - LATELY]
    if found:
        text = f"{who}; and attacks: {found[0].title}."
        return Answer("visitors", question, "warn", text, tuple(lines), "/security", "Security")
    state = "warn" if robots > MANY else "ok"
    return Answer("visitors", question, state, f"{who}; no attack is seen.", tuple(lines), *path)


def _attacks(scope: Scope) -> list[str]:
    requests = scope.number(f"sum(rate(security_requests_total{scope.matchers()}[5m]))")
    failed = scope.matchers('result="failed"')
    logins = scope.number(f"sum(increase(security_logins_total{failed}[15m]))")
    said = [f"requests with signs of an attack: {units.text(requests, 'per_second')}"] if requests is not None else []
    return [*said, *([f"failed logins in 15 min: {round(logins)}"] if logins is not None else [])]
