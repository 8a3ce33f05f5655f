"""Tests stepped through our evaluator over a history in memory; what differs is said as promtool says it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Engine, create_engine

from alerts.evaluator import Evaluator
from alerts.model import Group
from alerts.rulefile import RuleFileError
from alerts.rulefile import load as load_rules
from alerts.ruletest.file import AlertTest, Expected, ExprTest, File, Test
from alerts.ruletest.memory import STALE, Memory
from alerts.ruletest.notation import End, shown
from alerts.templates.values import digits_of, four
from history.database import METADATA
from history.embedded import Embedded
from history.model import Labels, QueryError, Scalar, Text, Vector

UNITS = (("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))
NEAR = 1e-6
"""How far a value may be off where `fuzzy_compare` is set, as a part of it."""


@dataclass(frozen=True)
class Difference:
    test: str
    asked: str
    """The alert's name or the expression."""
    at: float  # seconds after the start
    expected: str
    found: str

    def __str__(self) -> str:
        name = f"    name: {self.test},\n" if self.test else ""
        return (
            f"{name}    {self.asked}, time: {span(self.at)},\n        exp: {self.expected}\n        got: {self.found}"
        )


def run(file: File) -> Iterator[Difference]:
    """Each difference. RuleFileError for a rule file that cannot be loaded."""
    for test in file.tests:
        groups, errors = load_rules(file.rule_files)
        if errors:
            raise errors[0]
        engine = create_engine("sqlite://")
        try:
            METADATA.create_all(engine)
            yield from Stepping(file, test, ordered(file, groups), engine).differences()
        finally:
            engine.dispose()


def ordered(file: File, groups: Sequence[Group]) -> list[Group]:
    """All are evaluated at the test's interval, whatever their own is."""
    if len(set(file.order)) < len(file.order):
        raise RuleFileError(str(file.path), 1, "group_eval_order", "a group a second time", "each once")
    place = {name: at for at, name in enumerate(file.order)}
    ordered = sorted(groups, key=lambda group: place.get(group.name, 0))
    return [replace(group, interval=file.interval) for group in ordered]


class Stepping:
    """The rules of a file over the series of one of its tests."""

    def __init__(self, file: File, test: Test, groups: Sequence[Group], engine: Engine) -> None:
        self._file = file
        self._test = test
        memory = _filled(test, file.interval)
        self.source = Embedded(memory)
        self._evaluator = Evaluator(
            self.source, engine, groups, sink=memory, clock=lambda: test.start,
            external_labels=test.external_labels, external_url=test.external_url,
        )  # fmt: skip

    def step(self, at: float) -> None:
        """Evaluate all rules as of so many seconds after the start."""
        self._evaluator.evaluate(self._test.start + at)

    def firing(self, name: str) -> list[Expected]:
        """The alerts of that name as of the last step, in order."""
        found = [alert for alert in self._evaluator.alerts() if alert.name == name and alert.state == "firing"]
        texts = [{name: text for name, text in alert.annotations.items() if text} for alert in found]
        return sorted((Expected(*each) for each in zip((a.labels for a in found), texts, strict=True)), key=_order)

    def differences(self) -> Iterator[Difference]:
        failed: set[tuple[str, str]] = set()
        for step in range(int(self._test.end / self._file.interval) + 1):
            at = step * self._file.interval
            self.step(at)
            for health in self._evaluator.health():
                name = health.rule.alert or health.rule.record
                if health.last_error and (name, health.last_error) not in failed:
                    failed.add((name, health.last_error))
                    yield Difference(self._test.name, f"rule: {name}", at, "no error", health.last_error)
            for test in self._test.alerts:
                if at <= test.at < at + self._file.interval:
                    yield from self._alerts(test)
        for expr in self._test.exprs:
            yield from self._samples(expr)

    def _alerts(self, test: AlertTest) -> Iterator[Difference]:
        found = self.firing(test.name)
        wanted = sorted(
            (replace(each, labels={**each.labels, "alertname": test.name}) for each in test.alerts), key=_order
        )
        if found != wanted:
            yield Difference(self._test.name, f"alertname: {test.name}", test.at, _listed(wanted), _listed(found))

    def _samples(self, test: ExprTest) -> Iterator[Difference]:
        asked = f'expr: "{test.expr}"'
        wanted = sorted(test.samples, key=lambda sample: shown(sample[0]))
        try:
            result = self.source.query(test.expr, self._test.start + test.at)
        except QueryError as error:
            yield Difference(self._test.name, asked, test.at, _values(wanted), f"error: {error}")
            return
        found: list[tuple[Labels, float]] = []
        if isinstance(result, Vector):
            found = sorted(((point.labels, point.value) for point in result.points), key=lambda each: shown(each[0]))
        elif isinstance(result, Scalar):
            found = [({}, result.value)]
        elif isinstance(result, Text):
            found = [({"__value__": result.value}, math.nan)]
        same = len(found) == len(wanted) and all(
            dict(labels) == dict(other) and self._alike(value, expected)
            for (labels, value), (other, expected) in zip(found, wanted, strict=True)
        )
        if not same:
            yield Difference(self._test.name, asked, test.at, _values(wanted), _values(found))

    def _alike(self, found: float, wanted: float) -> bool:
        if math.isnan(found) or math.isnan(wanted):
            return math.isnan(found) and math.isnan(wanted)
        return found == wanted or (self._file.fuzzy and math.isclose(found, wanted, rel_tol=NEAR))


def _filled(test: Test, interval: float) -> Memory:
    memory, step = Memory(), test.interval or interval
    for labels, values in test.input:
        points = {
            round((test.start + at * step) * 1000): STALE if isinstance(value, End) else value
            for at, value in enumerate(values)
            if value is not None
        }
        memory.add(labels, points)
    return memory


def _order(alert: Expected) -> tuple[str, str]:
    return shown(alert.labels), shown(alert.annotations)


def _listed(alerts: Sequence[Expected]) -> str:
    """As promtool lists them, each on lines of its own."""
    if not alerts:
        return "[]"
    inner = " " * 14
    lines = [
        f"            {at}:\n{inner}Labels:{shown(alert.labels)}\n{inner}Annotations:{shown(alert.annotations)}"
        for at, alert in enumerate(alerts)
    ]
    return "[\n" + ",\n".join(lines) + "\n        ]"


def _values(samples: Sequence[tuple[Labels, float]]) -> str:
    return ", ".join(f"{shown(labels)} {_value(value)}" for labels, value in samples) or "nil"


def _value(value: float) -> str:
    """1.5E+00, as promtool has it."""
    if not math.isfinite(value):
        return four(value)
    sign, digits, point = digits_of(value)
    fraction = f".{digits[1:]}" if digits[1:] else ""
    return f"{sign}{digits[0]}{fraction}E{point - 1 if value else 0:+03d}"


def span(seconds: float) -> str:
    """1h30m, as Prometheus writes a duration."""
    rest, text = round(seconds * 1000), ""
    for unit, width in UNITS:
        if rest >= width:
            text += f"{rest // width}{unit}"
            rest %= width
    return text or "0s"
