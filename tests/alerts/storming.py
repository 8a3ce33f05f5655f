"""A storm in a process of its own, so that its memory can be measured."""

import json
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from alerts import state
from alerts.desk import TABLES
from alerts.evaluator import Evaluator
from alerts.model import Group, Rule
from alerts.path import store
from alerts.path.plan import Plan, Route
from history.database import make_tables, open_database
from history.events import Events
from history.local import Local
from history.model import Point, Vector
from history.store import Store
from tests.alerts.examples import T, webhook

ROUTE = Route(receiver="ops", group_by=("alertname", "host"), group_wait=10.0, group_interval=60.0)


@dataclass
class Hosts:
    """A source with so many hosts in trouble."""

    number: int

    def query(self, _expr: str, at: float) -> Vector:
        return Vector(tuple(Point({"host": f"host{number}"}, at, 1.0) for number in range(self.number)))


def run(folder: Path, alerts: int) -> dict[str, float]:
    """Evaluated each 10 s for a minute."""
    engine = open_database(folder)
    make_tables(engine, TABLES)
    rule = Rule("x", "Storm", labels={"severity": "critical"}, annotations={"summary": "{{ $labels.host }} is down"})
    events = Events(engine)
    evaluator = Evaluator(
        Hosts(alerts), engine, [Group("storm", "storm.yml", 10.0, (rule,))],  # type: ignore[arg-type]
        channels=[webhook()], plan=Plan(ROUTE), sink=Local(Store(engine), events), clock=lambda: T,
    )  # fmt: skip
    longest = 0.0
    for tick in range(7):
        began = time.perf_counter()
        evaluator.run_due(T + 10 * tick)
        longest = max(longest, time.perf_counter() - began)
    messages = 0
    told: set[str] = set()
    while message := state.next_message(engine, "ops"):
        messages += 1
        told |= {alert.labels["host"] for alert in message.notice.alerts}
        state.sent(engine, message)
    with engine.connect() as connection:
        query = select(store.decision_table.c.fingerprints).where(store.decision_table.c.decision == "told")
        decided = {key for row in connection.execute(query) for key in row.fingerprints.split()}
    logged = sum(event.count for event in events.events(T, T + 60, kind="alert"))
    states = sum(len(rule.alerts) for rule in state.load(engine).values())
    return {
        "messages": messages, "told": len(told), "decided": len(decided), "events": logged, "states": states,
        "longest_cycle_seconds": round(longest, 1),
    }  # fmt: skip


if __name__ == "__main__":
    found = run(Path(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps({**found, "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))  # noqa: T201
