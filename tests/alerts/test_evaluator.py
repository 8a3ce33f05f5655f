from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from alerts import silences, state
from alerts.asked import rule_keys
from alerts.delivery import Delivery
from alerts.evaluator import LOOK_SECONDS, Evaluator
from alerts.matchers import parse_matchers
from alerts.model import Group, Rule
from alerts.readings import Catalogue
from alerts.received import Posted, receive
from alerts.rulefile import RuleFileError
from alerts.silences import Silence
from collectors import nginx
from collectors.model import Gauge, Sample, Target
from history.embedded import Embedded
from history.model import Matrix, Point, QueryError, Vector
from history.store.store import Store
from tests.alerts.examples import T, database, webhook
from tests.alerts.kept import Kept
from tests.alerts.receiver import Receiver
from tests.alerts.walk import routes
from tests.lab.ports import wait_until

NGINX = Target("nginx", "web1:80", "web1")
RAINGAUGE = Target("raingauge", "web1", "web1")
PART = ("target_job", "target_instance", "part")
PART_UP = Gauge("raingauge_part_up", "", PART)
LAST = Gauge("raingauge_part_last_success_timestamp_seconds", "", PART)
DOWN = Rule("nginx_up == 0", alert="NginxDown", hold=20, labels={"severity": "critical"})
BUSY = Rule("nginx_connections_active > 5", alert="Busy", annotations={"summary": "{{ $value }}"})


def group(*rules: Rule, **options: Any) -> Group:
    return Group("g", "/etc/rules/own.yml", 10, rules, **options)


class Host:
    """An embedded history with one nginx, and an evaluator over it; ten seconds a tick."""

    def __init__(self, engine: Engine, *groups: Group, now: float = T, **options: Any) -> None:
        self.engine = engine
        self.store = Store(engine)
        self.sink = Kept(self.store)
        self.source = Embedded(self.store)
        self.now = now
        self.evaluator = Evaluator(
            self.source, engine, groups, catalogue=Catalogue([nginx.COLLECTOR]),
            clock=lambda: self.now, **{"channels": [webhook()], "sink": self.sink, **options},
        )  # fmt: skip
        self.last_read = now

    def tick(self, *samples: Sample, read: bool = True) -> list[tuple[str, str]]:
        """One tick with these samples of nginx; names and states of alerts after it."""
        self.now += 10
        self.last_read = self.now if read else self.last_read
        labels = ("nginx", "web1:80", "status")
        self.store.append(NGINX, self.now, samples)
        self.store.append(RAINGAUGE, self.now, [PART_UP(float(read), *labels), LAST(self.last_read, *labels)])
        self.evaluator.run_due(self.now)
        return [(alert.name, alert.state) for alert in self.evaluator.alerts()]

    def value(self, expr: str) -> dict[str, float]:
        result = self.source.query(expr, self.now)
        assert isinstance(result, Vector)
        return {",".join(f"{k}={v}" for k, v in sorted(point.labels.items())): point.value for point in result.points}


def test_down_and_up_again(engine: Engine) -> None:
    host = Host(engine, group(DOWN))
    up, down = nginx.UP(1), nginx.UP(0)
    seen = [host.tick(each) for each in (up, down, down, down, up)]
    assert [[state for _, state in each] for each in seen] == [[], ["pending"], ["pending"], ["firing"], ["resolved"]]
    assert [(event.kind, event.state, event.host, event.severity) for event in host.sink.events] == [
        ("alert", "open", "web1", "critical"), ("alert", "closed", "web1", "critical"),
    ]  # fmt: skip
    assert len({event.id for event in host.sink.events}) == 2
    assert state.waiting(engine) == {"ops": (1, T + 40)}  # the resolve took the place of the undelivered firing


def test_its_own_series(engine: Engine) -> None:
    host = Host(engine, group(DOWN, Rule("nginx_up * 2", record="twice:up", labels={"a": "b"})))
    host.tick(nginx.UP(0))
    alert = "alertname=NginxDown"
    where = "host=web1,instance=web1:80,job=nginx"
    assert host.value("ALERTS") == {f"__name__=ALERTS,{alert},alertstate=pending,{where},severity=critical": 1}
    assert host.value("ALERTS_FOR_STATE") == {f"__name__=ALERTS_FOR_STATE,{alert},{where},severity=critical": T + 10}
    assert host.value("twice:up") == {f"__name__=twice:up,a=b,{where}": 0}
    host.tick(nginx.UP(1))
    assert host.value("ALERTS") == {}
    assert list(host.value("twice:up").values()) == [2]


