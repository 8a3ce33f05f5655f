"""The thin edge around the engine: ask the source, step, save, tell. One thread, one transaction for what is due."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from alerts import engine as steps
from alerts import pipeline, readings, state
from alerts.engine import Evaluation, Reading, RuleState, Transition
from alerts.model import Alert, Group, Labels, Rule, RuleHealth
from alerts.notifier import Channel
from alerts.readings import LAST_SUCCESS, PART_UP, Catalogue, PartOf, Readings
from alerts.recording import RULES_TARGET, all_samples, event, in_order, recorded
from alerts.rulefile import RuleFileError
from collectors.model import Sample
from history.model import Point, QueryError, Scalar, Sink, Source, Vector

log = logging.getLogger("raingauge.alerts")


@dataclass
class EvaluatorStats:
    """Counters since start; the agent publishes them."""

    evaluations: int = 0
    failures: int = 0
    messages: int = 0
    last_cycle: float | None = None  # Unix seconds
    cycle_seconds: float = 0.0


class Evaluator:
    """`start` and `stop` once each, or `run_due` from a clock of one's own. The pages' Alerting."""

    def __init__(
        self,
        source: Source,
        engine: Engine,
        groups: Sequence[Group],
        *,
        channels: Sequence[Channel] = (),
        sink: Sink | None = None,
        catalogue: Catalogue | None = None,
        errors: Sequence[RuleFileError] = (),
        clock: Callable[[], float] = time.time,
        told: Callable[[], None] = lambda: None,
        external_url: str = "",
    ) -> None:
        """`errors` of the rule files that could not be loaded: their alerts are kept. `told`: wakes delivery."""
        self._source = source
        self._engine = engine
        self._channels = channels
        self._sink = sink
        self._catalogue = catalogue or Catalogue(())
        self._clock = clock
        self._told = told
        self._external_url = external_url
        self._started = clock()
        self._states: dict[str, RuleState] = state.load(engine)
        self._health: dict[str, RuleHealth] = {}
        self._recorded: dict[str, list[Sample]] = {}
        self._due: dict[tuple[str, str], float] = {}
        self._in_history = True
        """The last process may have left series that have to end."""
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="evaluator", daemon=True)
        self.stats = EvaluatorStats()
        self.replace(groups, errors)

    def replace(self, groups: Sequence[Group], errors: Sequence[RuleFileError] = ()) -> None:
        """Other rules from the next cycle on; alerts of rules that are no more end then."""
        with self._lock:
            self._groups = tuple(groups)
            self._errors = tuple(errors)
            self._behind = readings.behind_expressions(groups, self._catalogue)
            keys = [key for group in groups for key, _ in rule_keys(group)]
            self._health = {key: self._health[key] for key in keys if key in self._health}
            self._recorded = {key: self._recorded[key] for key in keys if key in self._recorded}

    def alerts(self) -> Sequence[Alert]:
        with self._lock:
            return in_order(alert for rule in self._states.values() for alert in rule.alerts.values())

    def groups(self) -> Sequence[Group]:
        with self._lock:
            return self._groups

    def health(self) -> Sequence[RuleHealth]:
        with self._lock:
            return [
                self._health.get(key, RuleHealth(group.name, rule, "unknown"))
                for group in self._groups
                for key, rule in rule_keys(group)
            ]

    def errors(self) -> Sequence[RuleFileError]:
        with self._lock:
            return self._errors

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                pause = self.run_due(self._clock())
            except (SQLAlchemyError, OSError, ValueError) as error:
                # The states are as they were before the cycle, in memory and on disk.
                log.error("evaluation cycle failed: %s: %s", type(error).__name__, error)
                pause = 1.0
            self._stopped.wait(pause)

    def run_due(self, now: float) -> float:
        """Evaluate every group whose time has come; seconds until the next is due. Missed cycles stay missed."""
        due = [group for group in self.groups() if self._is_due(group, now)]
        for group in due:
            self._due[group.file, group.name] = now - now % group.interval + group.interval
        if due:
            began = time.perf_counter()
            self._cycle(due, now)
            self.stats.last_cycle = now
            self.stats.cycle_seconds = time.perf_counter() - began
        ahead = [at - now for at in self._due.values() if at > now]
        return min([*ahead, 10.0])

    def _is_due(self, group: Group, now: float) -> bool:
        at = self._due.get((group.file, group.name), now)
        return at <= now or at - now > group.interval  # the clock was set back

    def _cycle(self, groups: Sequence[Group], now: float) -> None:
        reading = _Once(self._source, now, now - self._started)
        evaluations: dict[str, Evaluation] = {}
        health: dict[str, RuleHealth] = {}
        for group in groups:
            for key, rule in rule_keys(group):
                began = time.perf_counter()
                evaluations[key] = self._evaluate(key, group, rule, reading, now)
                health[key] = RuleHealth(group.name, rule, "ok", "", now, time.perf_counter() - began)
        before = dict(self._states)
        after, ended = steps.retire(before, self._known(before), now)
        alerting = {key: evaluation for key, evaluation in evaluations.items() if evaluation.rule.alert}
        after, transitions = steps.step(after, alerting, now)
        self._save(before, after, [*ended, *transitions], now)
        with self._lock:
            self._states = after
        for key, evaluation in evaluations.items():
            error = evaluation.error or (after[key].error if key in alerting else "")
            self._note(key, replace(health[key], health="err" if error else "ok", last_error=error))
        self._publish([*ended, *transitions], now)

    def _known(self, states: Iterable[str]) -> set[str]:
        """Keys of our rules, and of those whose file cannot be read now."""
        broken = tuple(f"{Path(error.file).name}/" for error in self.errors())
        ours = {key for group in self.groups() for key, _ in rule_keys(group)}
        return ours | {key for key in states if key.startswith(broken)}

    def _save(self, before: steps.States, after: steps.States, transitions: Sequence[Transition], now: float) -> None:
        alerts = [alert for rule in after.values() for alert in rule.alerts.values()]
        kept = {id(alert) for alert in alerts}
        alerts += [each.after for each in transitions if each.after and id(each.after) not in kept]
        with self._engine.begin() as connection:
            state.save(connection, before, after)
            messages = pipeline.tell_channels(connection, self._channels, alerts, now, self._external_url)
        self.stats.messages += messages
        if messages:
            self._told()

    def _evaluate(self, key: str, group: Group, rule: Rule, reading: "_Once", now: float) -> Evaluation:
        points: Sequence[Point] = ()
        error = ""
        try:
            points = _points(self._source.query(rule.expr, now - group.query_offset))
            if rule.record:
                self._recorded[key] = recorded(rule, points, group.limit)
        except (QueryError, ValueError) as failure:
            error = str(failure) or type(failure).__name__
            self._recorded.pop(key, None)
        behind = self._behind.get(rule.expr, frozenset())
        return Evaluation(rule, group.interval, points, error, group.limit, lambda labels: reading.of(labels, behind))

    def _note(self, key: str, health: RuleHealth) -> None:
        with self._lock:
            before = self._health.get(key)
            self._health[key] = health
        self.stats.evaluations += 1
        self.stats.failures += health.health == "err"
        if health.last_error and (not before or before.last_error != health.last_error):
            log.warning("rule=%s evaluation failed: %s", key, health.last_error)
        elif before and before.last_error and not health.last_error:
            log.info("rule=%s evaluates again", key)

    def _publish(self, transitions: Sequence[Transition], now: float) -> None:
        if self._sink is None:
            return
        for each in transitions:
            if each.after and each.after.state in ("firing", "resolved"):
                self._sink.record(event(each.after, now))
        samples = all_samples(self._recorded, self._states)
        if samples or self._in_history:
            try:
                self._sink.append(RULES_TARGET, now, samples)
                self._in_history = bool(samples)
            except ValueError as error:  # the clock was set back: history takes no stamp twice, alerts go on
                log.warning("what rules made was not stored: %s", error)


class _Once:
    """Our own health at one time, asked for when the first alert needs it."""

    def __init__(self, source: Source, now: float, running: float) -> None:
        self._source = source
        self._now = now
        self._running = running
        self._readings: Readings | None = None

    def of(self, labels: Labels, behind: Iterable[PartOf]) -> Reading:
        """What is known; "missing" when our own health cannot be asked, so that nothing ends."""
        try:
            if self._readings is None:
                self._readings = Readings(self._ask(PART_UP), self._ask(LAST_SUCCESS), self._running)
            return self._readings.of(labels, behind)
        except QueryError:
            return Reading(missing=True)

    def _ask(self, metric: str) -> Sequence[Point]:
        return _points(self._source.query(metric, self._now))


def rule_keys(group: Group) -> list[tuple[str, Rule]]:
    """Under what its state is kept: base name of the file, group, name, and which of that name in the group."""
    counts: Mapping[str, int] = {}
    keys: list[tuple[str, Rule]] = []
    for rule in group.rules:
        name = rule.alert or rule.record
        counts = {**counts, name: counts.get(name, -1) + 1}
        keys.append((f"{Path(group.file).name}/{group.name}/{name}/{counts[name]}", rule))
    return keys


def _points(result: object) -> Sequence[Point]:
    if isinstance(result, Vector):
        return result.points
    if isinstance(result, Scalar):
        return (Point({}, result.t, result.value),)
    raise ValueError(f"expected a vector or a scalar from the rule, found {type(result).__name__.lower()}")
