"""The reserved annotations of a rule, each under a clock of the test's own."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from alerts.model import Rule
from alerts.rulefile import RuleFileError, parse
from collectors import nginx
from collectors.model import Target
from tests.alerts.test_evaluator import BUSY, Host, group

HYSTERESIS = replace(BUSY, resolve_expr="nginx_connections_active < 3")
REQUESTS = Rule("rate(nginx_http_requests_total[1m]) > 0.5", alert="Many", min_valid=0.5)
FILE = """\
groups:
- name: a
  rules:
  - alert: B
    expr: rate(x[5m]) > 1
    annotations:
      summary: s
      {name}: {value}
"""


def states(host: Host) -> list[str]:
    return [alert.state for alert in host.evaluator.alerts()]


class TestResolveExpr:
    def test_ends_only_below_the_second_threshold(self, engine: Engine) -> None:
        host = Host(engine, group(HYSTERESIS))
        seen = [host.tick(nginx.ACTIVE(active))[0][1] for active in (9, 4, 3, 6, 4, 2)]
        assert seen == ["firing"] * 5 + ["resolved"]
        assert len(host.sink.events) == 2

    def test_does_not_hold_what_is_pending(self, engine: Engine) -> None:
        host = Host(engine, group(replace(HYSTERESIS, hold=60)))
        assert [len(host.tick(nginx.ACTIVE(active))) for active in (9, 9, 4)] == [1, 1, 0]

    def test_of_its_own_target_only(self, engine: Engine) -> None:
        host = Host(engine, group(HYSTERESIS))
        other = Target("nginx", "web1:81", "web1")
        host.tick(nginx.ACTIVE(9))
        host.store.append(other, host.now + 10, [nginx.ACTIVE(1)])
        assert host.tick(nginx.ACTIVE(4)) == [("Busy", "firing")]

    def test_an_element_without_labels_ends_all(self, engine: Engine) -> None:
        host = Host(engine, group(replace(HYSTERESIS, resolve_expr="vector(1)")))
        assert [host.tick(nginx.ACTIVE(active))[0][1] for active in (9, 9, 4)] == ["firing", "firing", "resolved"]

    def test_the_hold_of_keep_firing_for_begins_below_it_and_starts_anew(self, engine: Engine) -> None:
        host = Host(engine, group(replace(HYSTERESIS, keep_firing_for=20)))
        seen = [host.tick(nginx.ACTIVE(active))[0][1] for active in (9, 2, 4, 2, 2, 2)]
        assert seen == ["firing"] * 5 + ["resolved"]

    def test_where_it_fails_nothing_ends_new_alerts_fire_and_it_is_said(self, engine: Engine) -> None:
        host = Host(engine, group(replace(HYSTERESIS, resolve_expr="nginx_up > on () group_left () nginx_up")))
        host.store.append(Target("nginx", "web1:81", "web1"), host.now + 20, [nginx.UP(1), nginx.ACTIVE(9)])
        host.tick(nginx.ACTIVE(9), nginx.UP(1))
        host.tick(nginx.ACTIVE(1), nginx.UP(1))
        assert states(host) == ["firing", "firing"]
        assert host.evaluator.health()[0].last_error.startswith("raingauge_resolve_expr: ")

    def test_does_not_hold_the_alert_of_a_target_that_is_watched_no_more(self, engine: Engine) -> None:
        host = Host(engine, group(HYSTERESIS))
        host.tick(nginx.ACTIVE(9))
        for _ in range(40):  # past the lookback
            host.now += 10
            host.evaluator.run_due(host.now)
        assert states(host) == ["resolved"]


class TestNoData:
    def test_keep_is_what_happens_without_it(self, engine: Engine) -> None:
        host = Host(engine, group(BUSY))
        host.tick(nginx.ACTIVE(9))
        assert [host.tick(read=False)[0][1] for _ in range(3)] == ["firing"] * 3

    def test_ok_takes_missing_for_over(self, engine: Engine) -> None:
        host = Host(engine, group(replace(BUSY, no_data="ok", keep_firing_for=10)))
        host.tick(nginx.ACTIVE(9))
        assert [host.tick(read=False)[0][1] for _ in range(2)] == ["firing", "resolved"]

    def test_fire_makes_an_alert_of_each_target_that_does_not_answer(self, engine: Engine) -> None:
        rule = replace(BUSY, no_data="fire", hold=10, labels={"severity": "warning"})
        host = Host(engine, group(rule))
        assert host.tick(nginx.ACTIVE(1)) == []
        assert [host.tick(read=False)[0][1] for _ in range(3)] == ["pending", "firing", "firing"]
        alert = host.evaluator.alerts()[0]
        assert alert.labels == {
            "alertname": "Busy", "job": "nginx", "instance": "web1:80", "host": "web1", "severity": "warning",
        }  # fmt: skip
        assert alert.annotations == {"summary": "NaN"}
        assert host.tick(nginx.ACTIVE(1)) == [("Busy", "resolved")]

    def test_fire_makes_no_second_alert_of_a_target_that_has_one(self, engine: Engine) -> None:
        host = Host(engine, group(replace(BUSY, expr="label_replace(nginx_connections_active > 5, 'a', 'b', '', '')",
                                          no_data="fire")))  # fmt: skip
        host.tick(nginx.ACTIVE(9))
        assert [len(host.tick(read=False)) for _ in range(3)] == [1, 1, 1]
        assert states(host) == ["firing"]


class TestMinValid:
    def test_an_element_of_too_few_samples_is_not_known(self, engine: Engine) -> None:
        host = Host(engine, group(REQUESTS))
        seen = [len(host.tick(nginx.REQUESTS(100 * tick))) for tick in range(4)]
        assert seen == [0, 0, 1, 1]  # from three of six samples on
        assert states(host) == ["firing"]

    def test_a_gap_keeps_what_fires(self, engine: Engine) -> None:
        host = Host(engine, group(REQUESTS))
        for tick in range(6):
            host.tick(nginx.REQUESTS(100 * tick))
        for _ in range(5):
            host.tick()
        assert states(host) == ["firing"]
        assert host.evaluator.alerts()[0].missing_since is not None
        host.tick(nginx.REQUESTS(600))
        assert states(host) == ["firing"]
        for _ in range(4):
            host.tick(nginx.REQUESTS(600))
        assert states(host) == ["resolved"]

    def test_without_it_two_samples_are_enough(self, engine: Engine) -> None:
        host = Host(engine, group(replace(REQUESTS, min_valid=0.0)))
        assert [len(host.tick(nginx.REQUESTS(100 * tick))) for tick in range(2)] == [0, 1]


def test_they_are_read_and_nobody_is_told_them() -> None:
    annotations = {
        "raingauge_resolve_expr": "x < 1", "raingauge_no_data": "ok", "raingauge_min_valid": "0.5",
        "raingauge_depends_on": "'DiskFull, DbDown'",
    }  # fmt: skip
    text = FILE.replace("      {name}: {value}\n", "".join(f"      {n}: {v}\n" for n, v in annotations.items()))
    rule = parse(text, "a.yml")[0].rules[0]
    assert rule == Rule(
        "rate(x[5m]) > 1", alert="B", annotations={"summary": "s"}, resolve_expr="x < 1", no_data="ok", min_valid=0.5,
        depends_on=("DiskFull", "DbDown"),
    )  # fmt: skip


@pytest.mark.parametrize(("name", "value", "expected"), [
    ("raingauge_nodata", "ok", "one of raingauge_resolve_expr"),
    ("raingauge_no_data", "maybe", "keep, fire or ok"),
    ("raingauge_min_valid", "'0'", "a fraction above 0"),
    ("raingauge_min_valid", "1.5", "a fraction above 0"),
    ("raingauge_min_valid", "50%", "a fraction above 0"),
    ("raingauge_resolve_expr", "x <", "a PromQL expression"),
    ("raingauge_depends_on", "' '", "names of alerts"),
    ("raingauge_depends_on", "A, A", "each once"),
    ("raingauge_depends_on", "'A,,B'", "names of alerts"),
    ("summary", "'{{ nope }}'", "a template"),
])  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(name: str, value: str, expected: str) -> None:
    text = FILE.replace("{name}", name).replace("{value}", value).replace("      summary: s\n", "")
    with pytest.raises(RuleFileError) as caught:
        parse(text, "a.yml")
    assert (caught.value.line, caught.value.key) == (7, f"annotations.{name}")
    assert expected in caught.value.expected


def test_min_valid_needs_a_range() -> None:
    text = FILE.replace("{name}", "raingauge_min_valid").replace("{value}", "0.5").replace("rate(x[5m])", "x")
    with pytest.raises(RuleFileError) as caught:
        parse(text, "a.yml")
    assert (caught.value.line, caught.value.expected) == (8, "a range such as [5m]")
