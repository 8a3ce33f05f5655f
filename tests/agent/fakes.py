"""Collectors that do as the test says: answer, fail, hang, and tell how often they were read."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from agent.runner import Runner
from agent.ticking import Watch
from collectors.config import Config
from collectors.model import Collector, Event, Family, Gauge, Part, Sample, Target
from history.model import Sink
from tests.lab.ports import wait_until

UP = Gauge("fake_up", "1 when it answered.")
VALUE = Gauge("fake_value", "A value.")
OTHER = Gauge("fake_other_value", "Another value of the same part.")
SLOW = Gauge("fake_slow_value", "A value of a slow part.")


class Fake(Config):
    name: str = "a"


@dataclass
class Script:
    """What the next reads of a part do: a number is answered, an exception raised, a callable called."""

    answers: list[Any] = field(default_factory=lambda: [1.0])
    reads: int = 0

    def read(self, _config: Config) -> float:
        at = min(self.reads, len(self.answers) - 1)
        self.reads += 1
        answer = self.answers[at]
        if isinstance(answer, Exception):
            raise answer
        return float(answer() if callable(answer) else answer)


def part(script: Script, name: str = "fast", interval: float = 10.0, family: Family = VALUE) -> Part:
    def parse(value: float) -> Iterable[Sample]:
        yield family(value)
        if family is VALUE:
            if value < 0:
                raise ValueError("a negative value is a bug")
            yield OTHER(value + 1)

    return Part(name, (family, OTHER), script.read, parse, interval)


def watch(*parts: Part, name: str = "a", up: Callable[[Any, int], Sample] | None = None) -> Watch:
    collector = Collector(
        f"fake-{name}",
        "fake",
        Fake,
        parts=parts,
        instance=lambda config, host: f"{host}:{config.name}",
        discover=lambda _inventory: (),
        up=up or (lambda _config, value: UP(value)),
    )
    return Watch(collector, Fake(name=name))


def connecting(watch: Watch, connect: Callable[[Any], AbstractContextManager[Any]]) -> Watch:
    """The same over a kept connection."""
    return replace(watch, collector=replace(watch.collector, connect=connect))


class Hanging:
    """A read that does not return before `let_go`; the test waits for it with `entered`."""

    def __init__(self, error: Exception | None = None) -> None:
        self.entered = threading.Event()
        self.over = threading.Event()
        self._error = error

    def __call__(self) -> float:
        self.entered.set()
        self.over.wait(30)
        if self._error:
            raise self._error
        return 7.0

    def let_go(self) -> None:
        self.over.set()


@dataclass
class Kept:
    """history.model.Sink that keeps what it is given, or refuses it."""

    ticks: list[tuple[Target, float, Sequence[Sample]]] = field(default_factory=list)
    refuse: str = ""

    def append(self, target: Target, t: float, samples: Sequence[Sample]) -> None:
        if self.refuse:
            raise ValueError(self.refuse)
        self.ticks.append((target, t, tuple(samples)))

    def record(self, *events: Event) -> None:
        raise NotImplementedError

    def of(self, instance: str) -> list[tuple[float, dict[str, float]]]:
        return [
            (t, {sample.family.name: sample.value for sample in samples})
            for target, t, samples in self.ticks
            if target.instance == instance
        ]


NOW = 1_790_000_000.0


class Run:
    """A runner that the test ticks; its clock is the test's."""

    def __init__(self, *watches: Watch, sink: Sink | None = None) -> None:
        self.now = NOW
        self.kept = Kept()
        self.runner = Runner("web", sink or self.kept, version="1", clock=lambda: self.now)
        self.runner.set_targets(watches)

    def tick(self, seconds: float = 10.0) -> None:
        self.now += seconds
        self.runner.tick(self.runner.watched(), self.now)

    def of(self, instance: str) -> dict[str, float]:
        """The last tick of that target in history."""
        return self.kept.of(instance)[-1][1]

    def own(self, name: str, **labels: str) -> float | None:
        """The value of the one series of /metrics that has these labels."""
        text = self.runner.pages.metrics.text.decode()
        found = [
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert len(found) < 2, (name, labels, found)
        return found[0] if found else None

    def until_answered(self, instance: str, part: int = 0) -> None:
        (state,) = [
            watched.ticking.parts[part]
            for watched in self.runner.watched()
            if watched.ticking.target.instance == instance
        ]
        wait_until(lambda: state.reading_since is None, 5, f"the late answer of {instance} is taken")


@contextmanager
def running(*watches: Watch, sink: Sink | None = None) -> Iterator[Run]:
    """At the end every thread that reads must end: one that hangs is let go by the test before."""
    before = reading_threads()
    run = Run(*watches, sink=sink)
    yield run
    for watched in run.runner.watched():
        watched.leave()
    wait_until(lambda: reading_threads() <= before, 10, "every thread that reads has ended")


def reading_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("read-")}