@pytest.mark.a3("Data that is missing", "An alert whose data is missing keeps its state, is marked, and is not over.")
def test_missing_data_keeps_the_alert_and_is_marked(engine: Engine) -> None:
    host = Host(engine, group(BUSY))
    assert host.tick(nginx.ACTIVE(9)) == [("Busy", "firing")]
    host.tick(nginx.ACTIVE(9))
    for _ in range(50):
        assert host.tick(read=False) == [("Busy", "firing")]
    assert host.evaluator.alerts()[0].missing_since == T + 30
    assert host.tick(nginx.ACTIVE(9)) == [("Busy", "firing")]
    assert host.evaluator.alerts()[0].missing_since is None
    assert host.tick(nginx.ACTIVE(1)) == [("Busy", "resolved")]


@pytest.mark.a3("Data that is missing", "Nothing ends while it cannot be asked whether the data was read.")
def test_unknown_health_ends_nothing(engine: Engine) -> None:
    host = Host(engine, group(BUSY))
    host.tick(nginx.ACTIVE(9))
    host.tick(nginx.ACTIVE(9))
    real = host.source.query

    def query(expr: str, at: float) -> Any:
        if expr.startswith("raingauge"):
            raise QueryError("timeout", "too slow")
        return real(expr, at)

    host.source.query = query  # type: ignore[method-assign]
    assert host.tick(nginx.ACTIVE(1)) == [("Busy", "firing")]


@pytest.mark.a3("Rules", "A failed evaluation is counted and logged.")
def test_a_query_that_fails_changes_nothing_and_is_counted(engine: Engine) -> None:
    broken = Rule("nginx_connections_active > on () group_left () nginx_up", alert="Busy")
    host = Host(engine, group(broken, BUSY))
    two = Target("nginx", "web1:81", "web1")
    host.store.append(two, T + 10, [nginx.UP(1)])
    host.tick(nginx.ACTIVE(9), nginx.UP(1))
    bad, good = host.evaluator.health()
    assert (bad.health, good.health) == ("err", "ok")
    assert bad.last_error
    assert (host.evaluator.stats.evaluations, host.evaluator.stats.failures) == (2, 1)


def test_a_result_that_is_no_vector_is_an_error(engine: Engine) -> None:
    host = Host(engine, group(Rule("nginx_up[5m]", alert="No"), Rule("vector(1)", alert="Yes"), Rule("2", alert="Two")))
    assert sorted(host.tick(nginx.UP(1))) == [("Two", "firing"), ("Yes", "firing")]
    assert "expected a vector or a scalar" in host.evaluator.health()[0].last_error


@pytest.mark.a3("Restart and clock", "A restart keeps what fires, and tells nobody twice.")
def test_restart_keeps_firing_and_tells_nobody_twice(engine: Engine) -> None:
    host = Host(engine, group(BUSY))
    host.tick(nginx.ACTIVE(9))
    fired = host.evaluator.alerts()[0]
    host = Host(engine, group(BUSY), now=T + 3000)
    assert host.evaluator.alerts() == [fired]
    host.evaluator.run_due(host.now)  # before the first read: no data at all
    assert host.tick(nginx.ACTIVE(9)) == [("Busy", "firing")]
    assert host.evaluator.alerts()[0].fired_at == fired.fired_at
    assert host.evaluator.stats.messages == 0


@pytest.mark.a3("Restart and clock", "After a restart nothing ends before fresh data was read.")
def test_restart_ends_only_on_fresh_data(engine: Engine) -> None:
    host = Host(engine, group(BUSY))
    host.tick(nginx.ACTIVE(9))
    host = Host(engine, group(BUSY), now=T + 3000)
    for _ in range(4):
        host.now += 10
        host.evaluator.run_due(host.now)
        assert [alert.state for alert in host.evaluator.alerts()] == ["firing"]
    assert host.tick(nginx.ACTIVE(1)) == [("Busy", "resolved")]


@pytest.mark.a3("Rules", "Alerts of a rule that is gone end; those of a file that cannot be read do not.")
@pytest.mark.parametrize(("broken", "left"), [("/other/own.yml", "firing"), ("/other/else.yml", "resolved")])
def test_rules_that_are_gone_end_but_not_those_of_a_broken_file(engine: Engine, broken: str, left: str) -> None:
    host = Host(engine, group(BUSY))
    host.tick(nginx.ACTIVE(9))
    host.evaluator.replace([replace(group(), name="new")], [RuleFileError(broken, 1, "x", "y", "z")])
    assert dict(host.tick(nginx.ACTIVE(9))).get("Busy", "resolved") == left
    assert [event.state for event in host.sink.events] == (["open"] if left == "firing" else ["open", "closed"])


def test_a_clock_set_back_does_not_stop_it(engine: Engine) -> None:
    host = Host(engine, group(BUSY))
    host.tick(nginx.ACTIVE(9))
    host.now -= 5
    host.evaluator.replace([replace(group(Rule("1", alert="New")), name="new")])
    host.evaluator.run_due(host.now)
    assert [alert.name for alert in host.evaluator.alerts()] == ["New"]


