"""The thread that reads a target: one connection that is kept, dropped on any error, and closed at the end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from agent import worker
from agent.reading import Reading
from agent.ticking import PartState
from agent.worker import Worker
from collectors.config import Config
from collectors.errors import Absent, Denied, Unreachable
from collectors.model import Part
from tests.agent.fakes import Hanging, Script, connecting, part, reading_threads, watch
from tests.lab.ports import wait_until


class Door:
    """What `connect` gives: it counts, refuses when it is told to, and may fail to close."""

    def __init__(self, refuse: Exception | None = None, broken: Exception | None = None) -> None:
        self.opened = self.closed = 0
        self.refuse, self.broken = refuse, broken

    @contextmanager
    def __call__(self, config: Config) -> Iterator[Config]:
        self.opened += 1
        if self.refuse:
            raise self.refuse
        yield config
        self.closed += 1
        if self.broken:
            raise self.broken


class Working:
    """A worker that is asked for one read at a time."""

    def __init__(self, door: Door, *parts: Part) -> None:
        self.readings: list[Reading] = []
        self._came = threading.Condition()
        self.states = [PartState(each) for each in parts]
        self.worker = Worker(connecting(watch(*parts), door), self._take)

    def _take(self, _state: PartState, reading: Reading) -> None:
        with self._came:
            self.readings.append(reading)
            self._came.notify_all()

    def read(self, number: int = 0) -> str:
        count = len(self.readings)
        self.worker.read([self.states[number]])
        with self._came:
            assert self._came.wait_for(lambda: len(self.readings) > count, 5)
        return self.readings[-1].outcome

    def over(self) -> None:
        self.worker.leave()
        wait_until(lambda: not {t for t in reading_threads() if t.name == "read-fake-a"}, 5, "its thread has ended")


def test_a_connection_is_kept_and_closed_when_the_worker_leaves() -> None:
    door = Door()
    working = Working(door, part(Script()), part(Script([Absent()]), "optional"))
    assert [working.read(), working.read(1), working.read()] == ["ok", "absent", "ok"]
    assert (door.opened, door.closed) == (1, 0)
    working.over()
    assert (door.opened, door.closed) == (1, 1)


@pytest.mark.parametrize("broken", [None, OSError("already closed"), RuntimeError("already closed")])
def test_a_connection_is_dropped_on_any_error_even_if_it_fails_to_close(broken: Exception | None) -> None:
    door = Door(broken=broken)
    working = Working(door, part(Script([1.0, Unreachable("gone"), 2.0])))
    assert [working.read() for _ in range(3)] == ["ok", "unreachable", "ok"]
    assert (door.opened, door.closed) == (2, 1)
    working.over()
    assert door.closed == 2


def test_a_connection_that_cannot_be_had_is_tried_again() -> None:
    door = Door(refuse=Denied("not you"))
    script = Script()
    working = Working(door, part(script))
    assert [working.read(), working.read(), script.reads] == ["denied", "denied", 0]
    door.refuse = None
    assert [working.read(), door.opened, door.closed] == ["ok", 3, 0]
    working.over()


def test_who_leaves_gives_back_what_is_not_begun_and_ends_after_the_read_that_it_is_in() -> None:
    door, hanging = Door(), Hanging()
    working = Working(door, part(Script([hanging])), part(Script(), "second"), part(Script(), "third"))
    working.worker.read(working.states)
    assert hanging.entered.wait(60)
    assert working.worker.waiting() == working.states[1:]
    wait_until(lambda: working.worker.stuck(0.01), 5, "it is stuck")
    assert working.worker.leave() == working.states[1:]
    assert not working.worker.stuck(0)
    assert door.closed == 0
    hanging.let_go()
    working.over()
    assert ([reading.part.name for reading in working.readings], door.closed) == (["fast"], 1)


def test_a_worker_that_nobody_waits_behind_is_not_stuck() -> None:
    hanging = Hanging()
    working = Working(Door(), part(Script([hanging])))
    assert not working.worker.stuck(0)
    working.worker.read(working.states)
    assert hanging.entered.wait(60)
    assert not working.worker.stuck(0)
    hanging.let_go()
    working.over()


def test_a_part_that_is_refused_keeps_the_connection_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door()
    at_work = Working(door, part(Script([Denied("no right")])))
    assert [at_work.read() for _ in range(3)] == ["denied"] * 3
    assert (door.opened, door.closed) == (1, 0)
    monkeypatch.setattr(worker, "RENEW_SECONDS", -1.0)  # a right may have been given that counts for new ones alone
    assert [at_work.read() for _ in range(2)] == ["denied"] * 2
    assert (door.opened, door.closed) == (2, 2)
    at_work.over()
