"""Explore: any expression as chart, table and CSV; what metrics there are and what they mean."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from dashboard.asked import answer, remembering, view
from dashboard.boards import KINDS, UNITS
from dashboard.charts import RATE_INTERVAL
from dashboard.evaluating import slot
from dashboard.exploring import Found, Known, Row, explore, series
from dashboard.gathering import frame
from dashboard.marks import Mark, Span, marks
from dashboard.moments import iso
from dashboard.panel_fields import Fields
from dashboard.plots import Frame, Plot
from dashboard.services import Services
from dashboard.shell import Shell, View, shell
from history import numbers
from history.model import QueryError, Source

MOST_NAMES = 4000
MOST_COLUMNS = 1000
EXAMPLES = (
    ("Requests per second", "sum by (instance) (rate(nginx_http_requests_total[$__rate_interval]))"),
    ("Memory by service", "host_process_group_resident_memory_bytes"),
    ("Targets that do not answer", "up == 0"),
    ("Fullest file systems", "topk(5, 1 - node_filesystem_avail_bytes / node_filesystem_size_bytes)"),
    ("Alerts", "ALERTS"),
)
NOTHING = Found((), (), 0, (), ())

blueprint = Blueprint("explore", __name__)


@dataclass(frozen=True)
class Example:
    name: str
    query: str


@dataclass(frozen=True)
class Prefix:
    """Metrics whose names begin alike."""

    name: str
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """A board."""

    name: str
    title: str


@dataclass(frozen=True)
class ExplorePage:
    """What explore.html may use, and what the page returns as JSON."""

    shell: Shell
    query: str
    error: str
    """What is wrong with the expression, in words; "" if nothing is."""
    plots: tuple[Plot, ...]
    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]
    rows: tuple[Row, ...]
    """The values at the end of the span, the highest first."""
    rows_left_out: int
    known: tuple[Known, ...]
    warnings: tuple[str, ...]
    csv: str
    """Where the same lines are as a file."""
    examples: tuple[Example, ...]
    names: tuple[Prefix, ...]
    """Every metric, to choose from while nothing is asked."""
    boards: tuple[Place, ...]
    """Where it can be saved as a panel."""
    fields: Fields
    """Of that panel, as far as they can be guessed."""
    units: tuple[str, ...]
    kinds: tuple[str, ...]


def build(services: Services, asked: View, query: str = "") -> ExplorePage:
    source = services.source
    axes = frame(source, asked, services.interval)
    found, error = _found(source, query, axes, asked.shown.end) if query else (NOTHING, "")
    events = services.events.events(asked.shown.start, asked.shown.end)
    return ExplorePage(
        shell=shell(services, asked, "Explore"),
        query=query,
        error=error,
        plots=found.plots,
        marks=marks(events, asked.shown.start, asked.shown.end),
        spans=(),
        rows=found.rows,
        rows_left_out=found.left_out,
        known=found.known,
        warnings=found.warnings,
        csv=f"/explore.csv?{urlencode({'q': query, 'from': asked.shown.from_, 'to': asked.shown.to})}",
        examples=() if query else tuple(Example(*each) for each in EXAMPLES),
        names=() if query else tuple(_names(source, asked)),
        boards=tuple(Place(each.name, each.title) for each in services.boards.all()),
        fields=Fields(-1, unit=found.unit),
        units=UNITS,
        kinds=KINDS,
    )


def _found(source: Source, query: str, axes: Frame, at: float) -> tuple[Found, str]:
    try:
        with slot():
            return explore(source, query, axes, at), ""
    except QueryError as error:
        text = str(error).removeprefix('invalid parameter "query": ')
        return NOTHING, text[:1].upper() + text[1:]


def _names(source: Source, asked: View) -> Iterator[Prefix]:
    """Of metrics with a sample in the span."""
    try:
        names = source.label_values("__name__", [], asked.shown.start, asked.shown.end)
    except QueryError:
        return
    groups: dict[str, list[str]] = {}
    for name in sorted(names)[:MOST_NAMES]:
        groups.setdefault(name.partition("_")[0].partition(":")[0], []).append(name)
    yield from (Prefix(prefix, tuple(group)) for prefix, group in groups.items())


def table(source: Source, query: str, axes: Frame) -> str:
    """A row for each time of the chart, a column for each series; empty where there is no sample."""
    expr = query.replace(RATE_INTERVAL, axes.rate_interval)
    grid = axes.grid
    with slot():
        lines = source.query_range(expr, grid.start, grid.end, grid.step).lines[:MOST_COLUMNS]
    columns = [dict(zip(line.times.tolist(), line.values.tolist(), strict=True)) for line in lines]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["time", *(_plain(series(line.labels)) for line in lines)])
    for t in sorted({t for column in columns for t in column}):
        writer.writerow([iso(t), *(numbers.number(column[t]) if t in column else "" for column in columns)])
    return text.getvalue()


def _plain(cell: str) -> str:
    """A text of others that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


@blueprint.get("/explore")
def page() -> Response:
    return answer("explore.html", build(remembering(), view("q"), request.args.get("q", "").strip()))


@blueprint.get("/explore.csv")
def download() -> Response:
    services, asked = remembering(), view("q")
    axes = frame(services.source, asked, services.interval)
    try:
        text = table(services.source, request.args.get("q", "").strip(), axes)
    except QueryError as error:
        return Response(f"{error}\n", 400, mimetype="text/plain")
    named = {"Content-Disposition": 'attachment; filename="raingauge.csv"'}
    return Response(text, mimetype="text/csv", headers=named)
