"""The catalogue of charts, as the pages draw them."""

from collections.abc import Iterator, Sequence

from dashboard.charts import CHARTS, Chart
from docs.markdown import code, table

LEAD = """\
What the pages draw, and ask of the history. `$__rate_interval` is the range that rates are taken over: four ticks, or
more where points are further apart than that. A chart is shown where a target of its job has its part.

"""


def charts() -> str:
    rows = [row for chart in CHARTS for row in _rows(chart)]
    return LEAD + table(("Chart", "Unit", "Job and part", "Line", "Expression"), rows)


def _rows(chart: Chart) -> Iterator[Sequence[str]]:
    """The chart's own cells stand in its first row."""
    title = f"{chart.title}: {chart.subtitle}" if chart.subtitle else chart.title
    cells = (title, chart.unit.replace("_", " "), f"{chart.job} {chart.part}".strip() or "rules")
    lines = [(curve.name, curve.expr) for curve in chart.curves]
    lines += [(f"limit: {limit.name}", limit.expr) for limit in chart.limits]
    for name, expr in lines:
        yield *cells, name, code(expr)
        cells = ("", "", "")
