"""From true to the first byte at the receiver, as it runs, beside a channel that hangs."""

import queue
import time
from pathlib import Path
from typing import Any

import pytest

from alerts.delivery import Delivery
from alerts.evaluator import Evaluator
from alerts.model import Group, Rule
from alerts.path.plan import Plan, Route
from collectors.model import Gauge, Target
from history.embedded import Embedded
from history.store import Store
from tests.alerts.examples import database, webhook
from tests.alerts.receiver import BlackHole, Receiver
from tests.patience import of_many_trials

SCRAPE, INTERVAL, HOLD = 0.5, 1.0, 2.0  # seconds
HOT = Gauge("hot", "")
ROUTES = Route(
    routes=tuple(Route(receiver=name, group_wait=0.0, goes_on=True) for name in ("hole", "ops"))
)  # fmt: skip


@pytest.mark.trials
@of_many_trials
@pytest.mark.a3("Delivery", "One channel that hangs delays neither the rules nor another channel.")
def test_from_true_to_the_first_byte(tmp_path: Path) -> None:
    """Within a scrape, an evaluation and 2 s beyond `for`; the hole comes first."""
    engine = database(tmp_path)
    store = Store(engine)
    with Receiver() as receiver, BlackHole() as hole:
        channels = [webhook(hole.url, "hole", timeout=30), webhook(receiver.url)]
        delivery = Delivery(engine, channels)
        group = Group("hot", "hot.yml", INTERVAL, (Rule("hot > 0", "Hot", hold=HOLD),))
        evaluator = Evaluator(
            Embedded(store), engine, [group], channels=channels, plan=Plan(ROUTES), told=delivery.wake
        )  # fmt: skip
        delivery.start()
        evaluator.start()
        began = time.time()
        body = None
        while body is None and time.time() - began < 30:
            store.append(Target("node", "web1", "web1"), time.time(), [HOT(1)])
            body = _came(receiver, SCRAPE)
        took = time.time() - began
        cycles = evaluator.stats.evaluations
        evaluator.stop()
        delivery.stop(0.1)
    engine.dispose()
    assert body is not None
    assert body["commonLabels"]["alertname"] == "Hot"
    assert cycles >= 3
    assert took <= HOLD + SCRAPE + INTERVAL + 2, f"{took:.1f} s"
    print(f"first byte {took - HOLD:.1f} s beyond `for`, at most {SCRAPE + INTERVAL + 2:.1f} are asked")  # noqa: T201


def _came(receiver: Receiver, seconds: float) -> dict[str, Any] | None:
    try:
        return receiver.bodies.get(timeout=seconds)
    except queue.Empty:
        return None
