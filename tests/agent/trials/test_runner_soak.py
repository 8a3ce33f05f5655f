"""A long life in a short time: collectors that answer, fail, hang and change their labels; targets that come and go.

What is kept must not grow, what hangs must take no more than its own thread, and what is published must be true.
"""

import random
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest

from agent.runner import Runner
from agent.ticking import Watch
from agent.watched import Watched
from collectors.config import Config
from collectors.errors import Absent, Denied, ParseError, Unreachable
from collectors.model import Collector, Counter, Part, Sample, Target
from tests.agent.fakes import NOW, Kept, reading_threads
from tests.agent.trials.dice import TRIALS, dice
from tests.lab.ports import wait_until

pytestmark = pytest.mark.trials

TICKS_A_TRIAL = 10
TARGETS = 6
INTERVAL = 0.1
BOUND = 8
ERRORS = (Unreachable("x"), Denied("x"), ParseError("x"), Absent(), KeyError("x"), OSError("x"), TimeoutError())
READ = Counter("soak_reads_total", "The read's number.", ("part", "label"), bounds={"label": BOUND}, keep_highest=True)


class Soak(Config):
    name: str


@dataclass
class World:
    """What the reads do, by chance; `hanging` are those that are let go later."""

    chance: random.Random
    lock: threading.Lock = field(default_factory=threading.Lock)
    hanging: list[threading.Event] = field(default_factory=list)
    reads: int = 0

    def read(self, part: str) -> list[tuple[str, str, int]]:
        with self.lock:
            self.reads += 1
            number, roll = self.reads, self.chance.random()
            labels = [f"{self.chance.randrange(10_000)}" for _ in range(self.chance.randrange(4))]
            gate = threading.Event()
            if roll < 0.03:
                self.hanging.append(gate)
        if roll < 0.03:
            gate.wait(60)
        if roll > 0.7:
            raise ERRORS[number % len(ERRORS)]
        return [(part, label, number) for label in dict.fromkeys(["always", *labels])]

    def let_go(self, share: float) -> None:
        with self.lock:
            going = [gate for gate in self.hanging if self.chance.random() < share]
            self.hanging = [gate for gate in self.hanging if gate not in going]
        for gate in going:
            gate.set()

    def watch(self, name: str) -> Watch:
        def parse(found: Sequence[tuple[str, str, int]]) -> Iterable[Sample]:
            for part, label, number in found:
                yield READ(number, part, label)
                if number % 11 == 0:
                    raise ParseError("the rest is cut off")

        parts = [
            Part(kind, (READ,), lambda _config, kind=kind: self.read(kind), parse, interval)  # type: ignore[misc]
            for kind, interval in (("fast", INTERVAL), ("other", INTERVAL), ("slow", 5 * INTERVAL))
        ]
        collector = Collector(
            "soak", "soak", Soak, tuple(parts), lambda config, host: f"{host}:{config.name}", lambda _: ()
        )
        return Watch(collector, Soak(name=name))


def size(watched: Watched) -> int:
    """Everything that a target keeps from read to read."""
    ticking = watched.ticking
    labels = [len(each) for each in ticking._known.values()]
    assert max(labels, default=0) <= BOUND
    return sum(labels) + len(ticking._highest) + len(ticking.overflow)


def check(runner: Runner, sink: Kept, world: World) -> None:
    targets = runner.watched()
    most = 3 * (BOUND + 1) + BOUND + 3 + 2  # series of three parts, labels, part names, overflows
    assert all(size(watched) <= most for watched in targets if watched.ticking.target.job == "soak")
    assert set(runner.pages.targets()) <= {watched.ticking.target for watched in targets}
    with world.lock:
        hanging = len(world.hanging)
    wait_until(lambda: len(reading_threads()) <= len(targets) + hanging, 10, "a thread a target and a hung read")
    last: dict[Target, float] = {}
    for target, stamp, samples in sink.ticks:
        assert stamp > last.get(target, 0), f"{target.instance} at {stamp}"
        last[target] = stamp
        if target.job == "soak":
            _whole(samples)
    sink.ticks.clear()


def _whole(samples: Sequence[Sample]) -> None:
    """Of each part all samples of one read, or none; `always` came first and is never lost."""
    for part in ("fast", "other", "slow"):
        mine = [sample for sample in samples if sample.family is READ and sample.labels[0] == part]
        assert not mine or any(sample.labels[1] == "always" for sample in mine)
        numbers = {sample.value for sample in mine if sample.labels[1] != "other"}
        assert len(numbers) <= 1
        assert all(number % 11 for number in numbers)


def test_a_long_life() -> None:
    chance = dice()
    world, sink, now = World(chance), Kept(), [NOW]
    runner = Runner("web", sink, clock=lambda: now[0])
    for _ in range(TRIALS):
        names = chance.sample("abcdefghij", TARGETS)
        runner.set_targets([world.watch(name) for name in names])
        for _ in range(TICKS_A_TRIAL):
            now[0] += INTERVAL
            ticks = [threading.Thread(target=runner.tick, args=[group, now[0]]) for group in _groups(runner)]
            for tick in ticks:
                tick.start()
            for tick in ticks:
                tick.join(60)
                assert not tick.is_alive()
            world.let_go(0.2)
        check(runner, sink, world)
    world.let_go(1)
    runner.set_targets(())
    wait_until(lambda: len(reading_threads()) <= 1, 10, "only our own thread is left")
    for watched in runner.watched():
        watched.leave()


def _groups(runner: Runner) -> list[list[Watched]]:
    """Two that tick at the same time, our own target in one of them."""
    targets = runner.watched()
    return [targets[::2], targets[1::2]]
