"""Slowest: what costs most time in all, not what was slowest once: routes, SQL, places in PHP, sites in their pools."""

from dataclasses import dataclass

from flask import Blueprint, Response, request

from dashboard.asked import answer, remembering, view
from dashboard.costs import ORDERS, CostTable, Span, Watched, places, routes, statements
from dashboard.php_costs import pools
from dashboard.same_seconds import Together, together
from dashboard.services import Services
from dashboard.shell import Shell, View, shell

blueprint = Blueprint("slowest", __name__)


@dataclass(frozen=True)
class SlowestPage:
    """What slowest.html may use, and what the page returns as JSON."""

    shell: Shell
    by: str
    """time, calls or mean: what the tables are sorted by."""
    tables: tuple[CostTable, ...]
    worst: Together | None
    """The worst minutes of the first route, and what else was then."""


def build(services: Services, asked: View, by: str = ORDERS[0]) -> SlowestPage:
    order = by if by in ORDERS else ORDERS[0]
    at = asked.tick(services.interval) if asked.shown.live else asked.shown.end
    span = Span(at, asked.shown.seconds)
    watched = Watched(services.watched.targets(), services.watched.findings())
    tables = tuple(table(services.source, span, watched, order) for table in (routes, statements, places, pools))
    first = next(iter(tables[0].rows), None)
    worst = together(services.source, first, span) if first else None
    return SlowestPage(shell(services, asked, "Slowest"), order, tables, worst)


@blueprint.get("/slowest")
def slowest() -> Response:
    return answer("slowest.html", build(remembering(), view("by"), request.args.get("by", "")))
