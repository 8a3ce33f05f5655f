"""A receiver that is away for an hour, and a storm: nothing is lost, all in order, and memory stays bounded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from alerts import state
from alerts.delivery import Delivery
from alerts.notifier import Answer, Request
from tests.alerts.examples import T
from tests.alerts.walk import Walk, routes

EACH = "route: {receiver: ops, group_by: [alertname, host], group_wait: 0s, group_interval: 1m, repeat_interval: 24h}"
HOUR = 3600.0


class Away(Walk):
    """The walk with delivery as it is; `ops` answers nothing until the hour is over."""

    def __init__(self, engine: Engine, trouble: Answer | Exception) -> None:
        super().__init__(engine, routes(EACH))
        self.trouble = trouble
        self.bodies: list[dict[str, str]] = []
        self.tries = 0
        self.restart()

    def restart(self) -> None:
        self.delivery = Delivery(self.engine, self.channels[:1], lambda: self.now, self._send, lambda: 1.0)

    def _send(self, request: Request, _timeout: float) -> Answer:
        self.tries += 1
        if self.now >= T + HOUR:
            self.bodies.append({alert["labels"]["host"]: alert["status"] for alert in request.json["alerts"]})
            return Answer(200)
        if isinstance(self.trouble, Exception):
            raise self.trouble
        return self.trouble

    def deliver(self) -> None:
        for _ in range(100):
            if self.delivery.deliver_next(self.channels[0]) > 0:
                return


@pytest.mark.parametrize(("trouble", "restarts"), [(Answer(503), False), (ConnectionRefusedError(111, "no"), True)])
@pytest.mark.a3("Delivery", "After an hour without the receiver all arrive, each once, in the order they came.")
def test_an_hour_without_the_receiver(engine: Engine, trouble: Answer | Exception, restarts: bool) -> None:
    walk = Away(engine, trouble)
    for number in range(30):
        walk.fire(host=f"h{number:02}")
        walk.tick(60, each=30)
        if number % 3 == 0:
            walk.end(host=f"h{number:02}")
        if restarts and number % 10 == 9:
            walk.restart()
    walk.tick(HOUR - 1800 + 120, each=30)
    told = [(host, status) for body in walk.bodies for host, status in body.items()]
    expected = [(f"h{number:02}", "resolved" if number % 3 == 0 else "firing") for number in range(30)]
    assert (sorted(told) if restarts else told) == expected  # a restart may begin with another one
    assert state.waiting(engine) == {}
    assert walk.tries - len(walk.bodies) < 150, "the breaker lets one try a minute through"


@pytest.mark.trials
@pytest.mark.a3("Suppressing", "10,000 alerts in a minute are one digest, all of them in the log, in bounded memory.")
def test_ten_thousand_alerts_in_a_minute(tmp_path: Path) -> None:
    found = []
    for alerts in (10, 10_000):
        (folder := tmp_path / str(alerts)).mkdir()
        command = [sys.executable, "-m", "tests.alerts.storming", str(folder), str(alerts)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    few, many = found
    assert (few["messages"], many["messages"]) == (10, 1)
    assert many["told"] == many["decided"] == many["events"] == many["states"] == 10_000
    assert many["rss"] - few["rss"] < 200, f"{few['rss']:.0f} MB before, {many['rss']:.0f} MB after"
    print(f"10,000 alerts: {many}, with ten: {few}")  # noqa: T201
