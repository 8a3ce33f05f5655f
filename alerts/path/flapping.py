"""The stage for alerts that come and go: one word that it flaps, then silence until it was steady for a while.

While it flaps an alert counts as firing, so that it can be acknowledged, repeated and escalated like any other.
"""

from dataclasses import replace

from alerts.model import Alert
from alerts.path.flow import Flap, Flow

CHANGES = 4
WINDOW = 1800.0
"""Seconds within which so many changes are flapping."""
HOLD = 900.0
"""Seconds without a change after which it is steady; twice as long each time that it flaps again."""
LONGEST_HOLD = 7200.0


def flap(flow: Flow) -> Flow:
    now = flow.known.now
    alerts = dict(flow.alerts)
    flaps: dict[str, Flap] = {}
    for key in dict.fromkeys([*alerts, *flow.known.flaps]):
        before = flow.known.flaps.get(key)
        alert = alerts.get(key) or (before.alert if before else None)
        record = advance(before, alert, now)
        if record is not None:
            flaps[key] = record
        if alert is not None:  # it may have ended so long ago that only the flap remembers it
            alerts[key] = _as_firing(record, alert) if record and record.since else alert
    return replace(flow, alerts=alerts, flaps=flaps)


def advance(before: Flap | None, alert: Alert | None, now: float) -> Flap | None:
    """None: there is nothing to remember."""
    flap = before or Flap(())
    changes = tuple(min(at, now) for at in flap.changes)
    last = changes[-1] if changes else flap.over
    stamps = sorted(at for at in (alert.fired_at, alert.resolved_at) if at is not None) if alert else []
    changes += tuple(at for at in stamps if last < at <= now)
    recent = tuple(at for at in changes if at > now - WINDOW)
    if flap.since:
        ended = alert if alert and alert.state == "resolved" else flap.alert
        flap = replace(flap, changes=recent or changes[-1:], alert=ended)
        steady = now - flap.changes[-1] >= flap.hold
        return replace(flap, changes=(), since=0.0, over=now, alert=None) if steady else flap
    if len(recent) >= CHANGES and alert:
        again = flap.hold and now - flap.over <= LONGEST_HOLD
        hold = min(2 * flap.hold, LONGEST_HOLD) if again else HOLD
        return Flap(recent, now, hold, flap.over, alert if alert.state == "resolved" else None)
    remembers = len(recent) > 1 or (flap.over and now - flap.over <= LONGEST_HOLD)
    return replace(flap, changes=recent) if remembers else None


def _as_firing(flap: Flap, alert: Alert) -> Alert:
    words = f"{len(flap.changes)} changes within 30 minutes; told again when it was steady for {flap.hold / 60:.0f} min"
    first = min(flap.changes[0], alert.fired_at or flap.changes[0])
    annotations = {**alert.annotations, "flapping": words}
    return replace(alert, state="firing", fired_at=first, resolved_at=None, annotations=annotations)
