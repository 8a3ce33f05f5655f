"""After a restart, a sleep, or a clock that was set: nothing ends or fires in masses, and what is not known is said."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from alerts import as_prometheus, state
from alerts.engine import ENDED, RuleState, jumped
from alerts.evaluator import Evaluator
from alerts.jumps import Jumps
from alerts.model import Alert, Rule
from collectors import nginx
from history.model import Point, Vector
from history.store.store import Store
from tests.alerts.clock import KEY, Clock
from tests.alerts.examples import T, alert
from tests.alerts.kept import Kept
from tests.alerts.test_evaluator import BUSY, DOWN, Fixed, Host, group


class Clocks:
    """The wall's clock is given; these two by hand."""

    def __init__(self) -> None:
        self.running = self.passing = 0.0
        self.jumps = Jumps(lambda: self.running, lambda: self.passing)

    def goes(self, seconds: float, asleep: float = 0.0) -> None:
        self.running += seconds
        self.passing += seconds + asleep


def test_jumps() -> None:
    clocks = Clocks()
    assert clocks.jumps.since_last(T) is None
    clocks.goes(10)
    assert clocks.jumps.since_last(T + 35) is None
    clocks.goes(10)
    jump = clocks.jumps.since_last(T + 3645)
    assert jump
    assert (jump.seconds, jump.slept) == (3600, False)
    clocks.goes(10)
    back = clocks.jumps.since_last(T + 55)
    assert back
    assert back.event("web1", T).title == "The clock was set back by 3600 s"
    clocks.goes(10, asleep=600)
    slept = clocks.jumps.since_last(T + 665)
    assert slept
    assert slept.event("web1", T).title == "The host slept for 600 s"


class Answers(Fixed):
    """Each expression that is in `true` has one element."""

    def __init__(self, *true: str) -> None:
        super().__init__()
        self.true = set(true)

    def query(self, expr: str, _at: float) -> Vector:
        return Vector((Point({"host": "web1"}, T, 1.0),) if expr in self.true else ())


@pytest.mark.parametrize("by", [3600.0, -3600.0, 60.0, -60.0])
@pytest.mark.a3("Restart and clock", "A clock that jumps by more than 30 s ends nothing and fires nothing at once, and "
                "is an event.")  # fmt: skip
def test_a_jump_fires_and_ends_nothing(engine: Engine, by: float) -> None:
    clocks, source = Clocks(), Answers("fires", "waits")
    rules = Rule("fires", alert="Fires"), Rule("waits", alert="Waits", hold=50), Rule("new", alert="New")
    sink = Kept(Store(engine))
    evaluator = Evaluator(source, engine, [group(*rules)], sink=sink, jumps=clocks.jumps, host="web1", clock=lambda: T)

    def states(now: float) -> dict[str, str]:
        clocks.goes(10)
        evaluator.run_due(now)
        return {one.name: one.state for one in evaluator.alerts()}

    for step in range(3):
        assert states(T + 10 * step) == {"Fires": "firing", "Waits": "pending"}
    source.true = {"waits", "new"}
    now = T + 30 + by
    assert states(now) == {"Fires": "firing", "Waits": "pending", "New": "pending"}
    assert states(now + 10)["Waits"] == "pending"
    assert states(now + 20) == {"Fires": "resolved", "Waits": "pending", "New": "firing"}
    assert states(now + 40)["Waits"] == "firing"
    assert [event.kind for event in sink.events].count("clock_jump") == 1
    assert all(one.active_at <= now + 40 for one in evaluator.alerts())


@pytest.mark.a3(
    "Restart and clock", "What waits for its `for`, or is held, does not count the time of a jump or a sleep."
)
def test_a_jump_does_not_count() -> None:
    pending = alert(state="pending")
    held = replace(alert(), false_since=T - 10, last_true=T - 10, seen=T)
    states = {"r": RuleState({KEY: replace(pending, active_at=T - 10, seen=T)}, 5), "s": RuleState({KEY: held}, 5)}
    on = jumped(states, 3600, T + 3600)
    assert on["r"].alerts[KEY].active_at == T + 3590
    assert on["s"].alerts[KEY].false_since == T + 3590
    assert on["s"].alerts[KEY].fired_at == T
    back = jumped(states, -3600, T - 3600)
    assert back["r"].alerts[KEY].active_at == T - 3610
    assert back["s"].alerts[KEY].fired_at == T - 3600
    assert back["s"].alerts[KEY].last_true == T - 3610