@pytest.mark.a3("Rules", "Missed evaluations are not made up for.")
def test_groups_have_their_own_intervals_and_missed_cycles_stay_missed(engine: Engine) -> None:
    slow = replace(group(Rule("2", alert="Slow")), name="slow", interval=60)
    host = Host(engine, group(Rule("1", alert="Fast")), slow, now=1_700_000_040.0)
    evaluated = []
    for after in (0, 5, 5, 10, 40, 600, 1):
        host.now += after
        before = {health.rule.alert: health.last_evaluation for health in host.evaluator.health()}
        host.evaluator.run_due(host.now)
        evaluated.append({h.rule.alert for h in host.evaluator.health() if h.last_evaluation != before[h.rule.alert]})
    assert evaluated == [{"Fast", "Slow"}, set(), {"Fast"}, {"Fast"}, {"Fast", "Slow"}, {"Fast", "Slow"}, set()]


def test_query_offset(engine: Engine) -> None:
    host = Host(engine, group(BUSY, query_offset=10.0))
    assert host.tick(nginx.ACTIVE(9)) == []
    assert host.tick(nginx.ACTIVE(1)) == [("Busy", "firing")]


def test_a_quiet_cycle_writes_nothing(engine: Engine) -> None:
    host = Host(engine, group(DOWN, BUSY), channels=[], sink=None)
    host.tick(nginx.UP(1))
    with engine.connect() as connection:
        before = connection.exec_driver_sql("PRAGMA data_version").scalar()
        host.now += 10
        host.evaluator.run_due(host.now)
        assert connection.exec_driver_sql("PRAGMA data_version").scalar() == before


def test_keys_do_not_depend_on_the_folder() -> None:
    keys = [key for key, _ in rule_keys(group(BUSY, DOWN, BUSY))]
    assert keys == ["own.yml/g/Busy/0", "own.yml/g/NginxDown/0", "own.yml/g/Busy/1"]
    assert keys == [key for key, _ in rule_keys(replace(group(BUSY, DOWN, BUSY), file="/elsewhere/own.yml"))]


class Fixed:
    """A source that gives one answer."""

    def __init__(self, *points: Point) -> None:
        self.points = points

    def query(self, _expr: str, _at: float) -> Vector:
        return Vector(self.points)

    def query_range(self, *_: Any) -> Matrix: ...  # type: ignore[empty-body]
    def series(self, *_: Any) -> Any: ...
    def label_names(self, *_: Any) -> Any: ...
    def label_values(self, *_: Any) -> Any: ...
    def metadata(self, *_: Any) -> Any: ...


def test_as_it_runs_a_fired_alert_reaches_the_receiver(engine: Engine) -> None:
    with Receiver() as receiver:
        channels = [webhook(receiver.url)]
        delivery = Delivery(engine, channels)
        evaluator = Evaluator(
            Fixed(Point({"host": "web1"}, T, 7.0)), engine, [group(BUSY)], channels=channels, told=delivery.wake
        )
        delivery.start()
        evaluator.start()
        body = receiver.body()
        wait_until(lambda: not state.waiting(engine), 10, "the outbox is empty")
        evaluator.stop()
        delivery.stop()
    assert body["commonLabels"] == {"alertname": "Busy", "host": "web1"}
    assert body["commonAnnotations"] == {"summary": "7"}


@pytest.mark.a3("Suppressing", "What is silenced in another process holds from the next cycle on.")
def test_silences_of_other_processes(engine: Engine) -> None:
    host = Host(engine, group(BUSY))
    other = database(Path(str(engine.url.database)).parent)
    silence_id = silences.post(other, Silence(parse_matchers("host=web1"), T, T + 3600, "kim", "known"), T)
    host.tick(nginx.ACTIVE(9))
    assert state.waiting(engine) == {}
    silences.expire(other, silence_id, T + 10)
    host.tick(nginx.ACTIVE(9))
    assert state.waiting(engine) == {"ops": (1, T + 20)}
    other.dispose()


@pytest.mark.a3("Interop", "Alerts of others are told as our own are, between two evaluations too.")
def test_posted_alerts_are_told(engine: Engine) -> None:
    host = Host(engine, replace(group(BUSY), interval=600))
    host.evaluator.run_due(host.now)
    receive(engine, [Posted({"alertname": "Theirs"}, {}, T - 60)], T)
    assert host.evaluator.run_due(T + 10) <= LOOK_SECONDS
    message = state.next_message(engine, "ops")
    assert message
    assert [one.name for one in message.notice.alerts] == ["Theirs"]


@pytest.mark.a3("Rules", "Groups of alerts are looked at when their wait is over, not only when rules are evaluated.")
def test_ticks_of_groups(engine: Engine) -> None:
    slow = replace(group(Rule("1", alert="One")), interval=3600)
    host = Host(engine, slow, plan=routes("route: {receiver: ops, group_wait: 3s}"))
    assert host.evaluator.run_due(T) == pytest.approx(3)
    assert state.waiting(engine) == {}
    host.evaluator.run_due(T + 3)
    assert state.waiting(engine) == {"ops": (1, T + 3)}
