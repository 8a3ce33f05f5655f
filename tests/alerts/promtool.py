"""Run Prometheus' rule unit tests against our store, PromQL and engine.

Format: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
Here: input_series, evaluation_interval and promql_expr_test.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import promql_parser
import yaml

from alerts.evaluator import Evaluator
from alerts.model import Group
from alerts.rulefile import load
from collectors.config import seconds
from collectors.model import Event, Family, Sample, Target
from history.database import open_database
from history.embedded import Embedded
from history.model import Vector
from history.store.store import Store

Labels = frozenset[tuple[str, str]]
RUN = re.compile(r"(?P<start>-?[\d.]+|_)(?P<step>[+-][\d.]+)?(?:x(?P<times>\d+))?")


class Kept:
    """A sink without events."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.events: list[Event] = []

    def append(self, target: Target, t: float, samples: Sequence[Sample]) -> None:
        self._store.append(target, t, samples)

    def record(self, event: Event) -> None:
        self.events.append(event)


def values(notation: str) -> list[float | None]:
    """`1+2x3` -> 1, 3, 5, 7; `_x2` -> None, None."""
    found: list[float | None] = []
    for word in notation.split():
        run = RUN.fullmatch(word)
        assert run, f"not a run of values: {word!r}"
        times = int(run["times"] or 0)
        if run["start"] == "_":
            found += [None] * max(times, 1)
        else:
            found += [float(run["start"]) + n * float(run["step"] or 0) for n in range(times + 1)]
    return found


def labels_of(selector: str) -> dict[str, str]:
    tree: Any = promql_parser.parse(selector)
    labels = {match.name: match.value for match in tree.matchers.matchers}
    return {**labels, "__name__": tree.name} if tree.name else labels


def run(file: Path, state: Path) -> Iterator[tuple[str, set[tuple[Labels, float]], set[tuple[Labels, float]]]]:
    """What was asked when, what is expected, and what we answer."""
    tests = yaml.safe_load(file.read_text())
    interval = float(seconds(tests["evaluation_interval"]))
    for number, test in enumerate(tests["tests"]):
        groups, errors = load([(file.parent / name).resolve() for name in tests["rule_files"]])
        assert not errors
        engine = open_database(state / str(number))
        store = Store(engine)
        source = Embedded(store)
        now = 0.0
        evaluator = Evaluator(
            source, engine, _asked(groups, str(test["promql_expr_test"]), interval), sink=Kept(store), clock=lambda: 0.0
        )
        ticks = _ticks(test)
        for ask in sorted(test["promql_expr_test"], key=lambda ask: seconds(ask["eval_time"])):
            while now <= float(seconds(ask["eval_time"])):
                for target, family_samples in ticks.get(now, {}).items():
                    store.append(target, now, family_samples)
                evaluator.run_due(now)
                now += interval
            answer = source.query(ask["expr"], now - interval)
            assert isinstance(answer, Vector)
            expected = {
                (frozenset(labels_of(each["labels"]).items()), float(each["value"])) for each in ask["exp_samples"]
            }
            yield (
                f"{ask['expr']} at {ask['eval_time']}",
                expected,
                {(frozenset(point.labels.items()), point.value) for point in answer.points},
            )
        assert [health.last_error for health in evaluator.health() if health.last_error] == []
        engine.dispose()


def _asked(groups: Sequence[Group], asks: str, interval: float) -> list[Group]:
    """Only the alerts that are asked for, and whatever is recorded; at the file's interval, as promtool does."""
    asked = [tuple(rule for rule in group.rules if rule.record or f'"{rule.alert}"' in asks) for group in groups]
    return [replace(group, interval=interval, rules=rules) for group, rules in zip(groups, asked, strict=True)]


def _ticks(test: dict[str, Any]) -> dict[float, dict[Target, list[Sample]]]:
    step = float(seconds(test["interval"]))
    ticks: dict[float, dict[Target, list[Sample]]] = {}
    for series in test["input_series"]:
        labels = labels_of(series["series"])
        target = Target(labels.pop("job"), labels.pop("instance"), labels.pop("host"))
        family = Family(labels.pop("__name__"), "", tuple(labels))
        for index, value in enumerate(values(series["values"])):
            samples = ticks.setdefault(index * step, {}).setdefault(target, [])
            if value is not None:
                samples.append(family(value, *labels.values()))
    return ticks
