"""From states to the outbox: the stages of the path, and what they decide is kept, in the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from alerts import silences, state
from alerts.model import Alert
from alerts.notices import Notice, fingerprint, one_each
from alerts.notifier import Channel
from alerts.path import store
from alerts.path.deciding import decide
from alerts.path.flapping import flap
from alerts.path.flow import Address, Batch, Flow, Known, Memory, Receiver, Stage
from alerts.path.grouping import digests, escalate, group, remembered
from alerts.path.plan import Plan, at_once
from alerts.path.storm import MINUTE, storm
from alerts.path.suppress import inhibit, silence
from alerts.pushing import push

STAGES: Sequence[Stage] = (flap, inhibit, silence, group, escalate, digests, remembered, decide, storm)


@dataclass(frozen=True)
class Outcome:
    messages: int
    due: float
    """Unix seconds of the next tick of any group; inf if there is none."""


def tell_channels(
    connection: Connection, channels: Sequence[Channel], alerts: Iterable[Alert], now: float, external_url: str = ""
) -> int:
    """Tell every channel everything, without waiting; how many messages that is."""
    plan = at_once(channel.name for channel in channels)
    return advance(connection, channels, plan, alerts, now=now, external_url=external_url).messages


def advance(
    connection: Connection,
    channels: Sequence[Channel],
    plan: Plan,
    alerts: Iterable[Alert],
    *,
    now: float,
    external_url: str = "",
) -> Outcome:
    """Put into the outbox what each channel has to hear now."""
    alerts = list(alerts)
    pushed = _push(connection, channels, plan, alerts, now=now, external_url=external_url)
    flow = survey(connection, receivers(channels), plan, alerts, now)
    for batch in flow.batches:
        _keep(connection, batch, now, external_url)
    decided = [one for batch in flow.batches if batch.due for one in _decisions(flow, batch)]
    flow = replace(flow, batches=tuple(_noted(flow, batch) for batch in flow.batches))
    store.record(connection, decided, now)
    _remember(connection, flow, now)
    due = [batch.after.due for batch in flow.batches if batch.after]
    messages = pushed + sum(bool(batch.alerts) for batch in flow.batches)
    return Outcome(messages, min(due, default=float("inf")))


def receivers(channels: Sequence[Channel]) -> Mapping[str, Receiver]:
    """Those that the path is for; who gets the whole state groups and silences by itself."""
    told = (channel for channel in channels if channel.resend is None)
    return {channel.name: Receiver(channel.settings.send_resolved, channel.hears) for channel in told}


def _push(
    connection: Connection, channels: Sequence[Channel], plan: Plan, alerts: Sequence[Alert], *, now: float,
    external_url: str,
) -> int:  # fmt: skip
    """How many messages that is. A channel that routes name gets what they bring to it, another one everything."""
    messages = 0
    named = {route.receiver for route in plan.root.every()}
    for channel in channels:
        if channel.resend is not None:
            heard = [alert for alert in alerts if channel.hears(alert)]
            if channel.name in named:
                heard = [alert for alert in heard if plan.brings(alert.labels, channel.name)]
            messages += push(connection, channel, heard, now, resend=channel.resend, external_url=external_url)
    return messages


def survey(
    connection: Connection, known: Mapping[str, Receiver], plan: Plan, alerts: Iterable[Alert], now: float
) -> Flow:
    """What the stages make of it; nothing is changed by it."""
    told = {Address(receiver, key): one for receiver in known for key, one in state.told(connection, receiver).items()}
    flow = Flow(
        Known(
            now, plan, known,
            silences=tuple(silences.silences(connection, ends_after=now)),
            flaps=store.flaps(connection),
            memories=store.memories(connection),
            told=told,
            lately=store.begun_since(connection, now - MINUTE, now),
        ),
        one_each(alert for alert in alerts if alert.state != "pending"),
    )  # fmt: skip
    for stage in STAGES:
        flow = stage(flow)
    return flow


def _keep(connection: Connection, batch: Batch, now: float, external_url: str) -> None:
    """The message, and as long as there is something to be told of it, that it was told."""
    receiver, key = batch.address
    if batch.alerts:
        alerts = (*batch.alerts, *_undelivered_ends(connection, batch))
        notice = Notice(receiver, batch.labels, alerts, external_url, batch.route.key, batch.reason)
        state.tell(connection, notice, now)
        if batch.after:
            state.remember(connection, receiver, key, batch.after.heard, now)
    elif batch.before and batch.before.heard and not (batch.after and batch.after.heard):
        state.forget(connection, receiver, key)


def _undelivered_ends(connection: Connection, batch: Batch) -> Sequence[Alert]:
    """Of the message that waits and whose place this one takes."""
    before = state.waiting_notice(connection, *batch.address)
    spoken_of = {fingerprint(alert.labels) for alert in batch.alerts}
    return [
        alert
        for alert in (before.alerts if before else ())
        if alert.state == "resolved" and fingerprint(alert.labels) not in spoken_of
    ]


def _remember(connection: Connection, flow: Flow, now: float) -> None:
    known = flow.known
    after: dict[Address, Memory | None] = dict.fromkeys(known.memories)
    after |= {batch.address: batch.after for batch in flow.batches}
    store.save_memories(connection, known.memories, after)
    store.save_flaps(connection, known.flaps, flow.flaps)
    firing = (key for key, alert in flow.alerts.items() if alert.state == "firing")
    silences.settle(connection, known.silences, firing, now)
    for address in known.told.keys() - after.keys():
        if not known.told[address].waiting:
            state.forget(connection, *address)


def _decisions(flow: Flow, batch: Batch) -> list[store.Decision]:
    """What is said, and what is held back for a reason that was not recorded before."""
    at, address = flow.known.now, batch.address
    found = []
    if batch.alerts:
        told = tuple(fingerprint(alert.labels) for alert in batch.alerts)
        found.append(store.Decision(at, *address, told, "told", batch.reason))
    if batch.before is None or _words(flow, batch) != batch.before.noted:
        for text, members in _held(flow, batch).items():
            found.append(store.Decision(at, *address, members, "held", text))
    return found


def _held(flow: Flow, batch: Batch) -> Mapping[str, tuple[str, ...]]:
    """Reason -> fingerprints."""
    held: dict[str, tuple[str, ...]] = {}
    over = batch.before.members if batch.before and not batch.members else ()
    for key in (*batch.members, *over):
        text = flow.marks[key].text if key in flow.marks else "" if batch.alerts else batch.reason
        if text:
            held[text] = (*held.get(text, ()), key)
    return held


def _words(flow: Flow, batch: Batch) -> str:
    return "\n".join(f"{text}: {' '.join(members)}" for text, members in sorted(_held(flow, batch).items()))


def _noted(flow: Flow, batch: Batch) -> Batch:
    if not batch.due or batch.after is None:
        return batch
    return replace(batch, after=replace(batch.after, noted=_words(flow, batch)))
