"""The charts of a page over its span: those of what exists here, and a word where one has nothing to show."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from collectors.model import TargetStatus
from dashboard import trouble
from dashboard.charts import Chart
from dashboard.plots import Frame, Plot, empty, plots, silence
from dashboard.shell import View
from dashboard.timerange import grid
from history.model import Source

MOST_OF_ONE = 6
"""Charts of one kind (a pool each) on a page."""


def frame(source: Source, view: View, interval: float) -> Frame:
    asked = grid(view.shown, view.columns, interval)
    silent = silence(source, asked, interval)
    if silent.all() and view.shown.live:  # what was just started has its first ticks between the times of the grid
        asked = replace(asked, start=asked.start + view.shown.end - asked.end)
        silent = silence(source, asked, interval)
    return Frame(asked, view.shown.start, view.shown.end, interval, view.zone, silent)


def gather(source: Source, charts: Iterable[Chart], asked: Frame, targets: Sequence[TargetStatus]) -> tuple[Plot, ...]:
    found: list[Plot] = []
    for chart in charts:
        shown = plots(source, chart, asked)[:MOST_OF_ONE]
        if not shown and (note := _why_empty(chart, asked, targets)):
            shown = [empty(chart, asked, note)]
        found += shown
    return tuple(found)


def _why_empty(chart: Chart, asked: Frame, targets: Sequence[TargetStatus]) -> str:
    """ "" for what is not there at all."""
    parts = [
        (status, part)
        for status in targets
        if status.target.job == chart.job
        for part in status.parts
        if part.part == chart.part and part.outcome != "absent"
    ]
    for status, part in parts:
        if part.outcome == "waiting":
            return "The first values are here in a few seconds."
        if part.outcome not in trouble.FINE:
            error = f": {part.error}" if part.error else "."
            return f"{trouble.name(status)} {trouble.WORDS.get(part.outcome, 'cannot be read')}{error}"
    if parts and asked.silent.all():
        return "No samples in this time."
    return chart.idle if parts else ""
