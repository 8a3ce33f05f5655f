"""kill -9 anywhere from evaluation to delivery: nothing is lost, and at most one message comes twice, with one key."""

import multiprocessing
import os
import queue
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from alerts import state as outbox
from alerts.desk import TABLES
from history.database import make_tables
from tests.alerts import killed
from tests.alerts.examples import database
from tests.alerts.receiver import Receiver

pytestmark = pytest.mark.trials
KILLS = int(os.environ.get("RAINGAUGE_TRIALS", "10"))
SEED = int(os.environ.get("RAINGAUGE_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
LONGEST = 60.0  # seconds
Said = dict[tuple[int, str], list[str]]
"""(trial, state) -> the key of each message that told it."""


class Trials:
    def __init__(self, folder: Path, engine: Engine, receiver: Receiver) -> None:
        self._folder = folder
        self._engine = engine
        self._receiver = receiver
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.alerts.killed"])
        self.said: Said = defaultdict(list)

    @contextmanager
    def running(self) -> Iterator[ForkServerProcess]:
        process = self._context.Process(target=killed.run, args=(self._folder, self._receiver.url), daemon=True)
        process.start()
        try:
            yield process
        finally:
            process.kill()
            process.join()
        assert process.exitcode == -9, "it died of itself"

    def take(self, timeout: float = 0.0) -> bool:
        """One message, if one comes in time."""
        try:
            body = self._receiver.bodies.get(timeout=timeout) if timeout else self._receiver.bodies.get_nowait()
        except queue.Empty:
            return False
        for alert in body["alerts"]:
            self.said[int(alert["labels"]["trial"]), alert["status"]].append(body["key"])
        return True

    def killed_in(self, seconds: float) -> None:
        with self.running() as process:
            process.join(seconds)
        while self.take():
            pass

    def killed_at_receipt(self, seconds: float) -> None:
        """So many seconds after the receiver got something: before it answered, before that was stored, after."""
        with self.running() as process:
            assert self.take(LONGEST)
            process.join(seconds)
        while self.take():
            pass

    def settle(self, trial: int, state: str) -> None:
        """Run until it was told, and nothing waits any more: the kill at the end interrupts nothing."""
        deadline = time.monotonic() + LONGEST
        with self.running():
            while (trial, state) not in self.said or outbox.waiting(self._engine):
                self.take(0.01)
                assert time.monotonic() < deadline, f"lost: {trial} {state}"


@pytest.fixture
def trials(tmp_path: Path) -> Iterator[Trials]:
    engine = database(tmp_path)
    make_tables(engine, TABLES)
    with Receiver() as receiver:
        yield Trials(tmp_path, engine, receiver)
    engine.dispose()


def test_nothing_is_lost(trials: Trials, tmp_path: Path) -> None:
    dice, alerts = random.Random(SEED), (KILLS + 1) // 2
    killed.say(tmp_path, [])
    for trial in range(-1, alerts):
        for state, true in (("firing", [trial]), ("resolved", [])):
            killed.say(tmp_path, true)
            began = time.monotonic()
            if trial < 0:  # how long it takes
                trials.settle(trial, state)
                took = time.monotonic() - began
                continue
            if dice.random() < 0.5:
                trials.killed_in(dice.uniform(0, 1.2 * took))
            else:
                trials.killed_at_receipt(dice.uniform(0, 0.01))
            trials.settle(trial, state)
    expected = {(trial, state) for trial in range(-1, alerts) for state in ("firing", "resolved")}
    assert trials.said.keys() == expected
    assert len({keys[0] for keys in trials.said.values()}) == len(expected), "two messages with one key"
    assert all(len(keys) <= 2 and len(set(keys)) == 1 for keys in trials.said.values()), trials.said
    assert _integrity(tmp_path) == "ok"
    twice = sum(len(keys) == 2 for keys in trials.said.values())
    print(f"seed {SEED}: {2 * alerts} kills, {len(expected)} alerts and ends told, {twice} of them twice")  # noqa: T201


def _integrity(folder: Path) -> Any:
    engine = database(folder)
    with engine.connect() as connection:
        found = connection.execute(text("PRAGMA integrity_check")).scalar()
    engine.dispose()
    return found
