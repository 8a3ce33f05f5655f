"""What happened, as marks on every chart: events as lines, the time in which an alert fired as a tinted span."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from collectors.model import Event
from dashboard.timerange import Grid
from history.model import QueryError, Source

MOST_MARKS = 12
STATES = {"critical": "crit", "warning": "warn"}
"""Severity -> the state whose shape and colour stand for it; info has none of its own."""


@dataclass(frozen=True)
class Mark:
    t: float  # Unix seconds
    state: str
    title: str


@dataclass(frozen=True)
class Span:
    start: float  # Unix seconds
    end: float  # Unix seconds
    state: str
    title: str
    job: str
    """Of the targets that it is about; "" for all."""
    instance: str
    """Of the only target that it is about; "" for all of the job."""

    def concerns(self, job: str, instance: str) -> bool:
        """Whether it is drawn on the charts of that target, or of all of that job (instance "")."""
        return self.job in ("", job) and (not instance or self.instance in ("", instance))


def state_of(severity: str) -> str:
    return STATES.get(severity, "info")


def marks(events: Iterable[Event], start: float, end: float) -> tuple[Mark, ...]:
    """The newest in the span, in the order of time."""
    within = [event for event in events if start <= event.first <= end]
    newest = sorted(within, key=lambda event: event.first)[-MOST_MARKS:]
    return tuple(Mark(event.first, state_of(event.severity), event.title) for event in newest)


def spans(source: Source, grid: Grid) -> tuple[Span, ...]:
    """When critical and warning alerts fired, as history has it."""
    try:
        found = source.query_range('ALERTS{alertstate="firing"}', grid.start, grid.end, grid.step).lines
    except QueryError:
        return ()
    spans = []
    for line in found:
        severity = line.labels.get("severity", "")
        if severity in STATES:
            about = [line.labels.get(label, "") for label in ("alertname", "job", "instance")]
            spans += [Span(a, b, STATES[severity], *about) for a, b in _stretches(line.times.tolist(), grid.step)]
    return tuple(sorted(spans, key=lambda span: span.start))


def _stretches(times: Sequence[float], step: float) -> Iterable[tuple[float, float]]:
    start = before = times[0]
    for t in times[1:]:
        if t - before > 1.5 * step:
            yield start, before
            start = t
        before = t
    yield start, before
