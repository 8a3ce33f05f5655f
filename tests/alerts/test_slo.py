"""Objectives: the budget that is left, and alerts on how fast it burns."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.configuration import parse
from agent.rule_files import RuleFiles
from alerts.evaluator import Evaluator
from alerts.expression import check_expression
from alerts.slo import Slo, groups
from collectors.model import Sample, Target
from collectors.weblog.families import DURATIONS, REQUESTS
from history.database import open_database
from history.embedded import Embedded
from history.events import Events
from history.local import Local
from history.model import Vector
from history.store import Store

T = 1_790_000_000.0
WEB = Target("web", "h1", "h1")
SHOP = Slo(name="shop", site="shop.example", objective=99.0)
BUCKET, _, COUNT = DURATIONS


class Site:
    """`good` and `bad` requests each minute for so many hours, the last of them now."""

    def __init__(self, folder: Path, slo: Slo) -> None:
        self.engine = open_database(folder)
        self.store = Store(self.engine)
        self.source = Embedded(self.store)
        self.evaluator = Evaluator(
            self.source, self.engine, groups([slo]), sink=Local(self.store, Events(self.engine)), clock=lambda: T
        )
        self._good = self._bad = 0
        self._at = T

    def serve(self, minutes: int, good: int, bad: int) -> None:
        for _ in range(minutes):
            self._at += 60
            self._good, self._bad = self._good + good, self._bad + bad
            both = self._good + self._bad
            samples: list[Sample] = [
                REQUESTS(self._good, "shop.example", "node", "2xx"), REQUESTS(self._bad, "shop.example", "node", "5xx"),
                BUCKET(self._good, "shop.example", "1"), COUNT(both, "shop.example"),
            ]  # fmt: skip
            self.store.append(WEB, self._at, samples)
        self.evaluator.evaluate(self._at)

    def firing(self) -> set[str]:
        return {alert.name for alert in self.evaluator.alerts() if alert.state == "firing"}

    def value(self, expr: str) -> float:
        found = self.source.query(expr, self._at)
        assert isinstance(found, Vector)
        (point,) = found.points
        return point.value


def test_a_few_failures_wake_nobody_and_use_little_of_the_budget(tmp_path: Path) -> None:
    site = Site(tmp_path, SHOP)
    site.serve(180, 999, 1)
    assert site.firing() == set()
    assert site.value('slo_error_ratio{slo="shop",window="1h"}') == pytest.approx(0.001)
    assert site.value('slo_burn_rate{slo="shop",window="1h"}') == pytest.approx(0.1)
    assert site.value("slo_budget_left_ratio") == pytest.approx(0.9)
    assert site.value("slo_objective_ratio") == 0.99


def test_many_failures_wake_someone_and_it_ends_soon_after_they_do(tmp_path: Path) -> None:
    site = Site(tmp_path, SHOP)
    site.serve(120, 1000, 0)
    site.serve(30, 500, 500)
    assert "SloBurnsFast" in site.firing()
    (alert,) = [alert for alert in site.evaluator.alerts() if alert.name == "SloBurnsFast"]
    assert dict(alert.labels).items() >= {("severity", "critical"), ("site", "shop.example"), ("slo", "shop")}
    assert alert.annotations["summary"].startswith("shop.example: requests fail, ")
    for _ in range(8):
        site.serve(2, 1000, 0)
    assert "SloBurnsFast" not in site.firing()


def test_few_requests_wake_nobody(tmp_path: Path) -> None:
    site = Site(tmp_path, SHOP)
    site.serve(120, 1, 1)
    assert site.firing() == set()


def test_slow_requests_are_not_good_where_the_objective_says_so(tmp_path: Path) -> None:
    site = Site(tmp_path, Slo(name="shop", site="shop.example", objective=99.0, slower_than=1.0))
    site.serve(120, 500, 500)
    assert site.value('slo_error_ratio{slo="shop",window="1h"}') == pytest.approx(0.5)
    assert "SloBurnsFast" in site.firing()


def test_without_access_logs_nothing_is_known(tmp_path: Path) -> None:
    site = Site(tmp_path, SHOP)
    site.evaluator.evaluate(T)
    assert site.firing() == set()
    assert site.source.query("slo_error_ratio", T) == Vector(())


def test_its_rules_are_promql_and_the_configuration_gives_them() -> None:
    odd = 'slos: [{name: odd, site: "a\\"b\\\\c", slower_than: 500ms}]'
    loaded, errors = RuleFiles(parse(f"shipped_rules: false\n{odd}", "f.yml")).load()
    assert errors == []
    assert {check_expression(rule.expr) for group in loaded for rule in group.rules} == {""}


def test_a_time_that_is_not_counted_by_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"expected one of the limits that times are counted by \(0\.01"):
        Slo(name="x", site="y", slower_than=0.7)
    with pytest.raises(Exception, match="expected each name once"):
        parse("slos: [{name: a, site: b}, {name: a, site: c}]", "f.yml")
