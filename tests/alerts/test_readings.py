import math

import pytest

from alerts.model import Group, Rule
from alerts.readings import Catalogue, Readings, behind_expressions
from collectors import nginx
from collectors.config import Config
from collectors.model import Collector, Part, Untyped
from history.model import Point

CATALOGUE = Catalogue([
    nginx.COLLECTOR,
    Collector("mysql", "mysql", Config, (
        Part("status", (Untyped("mysql_global_status_*", ""),), read=str, parse=lambda _: ()),
        Part("variables", (Untyped("mysql_global_variables_*", ""),), read=str, parse=lambda _: ()),
    ), instance=lambda _config, host: host, discover=lambda _: ()),
])  # fmt: skip


def points(**values: float) -> list[Point]:
    """`nginx_80_status=1`: the part of that target."""
    found = []
    for key, value in values.items():
        job, instance, part = key.split("_")
        labels = {"target_job": job, "target_instance": f"web1:{instance}", "part": part, "host": "web1"}
        found.append(Point({"__name__": "x", "job": "raingauge", "instance": "web1", **labels}, 0, value))
    return found


def group(*rules: Rule) -> Group:
    return Group("g", "f.yml", 10, rules)


@pytest.mark.parametrize(("metric", "behind"), [
    ("nginx_connections_active", {("nginx", "status")}),
    ("nginx_up", {("nginx", "")}),
    ("mysql_global_status_threads_running", {("mysql", "status")}),
    ("mysql_global_variables_max_connections", {("mysql", "variables")}),
    ("someone_elses", set()),
])  # fmt: skip
def test_the_part_that_publishes_a_metric(metric: str, behind: set[tuple[str, str]]) -> None:
    assert CATALOGUE.behind(metric) == behind


def test_behind_an_expression_and_what_others_record() -> None:
    last = Rule("a:b > 0 and on (host) nginx_up", alert="X")
    groups = [group(last, Rule("sum(c:d)", record="a:b")), group(Rule("rate(mysql_global_status_x[5m])", record="c:d"))]
    assert behind_expressions(groups, CATALOGUE)[last.expr] == {("mysql", "status"), ("nginx", "")}


ALERT = {"job": "nginx", "instance": "web1:80", "host": "web1"}


@pytest.mark.parametrize(("labels", "up", "missing"), [
    (ALERT, {"nginx_80_status": 1.0}, False),
    (ALERT, {"nginx_80_status": 0.0}, True),
    (ALERT, {"nginx_80_status": 1.0, "nginx_81_status": 0.0}, False),
    (ALERT, {"nginx_80_status": 1.0, "mysql_80_status": 0.0}, False),
    ({**ALERT, "host": "web2"}, {"nginx_80_status": 0.0}, False),
    ({"job": "nginx"}, {"nginx_80_status": 1.0, "nginx_81_status": 0.0}, True),
    ({"host": "web1"}, {"nginx_80_status": 1.0, "nginx_81_status": 0.0}, True),
    ({"job": "mysql", "instance": "web1:3306", "host": "web1"}, {"nginx_80_status": 0.0}, True),
    (ALERT, {}, False),
])  # fmt: skip
def test_missing_is_of_the_alerts_own_target(labels: dict[str, str], up: dict[str, float], missing: bool) -> None:
    known = points(**up)
    assert Readings(known, known, running=3600).of(labels, [("nginx", "status")]).missing is missing


def test_a_target_as_a_whole_is_missing_when_no_part_answers() -> None:
    labels = {"job": "mysql", "instance": "web1:3306"}
    one, none = points(mysql_3306_status=1, mysql_3306_variables=0), points(mysql_3306_status=0, mysql_3306_variables=0)
    read = points(mysql_3306_status=900, mysql_3306_variables=500)
    assert Readings(one, read, 3600).of(labels, [("mysql", "")]).missing is False
    assert Readings(one, read, 3600).of(labels, [("mysql", "")]).read_at == 900
    assert Readings(none, read, 3600).of(labels, [("mysql", "")]).missing is True


def test_read_at_is_that_of_the_oldest_part() -> None:
    read = points(mysql_3306_status=900, mysql_3306_variables=500)
    behind = [("mysql", "status"), ("mysql", "variables")]
    assert Readings([], read, 3600).of({"job": "mysql", "instance": "web1:3306"}, behind).read_at == 500


def test_nothing_known_is_waited_for_after_a_start_only() -> None:
    behind = [("nginx", "status")]
    assert Readings([], [], running=10).of(ALERT, behind).read_at == -math.inf
    assert Readings([], [], running=3600).of(ALERT, behind).read_at == math.inf
    assert Readings([], [], running=10).of(ALERT, []).read_at == math.inf
