"""The thin edge around the engine: ask the source, step, save, tell. One thread, one transaction for what is due."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from alerts import as_prometheus, pipeline, readings, received, state, told_events
from alerts import engine as steps
from alerts.asked import Once, points, rule_keys
from alerts.cycle import Cycle
from alerts.engine import Evaluation, RuleState, Transition
from alerts.extensions import Asking, extended
from alerts.jumps import Jumps
from alerts.model import Alert, EvaluatorStats, Group, Labels, Rule, RuleHealth
from alerts.notices import one_each
from alerts.notifier import Channel
from alerts.path.plan import Plan, at_once
from alerts.readings import Catalogue
from alerts.recording import RULES_TARGET, alert_series, all_samples, all_series, events, in_order, recorded
from alerts.rulefile import RuleFileError
from alerts.templates import Around
from collectors.model import Sample
from history.model import Point, QueryError, Sink, Source

log = logging.getLogger("raingauge.alerts")

LOOK_SECONDS = 10.0
"""At most between two looks at what people silenced or posted, in whatever process."""

Loaded = tuple[Sequence[Group], Sequence[RuleFileError]]


class Evaluator:
    """`start` and `stop` once each, or `run_due` from a clock of one's own. The pages' Alerting."""

    def __init__(
        self,
        source: Source,
        engine: Engine,
        groups: Sequence[Group],
        *,
        channels: Sequence[Channel] = (),
        plan: Plan | None = None,
        sink: Sink | None = None,
        catalogue: Catalogue | None = None,
        errors: Sequence[RuleFileError] = (),
        clock: Callable[[], float] = time.time,
        told: Callable[[], None] = lambda: None,
        external_url: str = "",
        host: str = "",
        jumps: Jumps | None = None,
        like_prometheus: bool = False,
        external_labels: Labels | None = None,
        changed: Callable[[], Loaded | None] = lambda: None,
        grouped: Callable[[Connection, Sequence[Alert], float], None] = lambda *_: None,
    ) -> None:
        """`errors` of the rule files that could not be loaded: their alerts are kept. `told`: wakes delivery.

        Without a `plan` every channel is told everything at once; without `jumps` no clock is compared. `changed`:
        asked before each cycle for other rules than those that run. `grouped`: gets the alerts, in its transaction.
        """
        self._source = source
        self._engine = engine
        self._channels = channels
        self._sink = sink
        self._catalogue = catalogue or Catalogue(())
        self._clock = clock
        self._told = told
        self._external_url = external_url
        self._plan = plan or at_once(channel.name for channel in channels)
        self._host = host
        self._jumps = jumps
        self._like_prometheus = like_prometheus
        self._external_labels = external_labels or {}
        self._changed = changed
        self._grouped = grouped
        self._started = clock()
        self._path_due = 0.0
        """Unix seconds of the next tick of any group of alerts."""
        self._events = told_events.OpenEvents(engine)
        self._states: dict[str, RuleState] = state.load(engine)
        self._saved: steps.States = dict(self._states)
        self._health: dict[str, RuleHealth] = {}
        self._recorded: dict[str, list[Sample]] = {}
        self._due: dict[tuple[str, str], float] = {}
        self._series: dict[str, list[Sample]]
        """ALERTS and its like of each alerting rule, as of its last evaluation."""
        self._in_history = True
        """The last process may have left series that have to end."""
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="evaluator", daemon=True)
        self.stats = EvaluatorStats()
        self.replace(groups, errors)
        if like_prometheus:
            holds = {key: rule.hold for group in groups for key, rule in rule_keys(group)} | {told_events.KEY: math.inf}
            self._states = as_prometheus.restored(self._states, holds, self._started)
        self._series = all_series(self._states)

    def replace(self, groups: Sequence[Group], errors: Sequence[RuleFileError] = ()) -> None:
        """Other rules from the next cycle on; alerts of rules that are no more end then."""
        with self._lock:
            self._groups = tuple(groups)
            self._errors = tuple(errors)
            self._behind = readings.behind_expressions(groups, self._catalogue)
            keys = [key for group in groups for key, _ in rule_keys(group)]
            self._health = {key: self._health[key] for key in keys if key in self._health}
            self._recorded = {key: self._recorded[key] for key in keys if key in self._recorded}

    def follow(self, plan: Plan) -> None:
        """Other routes from the next cycle on."""
        with self._lock:
            self._plan = plan

    def alerts(self) -> Sequence[Alert]:
        with self._lock:
            known = (alert for rule in self._states.values() for alert in rule.alerts.values())
            return in_order(one_each(known).values())

    def groups(self) -> Sequence[Group]:
        with self._lock:
            return self._groups

    def plan(self) -> Plan:
        with self._lock:
            return self._plan

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
            if self._events.moved_within(pause, self._stopped):
                self._path_due = 0.0

    def run_due(self, now: float) -> float:
        """Evaluate every group whose time has come; seconds until the next is due. Missed cycles stay missed."""
        if self._jumps and (jump := self._jumps.since_last(now)):
            log.warning("clock_jump seconds=%.0f slept=%s", jump.seconds, jump.slept)
            self._states = steps.jumped(self._states, jump.seconds, now)
            self._series = all_series(self._states)
            if self._sink:
                self._sink.record(jump.event(self._host, now))
        if (loaded := self._changed()) is not None:
            self.replace(*loaded)
        due = [group for group in self.groups() if self._is_due(group, now)]
        for group in due:
            self._due[group.file, group.name] = now - now % group.interval + group.interval
        if due or now >= self._path_due:
            began = time.perf_counter()
            self._cycle(due, now)
            self.stats.last_cycle = now
            self.stats.cycle_seconds = time.perf_counter() - began
        ahead = [at - now for at in (*self._due.values(), self._path_due) if at > now]
        return min([*ahead, LOOK_SECONDS])

    def _is_due(self, group: Group, now: float) -> bool:
        at = self._due.get((group.file, group.name), now)
        return at <= now or at - now > group.interval  # the clock was set back

    def evaluate(self, now: float) -> None:
        """Every group at once, due or not."""
        self._cycle(self.groups(), now)

    def _cycle(self, groups: Sequence[Group], now: float) -> None:
        cycle = Cycle(self._source, Once(self._source, now, now - self._started), now)
        evaluations: dict[str, Evaluation] = {}
        health: dict[str, RuleHealth] = {}
        before = {told_events.KEY: RuleState(), **self._states}  # first: its words count where a rule says the same
        after, transitions = steps.retire(before, self._known(before), now)
        series = {key: samples for key, samples in self._series.items() if key in after}
        heard = after[told_events.KEY] = self._events.step(before[told_events.KEY], self.groups(), now)
        transitions += steps.changes(before[told_events.KEY].alerts, heard.alerts)
        series[told_events.KEY] = list(alert_series(heard))
        for group in groups:
            for key, rule in rule_keys(group):
                began = time.perf_counter()
                made = self._recorded.get(key) or self._series.get(key, [])
                evaluations[key] = self._evaluate(key, group, rule, cycle)
                if rule.alert:
                    after[key], changed = steps.step_one(after.get(key, RuleState()), evaluations[key], now)
                    transitions += changed
                    series[key] = list(alert_series(after[key]))
                cycle.made(made, self._recorded.get(key) or series.get(key, []), now - group.query_offset)
                health[key] = RuleHealth(group.name, rule, "ok", "", now, time.perf_counter() - began)
        transitions = told_events.heard_once(transitions, before, after)
        self._save(after, transitions, now)
        self._series = series
        with self._lock:
            self._states = after
        for key, evaluation in evaluations.items():
            error = evaluation.error or (after[key].error if evaluation.rule.alert else "")
            self._note(key, replace(health[key], health="err" if error else "ok", last_error=error))
        if groups or transitions:
            self._publish(transitions, now)

    def _known(self, states: Iterable[str]) -> set[str]:
        """Keys of our rules, and of those whose file cannot be read now."""
        broken = tuple(f"{Path(error.file).name}/" for error in self.errors())
        ours = {key for group in self.groups() for key, _ in rule_keys(group)}
        return {told_events.KEY} | ours | {key for key in states if key.startswith(broken)}

    def _save(self, after: steps.States, transitions: Sequence[Transition], now: float) -> None:
        alerts = [alert for rule in after.values() for alert in rule.alerts.values()]
        kept = {id(alert) for alert in alerts}
        alerts += [each.after for each in transitions if each.after and id(each.after) not in kept]
        with self._engine.begin() as connection:
            state.save(connection, self._saved, after)
            alerts += received.received(connection, now)
            received.let_go(connection, now)
            self._grouped(connection, alerts, now)
            done = pipeline.advance(
                connection, self._channels, self._plan, alerts, now=now, external_url=self._external_url
            )
        self._saved = after
        self._path_due = min(done.due, now + LOOK_SECONDS)
        self.stats.messages += done.messages
        if done.messages:
            self._told()

    def _evaluate(self, key: str, group: Group, rule: Rule, cycle: Cycle) -> Evaluation:
        found: Sequence[Point] = ()
        error = ""
        at = cycle.now - group.query_offset
        try:
            found = points(cycle.query(rule.expr, at))
            if rule.record:
                self._recorded[key] = recorded(rule, found, group.limit)
        except (QueryError, ValueError) as failure:
            error = str(failure) or type(failure).__name__
            self._recorded.pop(key, None)
        behind = self._behind.get(rule.expr, frozenset())
        around = Around(
            self._external_labels, self._external_url, cycle.now, lambda expr: points(cycle.query(expr, at))
        )
        evaluation = Evaluation(
            rule, group.interval, found, error, group.limit, lambda labels: cycle.reading.of(labels, behind),
            since=self._started, as_prometheus=self._like_prometheus, around=around,
        )  # fmt: skip
        alerts = self._states[key].alerts.values() if key in self._states else ()
        asking = Asking(around.query, lambda text: cycle.query(text, at), lambda: cycle.reading.missing(behind))
        return extended(evaluation, alerts, asking)

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
        changed = [each.after for each in transitions if each.after and each.after.state in ("firing", "resolved")]
        self._sink.record(*events(changed, now))
        samples = all_samples(self._recorded.values(), self._series.values())
        if samples or self._in_history:
            try:
                self._sink.append(RULES_TARGET, now, samples)
                self._in_history = bool(samples)
            except ValueError as error:  # the clock was set back: history takes no stamp twice, alerts go on
                log.warning("what rules made was not stored: %s", error)
