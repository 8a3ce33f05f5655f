"""What the rules of one cycle see of each other, and what their texts may ask."""

from dataclasses import replace

from sqlalchemy import Engine

from alerts.model import Rule
from collectors import nginx
from history.embedded import Embedded
from history.layered import Layered
from history.model import Matrix, Point, Vector
from tests.alerts.examples import T
from tests.alerts.test_evaluator import Host, group

TWICE = Rule("nginx_connections_active * 2", record="twice:active")
ABOVE = Rule("twice:active > 5", alert="Above", annotations={"v": "{{ $value }}"})


def test_a_recorded_value_is_visible_to_later_rules_of_the_same_cycle(engine: Engine) -> None:
    host = Host(engine, group(TWICE, Rule("twice:active + 1", record="more:active"), ABOVE))
    assert host.tick(nginx.ACTIVE(3)) == [("Above", "firing")]
    assert list(host.value("more:active").values()) == [7]
    host.tick(nginx.ACTIVE(4))
    assert host.evaluator.alerts()[0].annotations == {"v": "8"}
    assert list(host.value("more:active").values()) == [9]
    assert host.tick(nginx.ACTIVE(1)) == [("Above", "resolved")]


def test_not_to_earlier_ones(engine: Engine) -> None:
    host = Host(engine, group(ABOVE, TWICE))
    assert host.tick(nginx.ACTIVE(3)) == []
    assert host.tick(nginx.ACTIVE(3)) == [("Above", "firing")]


def test_to_the_groups_after_it(engine: Engine) -> None:
    host = Host(engine, group(TWICE), replace(group(ABOVE), name="later"))
    assert host.tick(nginx.ACTIVE(3)) == [("Above", "firing")]


def test_what_is_no_more_recorded_is_gone_in_the_same_cycle(engine: Engine) -> None:
    gone = Rule("absent(some:active)", alert="Gone")
    host = Host(engine, group(Rule("nginx_connections_active > 2", record="some:active"), gone))
    assert host.tick(nginx.ACTIVE(3)) == []
    assert host.tick(nginx.ACTIVE(1)) == [("Gone", "firing")]


def test_alerts_are_visible_to_later_rules(engine: Engine) -> None:
    busy = Rule("nginx_connections_active > 5", alert="Busy", hold=10)
    count = Rule('count(ALERTS{alertname="Busy",alertstate="firing"}) or vector(0)', record="busy:count")
    host = Host(engine, group(busy, count))
    seen: list[float] = []
    for active in (9, 9, 9, 1):
        host.tick(nginx.ACTIVE(active))
        seen += host.value("busy:count").values()
    assert seen == [0, 1, 1, 0]


def test_ranges_have_it_too(engine: Engine) -> None:
    host = Host(engine, group(TWICE, Rule("count_over_time(twice:active[1m])", record="times:active")))
    seen: list[float] = []
    for _ in range(3):
        host.tick(nginx.ACTIVE(3))
        seen += host.value("times:active").values()
    assert seen == [1, 2, 3]


def test_with_an_offset_it_is_where_the_group_looks(engine: Engine) -> None:
    host = Host(engine, group(TWICE, ABOVE, query_offset=10.0))
    assert [len(host.tick(nginx.ACTIVE(3))) for _ in range(2)] == [0, 1]


def test_texts_ask_as_of_the_cycle(engine: Engine) -> None:
    text = '{{ query "sum(twice:active)" | first | value }} {{ $externalLabels.dc }} {{ $externalURL }}'
    rule = replace(ABOVE, annotations={"v": text}, labels={"level": "{{ if gt $value 7.0 }}high{{ else }}low{{ end }}"})
    host = Host(engine, group(TWICE, rule), external_url="https://rain.example.org", external_labels={"dc": "one"})
    host.tick(nginx.ACTIVE(3))
    alert = host.evaluator.alerts()[0]
    assert (alert.labels["level"], alert.annotations["v"]) == ("low", "6 one https://rain.example.org")


def test_an_error_in_a_text_never_loses_the_alert(engine: Engine) -> None:
    rule = replace(ABOVE, annotations={"v": "{{ humanize $labels }}"}, labels={"l": '{{ query "up(" }}'})
    host = Host(engine, group(TWICE, rule))
    assert host.tick(nginx.ACTIVE(3)) == [("Above", "firing")]
    alert = host.evaluator.alerts()[0]
    assert alert.annotations["v"].startswith("<error expanding template: error calling humanize")
    assert alert.labels["l"].startswith("<error expanding template: error calling query")


def test_a_layer_over_what_is_stored(engine: Engine) -> None:
    host = Host(engine)
    host.tick(nginx.ACTIVE(1), nginx.UP(1))
    source = Embedded(host.store)
    layered = Layered(source)
    own = {"__name__": "nginx_up", "job": "nginx", "instance": "web1:80", "host": "web1"}
    other = {**own, "instance": "web1:81"}
    layered.add([Point(own, T + 15, 0.0), Point(other, T + 15, 5.0)])

    def values(expr: str, at: float = T + 20) -> list[float]:
        result = layered.query(expr, at)
        assert isinstance(result, Vector)
        return sorted(point.value for point in result.points)

    assert values("nginx_up") == [0, 5]
    assert values("nginx_up", T + 12) == [1]
    assert values("sum(nginx_up)") == [5]
    assert values("nginx_connections_active") == [1]
    assert values('{__name__=~"nginx_.*",instance="web1:80"}') == [0, 1]
    assert values("count_over_time(nginx_up[1m])") == [1, 2]
    ranged = layered.query("nginx_up[1m]", T + 20)
    assert isinstance(ranged, Matrix)
    assert sorted(len(line.times) for line in ranged.lines) == [1, 2]
    layered.add([], [own], T + 15)
    assert values("nginx_up") == [5]
    assert isinstance(plain := source.query("nginx_up", T + 20), Vector)
    assert [point.value for point in plain.points] == [1]
