"""Prometheus' HTTP API: the same answers to the same requests, good and bad, as Debian's Prometheus gives."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.model import Counter, Gauge, Target
from tests.dashboard.world import NOW, World
from tests.lab import prometheus
from tests.lab.prometheus import Prometheus

LOAD = Gauge("node_load1", "Load over 1 minute.")
REQUESTS = Counter("http_requests_total", "Requests.", ("code",))
ROOMS = (Target("node", "a", "a"), Target("node", "b", "b"))


def samples() -> Iterator[tuple[Target, float, dict[str, float]]]:
    for tick in range(61):
        for at, target in enumerate(ROOMS):
            yield target, NOW - 600 + 10 * tick, {"load": tick / 10 + at, "200": 7.0 * tick, "500": float(tick // 9)}


class Api:
    """A program that asks, with a token that reads."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._client: FlaskClient = world.stranger()
        self._headers = {"Authorization": f"Bearer {world.token()}"}

    def __call__(self, path: str, asked: dict[str, Any], form: bool = False) -> tuple[int, Any]:
        url = f"/api/v1/{path}"
        if form:
            answer = self._client.post(url, data=asked, headers=self._headers)
        else:
            answer = self._client.get(url, query_string=asked, headers=self._headers)
        assert answer.mimetype == "application/json" or answer.status_code == 405
        return answer.status_code, answer.json


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Api:
    world = World(tmp_path_factory.mktemp("world"))
    for target, t, values in samples():
        rows = [LOAD(values["load"]), REQUESTS(values["200"], "200"), REQUESTS(values["500"], "500")]
        world.store.append(target, t, rows)
    return Api(world)


def test_an_instant_query(ask: Api) -> None:
    status, answer = ask("query", {"query": 'http_requests_total{host="a"}', "time": NOW})
    assert (status, answer["status"], answer["data"]["resultType"]) == (200, "success", "vector")
    assert [(each["metric"]["code"], each["value"]) for each in answer["data"]["result"]] == [
        ("200", [NOW, "420"]),
        ("500", [NOW, "6"]),
    ]


def test_now_is_the_default(ask: Api) -> None:
    assert ask("query", {"query": "time()"})[1]["data"]["result"] == [NOW, str(int(NOW))]


@pytest.mark.parametrize("form", [False, True])
def test_a_range_query_by_address_and_by_form(ask: Api, form: bool) -> None:
    parameters = {"query": "sum(rate(http_requests_total[1m]))", "start": NOW - 60, "end": NOW, "step": "30s"}
    status, answer = ask("query_range", parameters, form)
    [line] = answer["data"]["result"]
    assert (status, line["metric"], [t for t, _ in line["values"]]) == (200, {}, [NOW - 60, NOW - 30, NOW])
    assert line["values"][-1][1].startswith("1.4")


def test_series_and_metadata(ask: Api) -> None:
    found = ask("series", {"match[]": ["node_load1", 'http_requests_total{code="500"}']})[1]["data"]
    assert len(found) == 4
    assert {"__name__": "node_load1", "host": "a", "instance": "a", "job": "node"} in found
    assert ask("metadata", {})[1]["data"]["node_load1"] == [
        {"type": "gauge", "help": "Load over 1 minute.", "unit": ""}
    ]
    assert list(ask("metadata", {"metric": "http_requests_total"})[1]["data"]) == ["http_requests_total"]
    assert ask("metadata", {"metric": "nothing"}) == (200, {"status": "success", "data": {}})


@pytest.mark.parametrize(
    ("path", "parameters", "whole"),
    [("series", {"match[]": "node_load1"}, 2), ("labels", {}, 5), ("label/host/values", {}, 2), ("metadata", {}, 2)],
)
def test_limits(ask: Api, path: str, parameters: dict[str, Any], whole: int) -> None:
    _, cut = ask(path, {**parameters, "limit": 1})
    assert len(cut["data"]) == 1
    assert cut.get("warnings") == (None if path == "metadata" else ["results truncated due to limit"])
    for limit in ("", whole, whole + 1) if path == "metadata" else ("", 0, whole, whole + 1):
        _, answer = ask(path, {**parameters, "limit": limit})
        assert (len(answer["data"]), "warnings" in answer) == (whole, False)
    assert ask(path, {**parameters, "limit": "1e1"}) == (
        400, {"status": "error", "errorType": "bad_data", "error": "limit must be a number"},
    )  # fmt: skip


def test_a_large_answer_is_whole(ask: Api) -> None:
    query = "label_replace(vector(time()), 'n', '1', '', '') or " * 20 + "vector(0.1)"
    status, answer = ask("query_range", {"query": query, "start": NOW - 11_000, "end": NOW, "step": 1})
    lines = {line["metric"].get("n"): line["values"] for line in answer["data"]["result"]}
    assert (status, len(lines["1"]), len(lines[None])) == (200, 11_001, 11_001)
    assert lines["1"][-1] == [NOW, str(int(NOW))]
    assert lines[None][0] == [NOW - 11_000, "0.1"]


