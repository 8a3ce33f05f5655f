"""The catalogue of charts as Grafana dashboards, a file each, over a data source of type Prometheus.

Source: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dashboard import charts
from dashboard.charts import Chart, Curve, Limit
from dashboard.units import Unit

SCHEMA_VERSION = 39
"""Of Grafana 11; newer ones bring it up to date when they load it."""
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
UNITS: Mapping[Unit, str] = {
    "count": "short", "per_second": "cps", "bytes": "bytes", "bytes_per_second": "binBps", "seconds": "s",
    "ratio": "percentunit", "cores": "short",
}  # fmt: skip
COLOURS = ("", "blue", "orange", "green", "purple", "text")
"""By tone."""
WIDTH, HEIGHT, COLUMNS = 8, 8, 24
SITES = "label_values(web_requests_total, site)"

Rows = Sequence[tuple[str, Sequence[Chart]]]


def dashboards() -> dict[str, dict[str, Any]]:
    """File name without its ending -> dashboard."""
    layers = {name: (("", of_layer),) for name, of_layer in charts.TRENDS if name not in ("Host", "SLOs")}
    found: dict[str, Rows] = {
        "Overview": (("", charts.OVERVIEW),), "Host": charts.HOST, **layers, "SLOs": (("", charts.SLO),),
        "Site": (("", charts.SITE),),
    }  # fmt: skip
    return {f"raingauge-{title.lower()}": dashboard(title, rows) for title, rows in found.items()}


def dashboard(title: str, rows: Rows) -> dict[str, Any]:
    panels = list(_placed(rows))
    per_site = any("$site" in expr for _, found in rows for chart in found for expr in chart.expressions)
    return {
        "uid": f"raingauge-{title.lower()}",
        "title": f"Raingauge: {title}",
        "tags": ["raingauge"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "",
        "templating": {"list": [_data_source(), *([_site()] if per_site else [])]},
        "annotations": {"list": []},
        "links": [_others()],
        "panels": panels,
    }


def _data_source() -> dict[str, Any]:
    return {"name": "datasource", "type": "datasource", "label": "Data source", "query": "prometheus", "hide": 0,
            "refresh": 1, "current": {}}  # fmt: skip


def _site() -> dict[str, Any]:
    query = {"query": SITES, "refId": "site"}
    return {"name": "site", "type": "query", "label": "Site", "datasource": SOURCE, "query": query,
            "definition": SITES, "refresh": 2, "sort": 1, "hide": 0, "includeAll": False, "multi": False,
            "current": {}}  # fmt: skip


def _others() -> dict[str, Any]:
    return {"type": "dashboards", "title": "Raingauge", "tags": ["raingauge"], "asDropdown": True, "keepTime": True,
            "includeVars": True}  # fmt: skip


def _placed(rows: Rows) -> Iterator[dict[str, Any]]:
    """Three beside each other, below the title of their row if it has one."""
    top, number = 0, 0
    for title, found in rows:
        if title:
            number += 1
            place = {"x": 0, "y": top, "w": COLUMNS, "h": 1}
            yield {"id": number, "type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": place}
            top += 1
        for at, chart in enumerate(found):
            number += 1
            place = {"x": at * WIDTH % COLUMNS, "y": top + at * WIDTH // COLUMNS * HEIGHT, "w": WIDTH, "h": HEIGHT}
            yield {"id": number, "gridPos": place, **_panel(chart)}
        top += -(-len(found) * WIDTH // COLUMNS) * HEIGHT


def _panel(chart: Chart) -> dict[str, Any]:
    """A time series; limits are lines of dashes, of numbers thresholds."""
    numbers = [limit for limit in chart.limits if _number(limit) is not None]
    asked: list[Curve | Limit] = [*chart.curves, *(limit for limit in chart.limits if limit not in numbers)]
    return {
        "type": "timeseries",
        "title": chart.title,
        "description": chart.subtitle,
        "datasource": SOURCE,
        "targets": [_target(chart, each, place) for place, each in enumerate(asked)],
        "fieldConfig": {"defaults": _defaults(chart, numbers), "overrides": list(_overrides(chart, asked))},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }


def _target(chart: Chart, asked: Curve | Limit, place: int) -> dict[str, Any]:
    return {"refId": chr(ord("A") + place), "datasource": SOURCE, "editorMode": "code", "range": True,
            "expr": asked.expr, "legendFormat": _legend(chart, asked)}  # fmt: skip


def _legend(chart: Chart, asked: Curve | Limit) -> str:
    """`{mountpoint}` as Grafana writes it, and before the name what the pages make charts of their own for."""
    named = re.sub(r"\{(\w+)\}", r"{{\1}}", asked.name)
    return " ".join([*(f"{{{{{label}}}}}" for label in chart.each), named])


def _defaults(chart: Chart, numbers: Sequence[Limit]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "text", "value": None}]
    steps += [{"color": "orange", "value": _number(limit)} for limit in numbers]
    custom = {
        "drawStyle": "line", "lineWidth": 1, "showPoints": "never", "spanNulls": False,
        "fillOpacity": {"lines": 0, "area": 15, "stack": 40}[chart.kind],
        "stacking": {"mode": "normal" if chart.kind == "stack" else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if numbers else "off"},
    }  # fmt: skip
    return {"unit": UNITS[chart.unit], "min": 0, "color": {"mode": "palette-classic"},
            "thresholds": {"mode": "absolute", "steps": steps}, "custom": custom}  # fmt: skip


def _overrides(chart: Chart, asked: Sequence[Curve | Limit]) -> Iterator[dict[str, Any]]:
    for place, each in enumerate(asked):
        properties: list[dict[str, Any]] = []
        if isinstance(each, Limit) or each.dotted:
            style = {"fill": "dash", "dash": [10, 10]}
            properties.append({"id": "custom.lineStyle", "value": style})
        if isinstance(each, Limit):
            properties += [
                {"id": "custom.fillOpacity", "value": 0},
                {"id": "custom.stacking", "value": {"mode": "none"}},
            ]
        elif each.tone and "{" not in each.name and not chart.each:
            properties.append({"id": "color", "value": {"mode": "fixed", "fixedColor": COLOURS[each.tone]}})
        if properties:
            matcher = {"id": "byFrameRefID", "options": chr(ord("A") + place)}
            yield {"matcher": matcher, "properties": properties}


def _number(limit: Limit) -> float | None:
    found = re.fullmatch(r"vector\(([\d.e+-]+)\)", limit.expr)
    return float(found[1]) if found else None
