"""The stage against storms: many groups at once for one receiver become one digest; nothing is lost by it."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

from alerts.model import Alert
from alerts.notices import fingerprint, group_key
from alerts.path.flow import Address, Batch, Flow, Heard, Memory
from alerts.path.grouping import DIGEST
from alerts.path.plan import Route

MOST = 20
"""Groups that are told to one receiver for the first time within a minute."""
MINUTE = 60.0
URGENCY = ("critical", "warning", "info")


def storm(flow: Flow) -> Flow:
    """First messages of groups count; what becomes of groups that were told is told in them."""
    for receiver in flow.known.receivers:
        loud = [
            batch
            for batch in flow.batches
            if batch.address.receiver == receiver and batch.alerts and not batch.heard and batch.route.key != DIGEST
        ]
        if loud and _just_told(flow, receiver):
            flow = _later(flow, loud)
        elif len(loud) + flow.known.lately.get(receiver, 0) > MOST:
            flow = _digest(flow, receiver, loud)
    return flow


def _just_told(flow: Flow, receiver: str) -> bool:
    stamps = [
        heard.at
        for address, memory in flow.known.memories.items()
        if address.receiver == receiver and memory.route == DIGEST
        for heard in memory.heard.values()
    ]
    return bool(stamps) and 0 <= flow.known.now - max(stamps) < MINUTE


def _later(flow: Flow, loud: list[Batch]) -> Flow:
    """They are due again at once."""
    now = flow.known.now
    waiting = {
        batch.address: replace(
            batch, alerts=(), due=True, reason="many alerts at once: told with the next digest",
            after=batch.before or (replace(batch.after, due=now, heard={}) if batch.after else None),
        )
        for batch in loud
    }  # fmt: skip
    return replace(flow, batches=tuple(waiting.get(batch.address, batch) for batch in flow.batches))


def _digest(flow: Flow, receiver: str, loud: list[Batch]) -> Flow:
    now = flow.known.now
    members = {fingerprint(alert.labels): alert for batch in loud for alert in batch.alerts}
    labels = {"digest": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    address = Address(receiver, group_key(labels, DIGEST))
    route = Route(DIGEST, receiver, group_wait=0.0)
    heard = {key: Heard(now, flap=flow.flaps[key].since if key in flow.flaps else 0.0) for key in members}
    ordered = sorted(members.values(), key=lambda alert: (_urgency(alert), sorted(alert.labels.items())))
    digest = Batch(
        address, labels, route, tuple(members), due=True, alerts=tuple(ordered), reason=summary(len(loud), ordered),
        after=Memory(labels, DIGEST, now + route.group_interval, heard),
    )  # fmt: skip
    reason = "many alerts at once: told in a digest"
    folded = {batch.address: replace(batch, alerts=(), after=None, reason=reason) for batch in loud}
    return replace(flow, batches=(*(folded.get(batch.address, batch) for batch in flow.batches), digest))


def _urgency(alert: Alert) -> int:
    return URGENCY.index(alert.severity) if alert.severity in URGENCY else len(URGENCY)


def summary(groups: int, alerts: list[Alert]) -> str:
    counts = Counter(alert.name for alert in alerts).most_common(3)
    top = ", ".join(f"{name} ({count})" for name, count in counts)
    return f"storm: {groups} groups in one message, most of them {top}"
