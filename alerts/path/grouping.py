"""Stages that make groups: by the routing tree, for escalation, of digests, and of what is only remembered."""

from dataclasses import replace

from alerts.notices import group_key
from alerts.path.flow import Address, Batch, Flow, Heard
from alerts.path.plan import Route

DIGEST = "{}/digest"
"""Route of groups that are made in a storm."""


def group(flow: Flow) -> Flow:
    """A group for each route that firing alerts take, where its receiver is a channel."""
    batches: dict[Address, Batch] = {}
    for key, alert in flow.alerts.items():
        for route in flow.known.plan.root.taken(alert.labels):
            receiver = flow.known.receivers.get(route.receiver)
            if receiver is None or not receiver.hears(alert):
                continue
            labels = route.group_labels(alert.labels)
            address = Address(route.receiver, group_key(labels, route.key))
            batch = batches.get(address) or Batch(address, labels, route, before=flow.known.memories.get(address))
            if flow.firing(key) or key in batch.heard:
                batches[address] = replace(batch, members=(*batch.members, key))
    return replace(flow, batches=tuple(batches.values()))


def escalate(flow: Flow) -> Flow:
    """What a receiver has known for long and nobody acknowledged goes to the next one too."""
    added: list[Batch] = []
    for batch in flow.batches:
        for number, (after, receiver) in enumerate(batch.route.escalate, 1):
            key = f"{batch.route.key}/escalation {number}"
            address = Address(receiver, group_key(batch.labels, key))
            if receiver not in flow.known.receivers:
                continue
            route = replace(batch.route, key=key, receiver=receiver, group_wait=0.0, escalate=(), is_escalation=True)
            before = flow.known.memories.get(address)
            members = tuple(
                member
                for member in batch.members
                if (before and member in before.heard)
                or (
                    member not in flow.marks
                    and (heard := _heard(flow, batch, member))
                    and not heard.held
                    and flow.known.now - heard.at >= after
                )
            )
            if members:
                added.append(Batch(address, batch.labels, route, members, before))
    return replace(flow, batches=(*flow.batches, *added))


def _heard(flow: Flow, batch: Batch, member: str) -> Heard | None:
    """How the batch's receiver heard of an alert, in the group itself or in a digest."""
    if member in batch.heard:
        return batch.heard[member]
    receiver = batch.address.receiver
    digests = [
        memory
        for at, memory in flow.known.memories.items()
        if at.receiver == receiver and memory.route == DIGEST and member in memory.heard
    ]
    return digests[0].heard[member] if digests else None


def digests(flow: Flow) -> Flow:
    """What a receiver heard of in a digest stays there until it is over."""
    added: list[Batch] = []
    taken: dict[str, set[str]] = {}
    for address, memory in flow.known.memories.items():
        if memory.route == DIGEST and address.receiver in flow.known.receivers:
            members = tuple(memory.heard)
            taken.setdefault(address.receiver, set()).update(members)
            route = Route(DIGEST, address.receiver, group_wait=0.0)
            added.append(Batch(address, memory.labels, route, members, memory))
    rest = (
        replace(batch, members=tuple(key for key in batch.members if key not in taken.get(batch.address.receiver, ())))
        for batch in flow.batches
    )
    return replace(flow, batches=(*rest, *added))


def remembered(flow: Flow) -> Flow:
    """Groups that no alert is in any more, or that no route makes any more."""
    here = {batch.address for batch in flow.batches}
    routes = {(route.receiver, route.key): route for route in flow.known.plan.root.every()}
    added = [
        Batch(address, memory.labels, routes.get((address.receiver, memory.route), Route(memory.route)), (), memory)
        for address, memory in flow.known.memories.items()
        if address not in here and address.receiver in flow.known.receivers
    ]
    return replace(flow, batches=(*(batch for batch in flow.batches if batch.members or batch.before), *added))
