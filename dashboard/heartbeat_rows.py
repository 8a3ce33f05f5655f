"""Heartbeats as rows: when each job came last, when it is expected, and whether it is missed or only slow."""

from collections.abc import Sequence
from dataclasses import dataclass

from collectors.model import TargetStatus
from dashboard import units
from dashboard.host_facts import points
from dashboard.moments import span
from history.model import Source

SERIES = '{__name__=~"heartbeat_.+",__name__!="heartbeat_pings_total"}'


@dataclass(frozen=True)
class HeartbeatRow:
    name: str
    state: str
    """crit, warn, none or ok."""
    words: str
    last_ping: float | None  # Unix seconds; None: never
    due: float | None  # Unix seconds, grace included
    lasted: str
    """The last run whose start and end were told; an en dash where none was."""


def rows(source: Source, statuses: Sequence[TargetStatus], at: float) -> tuple[HeartbeatRow, ...]:
    found: dict[str, dict[str, float]] = {
        each.target.instance: {} for each in statuses if each.target.job == "heartbeat"
    }
    for point in points(source, SERIES, at):
        of = found.setdefault(point.labels.get("instance", ""), {})
        of[point.labels["__name__"].removeprefix("heartbeat_")] = point.value
    made = [_row(name, of, at) for name, of in found.items()]
    order = ("crit", "warn", "none", "ok")
    return tuple(sorted(made, key=lambda row: (order.index(row.state), row.name)))


def _row(name: str, of: dict[str, float], at: float) -> HeartbeatRow:
    ping, due = of.get("last_ping_timestamp_seconds"), of.get("next_due_timestamp_seconds")
    state, words = _said(of, ping, due, at)
    return HeartbeatRow(name, state, words, ping, due, units.text(of.get("run_duration_seconds"), "seconds"))


def _said(of: dict[str, float], ping: float | None, due: float | None, at: float) -> tuple[str, str]:
    late = f", {span(at - due)} late" if due is not None and at > due else ""
    if not of:
        return "none", "no result yet"
    if of.get("failed"):
        return "crit", "the job told that it failed"
    if of.get("running_too_long"):
        since = f" {span(at - ping)} ago" if ping is not None else ""
        return "warn", f"began{since} and runs for too long"
    if of.get("overdue"):
        return "crit", f"never came{late}" if ping is None else f"did not come{late}"
    if of.get("running"):
        return "ok", "runs now"
    return ("none", "has not come yet, and is not late") if ping is None else ("ok", "in time")
