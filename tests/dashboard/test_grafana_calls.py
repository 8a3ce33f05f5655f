"""Grafana's Prometheus data source: every call that its plug-in makes, as it makes it, and what it reads of the answer.

Source: https://github.com/grafana/grafana, pkg/promlib (client, healthcheck, heuristics, resource, converter),
packages/grafana-prometheus (datasource.ts, resource_clients.ts, metric_find_query.ts) and, for the alerting pages,
pkg/services/ngalert/api/lotex_prom.go and public/app/features/alerting/unified/api/buildInfo.ts.
"""

from urllib.parse import urlencode

import pytest

from alerts.model import Alert, Group, Rule, RuleHealth
from collectors.model import Counter, Gauge, Target
from tests.dashboard.grafana import Grafana, data, frames, from_go, go, read
from tests.dashboard.world import NOW, Alerting, World

LOAD = Gauge("node_load1", "Load over 1 minute.")
REQUESTS = Counter("http_requests_total", "Requests.", ("code",))
ROOMS = (Target("node", "a", "a"), Target("node", "b", "b"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    busy = Rule("node_load1 > 5", alert="Busy", hold=60.0, labels={"severity": "warning"})
    summed = Rule("sum(node_load1)", record="load:sum")
    alert = Alert({"alertname": "Busy", "severity": "warning", "host": "a"}, {"summary": "Busy."}, "firing", 6.5,
                  NOW - 90.25, NOW - 30)  # fmt: skip
    world = World(
        tmp_path_factory.mktemp("grafana"),
        alerting=Alerting(
            [alert], [Group("load", "load.yml", 10.0, (busy, summed))],
            [RuleHealth("load", busy, "ok", "", NOW - 5, 0.001), RuleHealth("load", summed, "err", "no", NOW - 5, 0.1)],
        ),
    )  # fmt: skip
    for tick in range(61):
        for at, target in enumerate(ROOMS):
            rows = [LOAD(tick / 10 + at), REQUESTS(7.0 * tick, "200"), REQUESTS(float(tick // 9), "500")]
            world.store.append(target, NOW - 600 + 10 * tick, rows)
    return world


@pytest.fixture(scope="module", params=["POST", "GET"])
def grafana(world: World, request: pytest.FixtureRequest) -> Grafana:
    return Grafana(world, world.token(), request.param)


def test_the_health_check(grafana: Grafana) -> None:
    found = data(grafana.query("api/v1/query", {"query": "1+1", "time": "4"}))
    assert found == {"resultType": "scalar", "result": [4, "2"]}


def test_what_it_takes_us_for(grafana: Grafana) -> None:
    """Features would make it Mimir, an answer to `flags` Thanos; 2.24 and later select labels by `match[]`."""
    found = data(grafana.resource("api/v1/status/buildinfo"))
    assert found.keys() == {"version", "revision", "branch", "buildUser", "buildDate", "goVersion"}
    assert all(isinstance(value, str) for value in found.values())
    major, minor, _ = map(int, found["version"].split("."))
    assert (2, 24) <= (major, minor) < (3, 0)
    assert data(grafana.resource("/api/v1/status/buildinfo")) == found  # "version-detect"
    flags = grafana.resource("/api/v1/status/flags")
    assert (flags.status_code, read(flags)["status"]) == (404, "error")


@pytest.mark.parametrize(
    ("start", "end", "step", "points"),
    [
        (NOW - 300, NOW, "15", 21), (NOW - 300, NOW, "0.5", 601), (NOW - 299.5, NOW - 0.5, "1", 300),
        (NOW - 60.123, NOW, "60", 2), (NOW - 86400 * 7, NOW, "1200", 1),
    ],
)  # fmt: skip
def test_a_panel(grafana: Grafana, start: float, end: float, step: str, points: int) -> None:
    asked = {"query": 'node_load1{host="a"}', "start": go(start), "end": go(end), "step": step, "timeout": "60s"}
    [(labels, found)] = frames(grafana.query("api/v1/query_range", asked))
    assert labels == {"__name__": "node_load1", "host": "a", "instance": "a", "job": "node"}
    assert len(found) == points
    assert [t for t, _ in found] == sorted({t for t, _ in found})
    assert all(start <= t <= end for t, _ in found)


SPAN = {"start": f"{NOW - 60:.0f}", "end": f"{NOW:.0f}", "step": "15"}


@pytest.mark.parametrize("query", ["nothing", "node_load1 * http_requests_total"])
def test_a_panel_without_data(grafana: Grafana, query: str) -> None:
    assert data(grafana.query("api/v1/query_range", {"query": query, **SPAN})) == {"resultType": "matrix", "result": []}


@pytest.mark.parametrize(
    ("query", "status", "kind"),
    [
        ("node_load1 +", 400, "bad_data"),
        ("node_load1[5m]", 400, "bad_data"),
        ("node_load1 * on(job) http_requests_total", 422, "execution"),
    ],
)
def test_a_panel_with_a_mistake(grafana: Grafana, query: str, status: int, kind: str) -> None:
    """It shows "errorType: error"."""
    answer = grafana.query("api/v1/query_range", {"query": query, **SPAN})
    found = read(answer)
    assert (answer.status_code, found["status"], found["errorType"]) == (status, "error", kind)
    assert isinstance(found["error"], str)
    assert len(found["error"]) > 10


def test_a_table_and_a_grafana_alert(grafana: Grafana) -> None:
    """Both are instant queries; the time is the end of the span, to the millisecond."""
    asked = {"query": "node_load1 > 0", "time": go(NOW - 0.877), "timeout": "60s"}
    found = {labels["host"]: points for labels, points in frames(grafana.query("api/v1/query", asked))}
    assert found == {"a": [(NOW - 0.877, 5.9)], "b": [(NOW - 0.877, 6.9)]}


@pytest.mark.parametrize("query", ["node_load1", "histogram_quantile(0.95, sum(rate(x_bucket[1m])) by (le))"])
def test_exemplars_of_a_panel(grafana: Grafana, query: str) -> None:
    asked = {"query": query, "start": go(NOW - 60), "end": go(NOW)}
    assert data(grafana.query("api/v1/query_exemplars", asked)) == []


def test_whether_there_are_exemplars(grafana: Grafana) -> None:
    """areExemplarsAvailable sends milliseconds where seconds are meant; `success` is all that it reads."""
    asked = [("query", "test"), ("start", f"{NOW * 1000 - 1_800_000:.0f}"), ("end", f"{NOW * 1000:.0f}")]
    assert read(grafana.resource("/api/v1/query_exemplars", asked))["status"] == "success"


def test_recording_rules_to_expand(grafana: Grafana) -> None:
    groups = data(grafana.resource("/api/v1/rules"))["groups"]
    mapping = {
        rule["name"]: rule["query"] for group in groups for rule in group["rules"] if rule["type"] == "recording"
    }
    assert mapping == {"load:sum": "sum(node_load1)"}


SNAPPED = [("start", f"{NOW // 60 * 60 - 3600:.0f}"), ("end", f"{NOW // 60 * 60 + 60:.0f}")]
"""getRangeSnapInterval: to whole minutes."""


@pytest.mark.parametrize(
    ("match", "names"),
    [
        ([], {"__name__", "code", "host", "instance", "job"}),
        ([("match[]", "node_load1")], {"__name__", "host", "instance", "job"}),
        ([("match[]", '{__name__=~".*requests.*"}')], {"__name__", "code", "host", "instance", "job"}),
        ([("match[]", "node_load1"), ("match[]", 'http_requests_total{code!=""}')],
         {"__name__", "code", "host", "instance", "job"}),
    ],
)  # fmt: skip
def test_names_of_labels(grafana: Grafana, match: list[tuple[str, str]], names: set[str]) -> None:
    found = data(grafana.resource("/api/v1/labels", [("limit", "40000"), *SNAPPED, *match]))
    assert set(found) == names
    assert len(found) == len(names)


@pytest.mark.parametrize(
    ("label", "match", "values"),
    [
        ("__name__", [], ["http_requests_total", "node_load1"]),
        ("__name__", ['{host="a",__name__=~"(?i).*load.*"}'], ["node_load1"]),
        ("host", [], ["a", "b"]),
        ("code", ['http_requests_total{host=~"a|b"}'], ["200", "500"]),
        ("code", ["node_load1", "http_requests_total"], ["200", "500"]),
        ("nothing", [], []),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_values_of_a_label(grafana: Grafana, label: str, match: list[str], values: list[str], slash: str) -> None:
    asked = [("limit", "40000"), *SNAPPED, *(("match[]", each) for each in match)]
    assert data(grafana.resource(f"{slash}api/v1/label/{label}/values", asked)) == values


def test_a_form_to_the_values_of_a_label_is_405(grafana: Grafana) -> None:
    """The plug-in posts it, and asks again by GET after this status only; any other one it shows."""
    answer = grafana.send("POST", "/api/v1/label/host/values", "", "start=1")
    assert (answer.status_code, read(answer)["status"]) == (405, "error")


def test_a_limit_is_kept_and_said(grafana: Grafana) -> None:
    found = read(grafana.resource("/api/v1/series", [("match[]", '{__name__!=""}'), ("limit", "2"), *SNAPPED]))
    assert (len(found["data"]), found["warnings"]) == (2, ["results truncated due to limit"])


@pytest.mark.parametrize(
    ("match", "count"), [('{__name__!=""}', 6), ('{host!="",__name__="node_load1"}', 2), ("node_load1", 2)]
)
def test_series(grafana: Grafana, match: str, count: int) -> None:
    found = data(grafana.resource("/api/v1/series", [*SNAPPED, ("match[]", match), ("limit", "40000")]))
    assert len(found) == count
    assert all(each["__name__"] and each["host"] in ("a", "b") for each in found)


@pytest.mark.parametrize("asked", [[], [("limit", "40000")]])
def test_metadata(grafana: Grafana, asked: list[tuple[str, str]]) -> None:
    found = data(grafana.resource("/api/v1/metadata", asked))
    assert {name: of[0]["type"] for name, of in found.items()} == {
        "node_load1": "gauge", "http_requests_total": "counter",
    }  # fmt: skip
    assert all(isinstance(of[0]["help"], str) for of in found.values())


def test_suggestions(grafana: Grafana) -> None:
    """GetSuggestions: the parameters of values in the address, those of names in a form."""
    match = [("match[]", 'node_load1{host="a"}'), ("match[]", 'http_requests_total{host="a"}')]
    values = grafana.resource("/api/v1/label/host/values", [], urlencode([*match, *SNAPPED, ("limit", "100")]))
    assert data(values) == ["a"]
    assert "code" in data(grafana.resource("/api/v1/labels", [*match, *SNAPPED, ("limit", "100")]))


def test_a_variable_of_a_query(grafana: Grafana) -> None:
    asked = [("query", 'node_load1{host="b"}'), ("time", go(NOW))]
    found = data(grafana.resource("/api/v1/query", asked))
    assert found["resultType"] == "vector"
    [each] = found["result"]
    assert (each["metric"]["__name__"], each["value"]) == ("node_load1", [NOW, "7"])


def test_annotations(grafana: Grafana) -> None:
    asked = {"query": 'ALERTS{alertstate="firing"}', "start": go(NOW - 3600), "end": go(NOW), "step": "60"}
    assert list(frames(grafana.query("api/v1/query_range", asked))) == []


def test_the_alerting_pages(grafana: Grafana) -> None:
    """Go's decoder refuses the whole answer for one field of another type."""
    [group] = data(grafana.resource("/api/v1/rules"))["groups"]
    assert (group["name"], group["file"], group["interval"]) == ("load", "load.yml", 10)
    assert isinstance(group["evaluationTime"], float)
    from_go(group["lastEvaluation"])
    alerting, recording = group["rules"]
    assert (alerting["state"], alerting["name"], alerting["type"]) == ("firing", "Busy", "alerting")
    assert (alerting["health"], alerting["duration"]) == ("ok", 60)
    assert (recording["health"], recording["lastError"], recording["type"]) == ("err", "no", "recording")
    for rule in group["rules"]:
        from_go(rule["lastEvaluation"])
        assert isinstance(rule["evaluationTime"], float)
    [alert] = alerting["alerts"]
    assert data(grafana.resource("/api/v1/alerts"))["alerts"] == [alert]
    assert (alert["state"], alert["value"], alert["annotations"]) == ("firing", "6.5e+00", {"summary": "Busy."})
    assert from_go(alert["activeAt"]) == NOW - 90.25


def test_without_a_token_it_says_so(world: World) -> None:
    answer = world.stranger().post("/api/v1/query", data={"query": "1+1"})
    found = read(answer)
    assert (answer.status_code, found["status"]) == (401, "error")
    assert "raingauge token create" in found["error"]


def test_a_large_answer_is_packed(grafana: Grafana) -> None:
    asked = {"query": "node_load1", "start": go(NOW - 600), "end": go(NOW), "step": "1"}
    answer = grafana.query("api/v1/query_range", asked)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert sum(len(points) for _, points in frames(answer)) == 2 * 601
    assert len(answer.get_data()) < 10_000