ODD = st.sampled_from(
    ["", "0", "-1", "1e30", "-1e30", "1e-9", "NaN", "inf", "9" * 400, "9" * 5000, f"{NOW}", "1y", "0s", "5m3h",
     "9" * 400 + "y", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "\0", "é", "１"],
) | st.text(max_size=5)  # fmt: skip
EXPRESSIONS = st.sampled_from(
    ["node_load1", "rate(node_load1[5m])", "1", "node_load1 @ 1e30", "node_load1 offset 300000y", "node_load1[9999y]",
     "rate(node_load1[300y:1s])", "1e999", '{a=~"("}', "year(vector(1e300))", "topk(1e30, node_load1)", "1 % 0",
     "quantile(NaN, node_load1)", 'label_replace(node_load1, "", "", "", "(")', 'count_values("a b", node_load1)'],
) | st.text(max_size=8)  # fmt: skip


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(expr=EXPRESSIONS, start=ODD, end=ODD, step=ODD, more=ODD, form=st.booleans())
def test_whatever_is_asked_is_answered_or_refused(
    ask: Api, expr: str, start: str, end: str, step: str, more: str, form: bool
) -> None:
    asked = [
        ask("query", {"query": expr, "time": start, "timeout": more}, form),
        ask("query_range", {"query": expr, "start": start, "end": end, "step": step}, form),
        ask("series", {"match[]": expr, "start": start, "end": end, "limit": more}, form),
        ask("labels", {"start": start, "end": end, "limit": more}, form),
        ask("metadata", {"metric": more, "limit": more}),
    ]
    for status, answer in asked:
        assert status in (200, 400, 422), answer
        assert answer["status"] == ("success" if status == 200 else "error")


