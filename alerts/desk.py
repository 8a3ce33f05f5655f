"""What people ask about alerts and do to them: who is told, what is suppressed and by whom, why, silences.

From the database alone, so that it works beside the process that evaluates, and without it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from alerts import pipeline, received, silences, state
from alerts.model import Alert
from alerts.notices import fingerprint
from alerts.path import store
from alerts.path.flow import Flow, Mark, Memory, Receiver
from alerts.path.plan import Plan, Route
from alerts.path.store import Decision
from alerts.recording import in_order
from alerts.silences import Silence
from history.database import make_tables

TABLES = (
    state.alert_table, state.told_table, state.outbox_table, silences.silence_table, received.received_table,
    store.group_table, store.flap_table, store.decision_table,
)  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """One alert on its way to people."""

    fingerprint: str
    alert: Alert
    mark: Mark
    flapping: bool
    receivers: tuple[str, ...]
    """Those that its routes name."""
    told: Mapping[str, float]
    """Receiver -> since when it knows, Unix seconds."""
    undelivered: frozenset[str] = frozenset()
    """Of those the ones that have taken no message of its group yet."""

    @property
    def held_by(self) -> str:
        """Why nobody is told; "" if they are."""
        return self.mark.text or ("flapping" if self.flapping else "")


class Desk:
    """Any thread, any process."""

    def __init__(
        self,
        engine: Engine,
        plan: Callable[[], Plan],
        receivers: Mapping[str, Receiver],
        clock: Callable[[], float],
    ) -> None:
        self.engine = engine
        self.plan = plan
        self.receivers = receivers
        self.clock = clock
        make_tables(engine, TABLES)

    def flow(self) -> Flow:
        """What the path makes of all alerts now."""
        now = self.clock()
        alerts = state.alerts(self.engine)
        with self.engine.connect() as connection:
            alerts += received.received(connection, now)
            return pipeline.survey(connection, self.receivers, self.plan(), alerts, now)

    def standings(self) -> Sequence[Standing]:
        """Firing alerts, the worst first."""
        flow = self.flow()
        firing = in_order(alert for alert in flow.alerts.values() if alert.state == "firing")
        return [standing(flow, alert) for alert in firing]

    def pending(self) -> Sequence[Alert]:
        return in_order(alert for alert in state.alerts(self.engine) if alert.state == "pending")

    def decisions(self, key: str) -> Sequence[Decision]:
        """What was decided on the alert with this fingerprint, newest first."""
        with self.engine.connect() as connection:
            return store.decisions(connection, key)

    def next_ticks(self, key: str) -> Sequence[tuple[str, Memory]]:
        """The groups that the alert is in: receiver and memory."""
        return [
            (batch.address.receiver, batch.before)
            for batch in self.flow().batches
            if key in batch.members and batch.before
        ]

    def routes(self, alert: Alert) -> Sequence[Route]:
        return list(self.plan().root.taken(alert.labels))

    def silences(self, ends_after: float = 0.0) -> Sequence[Silence]:
        with self.engine.connect() as connection:
            return silences.silences(connection, ends_after)


def standing(flow: Flow, alert: Alert) -> Standing:
    key = fingerprint(alert.labels)
    routes = flow.known.plan.root.taken(alert.labels)
    told: dict[str, float] = {}
    undelivered: set[str] = set()
    for address, memory in flow.known.memories.items():
        if key in memory.heard:
            told[address.receiver] = min(memory.heard[key].at, told.get(address.receiver, memory.heard[key].at))
            if not ((said := flow.known.told.get(address)) and said.received):
                undelivered.add(address.receiver)
    return Standing(
        key,
        alert,
        flow.marks.get(key, Mark()),
        bool(key in flow.flaps and flow.flaps[key].since),
        tuple(dict.fromkeys(route.receiver for route in routes if route.receiver)),
        told,
        frozenset(undelivered),
    )
