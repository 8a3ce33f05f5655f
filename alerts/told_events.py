"""Events above info as alerts: at once, without a rule, and until they are closed.

They are kept as the state of one more rule, so that they are saved, told, silenced and shown as all others. A rule that
counts the same has alerts with the same labels: they are one alert, which is over when neither says so any more.
"""

import shlex
import threading
import time
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources

import yaml
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from alerts import templates
from alerts.engine import RESOLVED_KEPT_SECONDS, Identity, RuleState, States, Transition, identity
from alerts.model import Alert, Group, Labels, Rule
from collectors.model import Event
from history import open_events
from history.database import make_tables
from history.events import event_table

KEY = "events"
"""Of their state among those of the rules."""
LOOK_SECONDS = 0.25
"""Between two looks at whether an event came."""
OF_RULE = ("action", "runbook")
WHO = ("account", "as", "key", "name")
"""What of a record stays on the event's own page: a message shows no person but the source's address."""
MOST_RECORDS, MOST_NAMED = 4, 3


class OpenEvents:
    """The events that are open, as this thread has last seen them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._mark: tuple[object, ...] = ()
        make_tables(engine, [event_table])

    def moved_within(self, seconds: float, stopped: threading.Event) -> bool:
        """Waits so long, or until one came or went since the last `step`, which is True, or until `stopped`."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not stopped.wait(min(left, LOOK_SECONDS)):
            if self._moved():
                return True
        return False

    def _moved(self) -> bool:
        try:
            with self._engine.connect() as connection:
                return open_events.mark(connection) != self._mark
        except SQLAlchemyError:  # `step` will say so
            return False

    def step(self, before: RuleState, groups: Sequence[Group], now: float) -> RuleState:
        with self._engine.begin() as connection:
            self._mark = open_events.mark(connection)
            found = open_events.open_events(connection)
            if any(event.last < now - open_events.QUIET_SECONDS[event.severity] for event in found):
                open_events.close_quiet(connection, now)
                found = open_events.open_events(connection)
        rules = {rule.alert: rule for group in groups for rule in group.rules if rule.alert}
        return step(before, found, rules, now)


def step(before: RuleState, events: Iterable[Event], rules: Mapping[str, Rule], now: float) -> RuleState:
    """`events`: all that are open, the newest first; `rules` by name, for what to do."""
    told: dict[Identity, list[Event]] = {}
    for event in events:
        told.setdefault(identity(labels_of(event)), []).append(event)
    alerts = {key: _firing(before.alerts.get(key), dict(key), those, rules, now) for key, those in told.items()}
    for key, alert in before.alerts.items():
        if key not in told and (kept := _over(alert, now)):
            alerts[key] = kept
    return RuleState(alerts, before.evaluations + 1)


def labels_of(event: Event) -> dict[str, str]:
    of, name = _names().get(event.kind, ("", ""))
    labels = {
        "alertname": name or "".join(word.capitalize() for word in _words(event.kind)),
        "class": of or ("security" if event.kind.startswith("security.") else "config"),
        "host": event.host, "severity": event.severity, "site": event.site,
    }  # fmt: skip
    return {label: value for label, value in labels.items() if value}


@lru_cache(maxsize=1)
def _names() -> Mapping[str, tuple[str, str]]:
    """Kind -> class and name."""
    text = resources.files("alerts").joinpath("event_alerts.yml").read_text(encoding="utf-8")
    found = yaml.safe_load(text)
    return {kind: (of, name) for of, names in found.items() for name, kinds in names.items() for kind in kinds}


def names() -> Set[str]:
    return {name for _, name in _names().values()}


def _words(kind: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in kind).split()


def _firing(
    known: Alert | None, labels: Labels, events: Sequence[Event], rules: Mapping[str, Rule], now: float
) -> Alert:
    count = float(sum(event.count for event in events))
    first, last = min(event.first for event in events), max(event.last for event in events)
    is_new = known is None or known.state != "firing"
    began, fired = (min(first, now), now) if known is None or is_new else (known.active_at, known.fired_at)
    ordered = dict(sorted(labels.items()))
    return Alert(
        ordered, _annotations(ordered, events, rules, count), "firing", count, began, fired, seen=now,
        last_true=min(last, now), lowest=count, highest=count,
    )  # fmt: skip


def _over(alert: Alert, now: float) -> Alert | None:
    if alert.state != "resolved":
        return replace(alert, state="resolved", resolved_at=now, seen=now)
    return alert if now - (alert.resolved_at or 0.0) <= RESOLVED_KEPT_SECONDS else None


def _annotations(labels: Labels, events: Sequence[Event], rules: Mapping[str, Rule], count: float) -> dict[str, str]:
    newest, *others = events
    rule = rules.get(labels["alertname"])
    of_rule = rule.annotations if rule else {}
    own = [f"What happened: raingauge event show {shlex.quote(newest.id)}"]
    steps = templates.expand(of_rule.get("first_steps", ""), labels, count).strip()
    done = f"When it is dealt with: raingauge event close {shlex.quote(newest.id)} --note WHY"
    texts = {name: templates.expand(of_rule[name], labels, count) for name in OF_RULE if name in of_rule}
    more = f" (and {len(others)} more)" if others else ""
    return {
        "action": f"raingauge event show {shlex.quote(newest.id)}", **texts, "summary": f"{newest.title}{more}",
        "description": "\n".join(_lines(newest, others)),
        "first_steps": "\n".join((*own, *([steps] if steps else []), done)), "event": newest.id,
    }  # fmt: skip


def _lines(newest: Event, others: Sequence[Event]) -> Iterable[str]:
    times = "once" if newest.count == 1 else f"{newest.count} times"
    span = _when(newest.last) if newest.count == 1 else f"from {_when(newest.first)} to {_when(newest.last)}"
    yield f"{times}, {span}"
    for record in newest.evidence[-MOST_RECORDS:]:
        yield ", ".join(f"{name}: {value}" for name, value in record.items() if name not in WHO)
    yield from (f"{_when(event.last)}: {event.title}" for event in others[:MOST_NAMED])


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def heard_once(transitions: Iterable[Transition], before: States, after: States) -> list[Transition]:
    """Without those of an alert that another source gave already, or still gives."""
    was, now = _fires(before), _fires(after)
    found: list[Transition] = []
    for each in transitions:
        if each.after is not None:
            key = identity(each.after.labels)
            if key in (was if each.after.state == "firing" else now if each.after.state == "resolved" else ()):
                continue
            was |= {key} if each.after.state == "firing" else set()
        found.append(each)
    return found


def _fires(states: States) -> set[Identity]:
    return {key for state in states.values() for key, alert in state.alerts.items() if alert.state == "firing"}