@pytest.mark.a3("Restart and clock", "After a jump nothing fires for two evaluations, whatever its rule says.")
def test_nothing_fires_right_after_a_jump() -> None:
    clock = Clock(Rule("x", alert="Broken", labels={"severity": "warning"}), RuleState(unsure=2))
    assert [clock.true(clock.now + 10).state for _ in range(3)] == ["pending", "pending", "firing"]


@pytest.mark.a3("Restart and clock", "An alert whose condition ended while Raingauge was down says so in its end.")
def test_ended_while_down(engine: Engine) -> None:
    host = Host(engine, group(BUSY))
    host.tick(nginx.ACTIVE(9))
    host.tick(nginx.ACTIVE(9))
    host = Host(engine, group(BUSY), now=T + 3000)
    assert [host.tick(nginx.ACTIVE(1)) for _ in range(2)][-1] == [("Busy", "resolved")]
    assert host.evaluator.alerts()[0].annotations[ENDED].startswith("Ended while Raingauge was not running")
    host.tick(nginx.ACTIVE(9))
    host.tick(nginx.ACTIVE(1))
    assert ENDED not in host.evaluator.alerts()[0].annotations


LONG = 1800.0


def restored(one: Alert, hold: float, after: float) -> Alert | None:
    return as_prometheus.one(one, hold, T + after)


@pytest.mark.a3("Restart and clock", "`alerts.mode: prometheus` restores alerts as Prometheus does: a `for` of 10 "
                "minutes or more, within an hour.")  # fmt: skip
def test_restored_as_prometheus_does() -> None:
    firing = replace(alert(), active_at=T - 3600, seen=T, false_since=T - 5)
    pending = replace(alert(state="pending"), active_at=T - 600, seen=T)
    forgotten = restored(firing, 60, 300)
    assert forgotten
    assert (forgotten.state, forgotten.resolved_at) == ("resolved", T + 300)
    assert restored(pending, 60, 300) is None
    assert restored(pending, LONG, 3601) is None
    kept = restored(firing, LONG, 300)
    assert kept
    assert (kept.state, kept.false_since) == ("firing", None)  # keep_firing_for is lost
    waits = restored(pending, LONG, 300)
    assert waits
    assert waits.active_at == T - 300  # downtime does not count
    nearly = restored(replace(pending, active_at=T - 1700), LONG, 300)
    assert nearly
    assert LONG - (T + 300 - nearly.active_at) == 600  # 10 minutes at least
    ended = alert(state="resolved")
    assert restored(ended, 60, 9999) == ended


@pytest.mark.a3("Restart and clock", "`alerts.mode: prometheus` ends what is not in the result, read or not.")
def test_stale_ends_as_in_prometheus(engine: Engine) -> None:
    host = Host(engine, group(BUSY), like_prometheus=True)
    host.tick(nginx.ACTIVE(9))
    host.tick(read=False)
    assert host.tick(read=False) == [("Busy", "resolved")]
    pending = Host(engine, group(replace(DOWN, hold=600)), like_prometheus=True, now=host.now)
    assert ("NginxDown", "pending") in pending.tick(nginx.UP(0))
    assert ("NginxDown", "pending") not in pending.tick(nginx.UP(1))


@pytest.mark.a3("Restart and clock", "What a restart in Prometheus' mode forgets is over, told and stored.")
def test_forgotten_by_a_restart(engine: Engine) -> None:
    host = Host(engine, group(BUSY))
    host.tick(nginx.ACTIVE(9))
    host = Host(engine, group(BUSY), now=T + 900, like_prometheus=True)
    assert [one.state for one in host.evaluator.alerts()] == ["resolved"]
    host.evaluator.run_due(host.now)
    assert [one.state for rule in state.load(engine).values() for one in rule.alerts.values()] == ["resolved"]
