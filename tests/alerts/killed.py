"""The process that the trials kill: rules, path and delivery as the agent runs them, over what a file says is true."""

import json
from collections.abc import Sequence
from pathlib import Path

from alerts.delivery import Delivery
from alerts.evaluator import Evaluator
from alerts.model import Group, Rule
from alerts.path import storm
from alerts.path.plan import Plan, Route
from history.database import open_database
from history.events import Events
from history.local import Local
from history.model import Point, Vector
from history.store import Store
from tests.alerts.examples import webhook

INTERVAL = 0.02
"""Seconds between two evaluations."""
TRUE = "true.json"
"""In the folder: numbers of the trials whose condition holds."""


class Told:
    """A source of one series for each number."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / TRUE

    def query(self, _expr: str, at: float) -> Vector:
        return Vector(tuple(Point({"trial": str(number)}, at, 1.0) for number in json.loads(self._file.read_text())))


def say(folder: Path, numbers: Sequence[int]) -> None:
    """At once, as the other process may read it at any time."""
    (folder / "next").write_text(json.dumps(list(numbers)))
    (folder / "next").replace(folder / TRUE)


def run(folder: Path, url: str) -> None:
    """Until it is killed. Without digests, whose ends are told later."""
    storm.MOST = 10**9
    engine = open_database(folder)
    rule = Rule("x", "Trial", labels={"severity": "warning"})
    route = Route(receiver="ops", group_by=("alertname", "trial"), group_wait=0.0, group_interval=0.0)
    delivery = Delivery(engine, [webhook(url)])
    evaluator = Evaluator(
        Told(folder), engine, [Group("trials", "trials.yml", INTERVAL, (rule,))],  # type: ignore[arg-type]
        channels=[webhook(url)], plan=Plan(route), sink=Local(Store(engine), Events(engine)), told=delivery.wake,
    )  # fmt: skip
    delivery.start()
    evaluator.start()
    evaluator._thread.join()
