"""The stage that decides whether a group is told now, as Alertmanager does, and says why.

A first alert, a new one, all resolved, some resolved, the repeat interval; beyond Alertmanager: escalated, no longer
suppressed, and flapping. Looked at when a group's wait is over, and each group interval after.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from alerts.model import Alert
from alerts.notices import Told
from alerts.path.flow import ESCALATED, FIRST, Batch, Flow, Heard, Memory
from alerts.path.plan import Route

LOOK_AGAIN = 30.0
"""Seconds after which a group that is suppressed as a whole is looked at again, at most."""


@dataclass(frozen=True)
class View:
    """One group as one receiver sees it. By fingerprint."""

    firing: Mapping[str, Alert]
    """Neither silenced nor inhibited."""
    suppressed: Mapping[str, str]
    """Firing, with the reason."""
    heard: Mapping[str, Heard]
    flaps: Mapping[str, float]
    """Since when each of them flaps, Unix seconds; 0 if it does not."""

    @property
    def ended(self) -> Mapping[str, Alert]:
        return {key: heard.ended for key, heard in self.heard.items() if heard.ended}


def decide(flow: Flow) -> Flow:
    return replace(flow, batches=tuple(_decided(flow, batch) for batch in flow.batches))


def view(flow: Flow, batch: Batch) -> View:
    here = {key: flow.alerts[key] for key in batch.members if flow.firing(key)}
    heard: dict[str, Heard] = {}
    for key, before in batch.heard.items():
        if key in here:
            heard[key] = replace(before, ended=None, held=before.held or key in flow.marks)
        elif key in flow.alerts and not flow.firing(key):
            heard[key] = replace(before, ended=flow.alerts[key])
        elif before.ended:
            heard[key] = before  # what fires elsewhere, or is gone without an end, is forgotten
    return View(
        {key: alert for key, alert in here.items() if key not in flow.marks},
        {key: flow.marks[key].text for key in here if key in flow.marks},
        heard,
        {key: flow.flaps[key].since if key in flow.flaps else 0.0 for key in here},
    )


def _decided(flow: Flow, batch: Batch) -> Batch:
    now, seen = flow.known.now, view(flow, batch)
    due = _due(batch, seen, now)
    noted = batch.before.noted if batch.before else ""
    if due > now:
        return replace(batch, after=_waiting(batch, _memory(batch, seen, due, seen.heard, noted)))
    if quiet := flow.known.plan.muted(batch.route, now):
        after = _memory(batch, seen, now + batch.route.group_interval, seen.heard, noted)
        return replace(batch, due=True, after=after, reason=f"quiet hours: {quiet}")
    told = flow.known.told.get(batch.address)
    may_resolve = flow.known.receivers[batch.address.receiver].send_resolved and _got_it(told)
    ended = seen.ended if may_resolve else {}
    reason = why(seen, ended, told, now, batch.route)
    alerts = (*_sorted(seen.firing), *_sorted(ended)) if reason else ()
    after = _memory(batch, seen, _next(batch, seen, now), _heard_after(seen, now, bool(alerts)), noted)
    return replace(batch, due=True, alerts=alerts, after=after, reason=reason or _why_not(seen))


def _due(batch: Batch, seen: View, now: float) -> float:
    route, before = batch.route, batch.before
    if before is not None:
        # A tick too far ahead was set before the clock was set back.
        return before.due if before.due - now <= max(route.group_wait, route.group_interval, LOOK_AGAIN) else now
    first = min((alert.fired_at or now for alert in seen.firing.values()), default=now)
    return max(now, first + route.group_wait)


def _next(batch: Batch, seen: View, now: float) -> float:
    """A group of which nothing can be told yet waits anew, so that it is told soon after its cause has ended."""
    if not seen.firing and not seen.heard:
        return now + min(batch.route.group_interval, max(batch.route.group_wait, LOOK_AGAIN))
    return now + batch.route.group_interval


def _got_it(told: Told | None) -> bool:
    return told is not None and (told.received or told.waiting)


def why(seen: View, ended: Mapping[str, Alert], told: Told | None, now: float, route: Route) -> str:
    """Empty for silence."""
    new = seen.firing.keys() - seen.heard.keys()
    released = any(seen.heard[key].held for key in seen.firing.keys() - new)
    flaps = any(seen.flaps[key] and seen.heard[key].flap != seen.flaps[key] for key in seen.firing.keys() - new)
    first = ESCALATED if route.is_escalation else FIRST
    reasons = (
        ("new in the group" if seen.heard else first, bool(new)),
        ("some resolved" if seen.firing else "all resolved", bool(ended)),
        ("no longer suppressed", released),
        ("flapping", flaps),
        ("repeated", bool(seen.firing) and told is not None and now - told.at >= route.repeat_interval),
    )
    return next((reason for reason, holds in reasons if holds), "")


def _why_not(seen: View) -> str:
    if seen.firing:
        return "told before, nothing is new"
    if seen.suppressed:
        return "suppressed"
    return "over, and not to be told" if seen.heard else "over before it was told"


def _heard_after(seen: View, now: float, told: bool) -> dict[str, Heard]:
    """What is over is told by now, or it will not be."""
    heard = {key: one for key, one in seen.heard.items() if one.ended is None}
    for key in seen.firing if told else ():
        known = key in heard and not heard[key].held
        heard[key] = Heard(heard[key].at if known else now, flap=seen.flaps[key])
    return heard


def _memory(batch: Batch, seen: View, due: float, heard: Mapping[str, Heard], noted: str) -> Memory | None:
    if not seen.firing and not seen.suppressed and not heard:
        return None
    return Memory(batch.labels, batch.route.key, due, heard, noted, tuple(sorted([*seen.firing, *seen.suppressed])))


def _waiting(batch: Batch, after: Memory | None) -> Memory | None:
    """What was over before its tick is remembered until then, so that it can be said why it was not told."""
    if batch.before is None:
        return after
    if after is None:
        return replace(batch.before, heard={}) if batch.before.members else None
    return replace(after, members=tuple(sorted({*batch.before.members, *after.members})))


def _sorted(alerts: Mapping[str, Alert]) -> list[Alert]:
    return sorted(alerts.values(), key=lambda alert: sorted(alert.labels.items()))