RANGE = {"query": "node_load1", "start": NOW - 60, "end": NOW, "step": 10}
SPAN = {"start": NOW - 600, "end": NOW}
REQUESTS_OF_ALL_KINDS: list[tuple[str, dict[str, Any]]] = [
    ("query", {"query": "node_load1", "time": NOW}),
    ("query", {"query": "node_load1", "time": NOW - 0.877}),
    ("query", {"query": "node_load1[30s]", "time": NOW + 1}),
    ("query", {"query": "1 + 1", "time": NOW}),
    ("query", {"query": '"text"', "time": NOW}),
    ("query", {"query": "node_load1", "time": "2026-09-21T13:33:20Z"}),
    ("query", {"query": "node_load1", "time": "2026-09-21T15:33:20.5+02:00"}),
    ("query", {"query": "node_load1", "time": -1}),
    ("query", {"query": "node_load1", "time": "1e30"}),
    ("query", {"query": "node_load1", "time": NOW, "timeout": "10s"}),
    ("query", {}),
    ("query", {"query": " "}),
    ("query", {"query": "1 +"}),
    ("query", {"query": "{}"}),
    ("query", {"query": "node_load1", "time": "x"}),
    ("query", {"query": "node_load1", "time": "1e400"}),
    ("query", {"query": "node_load1", "time": "2026-09-21"}),
    ("query", {"query": "node_load1", "timeout": "x"}),
    ("query_range", RANGE),
    ("query_range", {**RANGE, "step": "1m"}),
    ("query_range", {**RANGE, "step": "0.5"}),
    ("query_range", {**RANGE, "start": NOW - 59.5}),
    ("query_range", {**RANGE, "start": NOW}),
    ("query_range", {**RANGE, "query": "1"}),
    ("query_range", {**RANGE, "query": "sum by (host) (http_requests_total)"}),
    ("query_range", {**RANGE, "query": "node_load1[5m]"}),
    ("query_range", {**RANGE, "query": '"text"'}),
    ("query_range", {**RANGE, "start": ""}),
    ("query_range", {**RANGE, "start": "x"}),
    ("query_range", {**RANGE, "end": "x"}),
    ("query_range", {**RANGE, "end": NOW - 600}),
    ("query_range", {**RANGE, "step": ""}),
    ("query_range", {**RANGE, "step": "0"}),
    ("query_range", {**RANGE, "step": "-1"}),
    ("query_range", {**RANGE, "step": "x"}),
    ("query_range", {**RANGE, "step": "5m3h"}),
    ("query_range", {**RANGE, "step": "1e30"}),
    ("query_range", {**RANGE, "timeout": "x"}),
    ("query_range", {**RANGE, "start": 1, "step": 1}),
    ("query_range", {**RANGE, "start": NOW - 11_001, "step": 1}),
    ("query_range", {**RANGE, "start": NOW - 11_000, "step": 1}),
    ("query_range", {"query": "node_load1"}),
    ("query_range", SPAN),
    ("series", {"match[]": "node_load1", **SPAN}),
    ("series", {"match[]": ["node_load1", 'http_requests_total{code!="200"}', "nothing"], **SPAN}),
    ("series", {"match[]": '{__name__=~"node_.+|http_.+",host="b"}', **SPAN}),
    ("series", {"match[]": "node_load1", "start": 1, "end": 2}),
    ("series", {}),
    ("series", {"match[]": ""}),
    ("series", {"match[]": "{}"}),
    ("series", {"match[]": '{host=~".*"}'}),
    ("series", {"match[]": "node_load1 +"}),
    ("series", {"match[]": "node_load1[5m]"}),
    ("series", {"match[]": "node_load1 offset 5m"}),
    ("series", {"match[]": "rate(node_load1[5m])"}),
    ("series", {"match[]": "node_load1", "start": "z"}),
    ("series", {"match[]": "node_load1", "end": "z"}),
    ("labels", {}),
    ("labels", {"match[]": "node_load1", **SPAN}),
    ("labels", {"start": 1, "end": 2}),
    ("labels", {"match[]": "{}"}),
    ("labels", {"start": "z"}),
    ("label/host/values", SPAN),
    ("label/__name__/values", {}),
    ("label/nothing/values", {}),
    ("label/code/values", {"match[]": ["node_load1", "http_requests_total"], **SPAN}),
    ("label/host/values", {"match[]": 'node_load1{host!="a"}', **SPAN}),
    ("label/a-b/values", {}),
    ("label/1a/values", {}),
    ("label/host/values", {"match[]": "{}"}),
    ("metadata", {"metric": "nothing"}),
    ("metadata", {"limit": "x"}),
    ("metadata", {"limit": 0}),
    ("metadata", {"metric": "nothing", "limit": -1}),
    ("format_query", {"query": "sum(rate(node_load1[5m]))by(host)/on(host) group_left() node_load1"}),
    ("format_query", {"query": "1 +"}),
    ("format_query", {}),
    ("query_exemplars", {"query": "node_load1", **SPAN}),
    ("query_exemplars", {"query": "node_load1 +", **SPAN}),
    ("query_exemplars", {"query": "node_load1", "start": NOW, "end": 1}),
    ("query_exemplars", {"query": "node_load1", "start": "z"}),
    ("query_exemplars", {}),
    ("rules", {"type": "x"}),
    ("rules", {}),
    ("alerts", {}),
    ("targets/metadata", {"limit": "x"}),
    ("targets/metadata", {"match_target": "("}),
    ("targets/metadata", {}),
]


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's Prometheus with the same samples."""
    lines: dict[str, list[str]] = {"node_load1": [], "http_requests_total": []}
    for target, t, values in samples():
        labels = ",".join(f'{name}="{value}"' for name, value in target.labels.items())
        lines["node_load1"].append(f"node_load1{{{labels}}} {values['load']} {t}")
        for code in ("200", "500"):
            lines["http_requests_total"].append(f'http_requests_total{{code="{code}",{labels}}} {values[code]} {t}')
    text = "\n".join(line for each in lines.values() for line in each) + "\n# EOF\n"
    with Prometheus(tmp_path_factory.mktemp("theirs"), openmetrics=text) as running:
        yield running.url


@pytest.mark.servers
@pytest.mark.parametrize("form", [False, True])
@pytest.mark.parametrize(("path", "parameters"), REQUESTS_OF_ALL_KINDS)
def test_prometheus_answers_the_same(path: str, parameters: dict[str, Any], form: bool, ask: Api, theirs: str) -> None:
    status, expected = prometheus.ask(theirs, path, form=form, **parameters)
    ours, answer = ask(path, parameters, form)
    assert ours == status
    if expected is None:  # Prometheus says 405 as plain text
        assert (status, form) == (405, True)
        return
    assert (answer["status"], answer.get("errorType")) == (expected["status"], expected.get("errorType"))
    if status == 200:
        assert in_order(answer["data"]) == in_order(expected["data"])
    elif "non-empty matcher" in expected["error"]:
        assert "must contain at least one non-empty matcher" in answer["error"]
    elif "parse error" not in expected["error"]:  # each parser has its own words
        assert comparable(answer["error"]).startswith(comparable(expected["error"]))


def in_order(data: Any) -> Any:
    if isinstance(data, dict) and isinstance(data.get("result"), list) and data["resultType"] in ("vector", "matrix"):
        return {**data, "result": sorted(data["result"], key=json.dumps)}
    return sorted(data, key=json.dumps) if isinstance(data, list) else data


def comparable(text: str) -> str:
    """2.42 says twice which parameter it is."""
    return re.sub(r"Invalid time value for '\w+': ", "", text)
