"""Prometheus' HTTP API: the same answers to the same requests, good and bad, as Debian's Prometheus gives."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    for target, t, values in samples():
        rows = [LOAD(values["load"]), REQUESTS(values["200"], "200"), REQUESTS(values["500"], "500")]
        world.store.append(target, t, rows)
    return world


def ask(world: World, path: str, method: str = "GET", **parameters: Any) -> tuple[int, Any]:
    client = world.client()
    if method == "POST":
        answer = client.post(f"/api/v1/{path}", data=parameters)
    else:
        answer = client.get(f"/api/v1/{path}", query_string=parameters)
    return answer.status_code, answer.json


def test_an_instant_query(world: World) -> None:
    status, answer = ask(world, "query", query='http_requests_total{host="a"}', time=NOW)
    assert (status, answer["status"], answer["data"]["resultType"]) == (200, "success", "vector")
    assert [(each["metric"]["code"], each["value"]) for each in answer["data"]["result"]] == [
        ("200", [NOW, "420"]),
        ("500", [NOW, "6"]),
    ]


def test_now_is_the_default(world: World) -> None:
    world.now = NOW + 5
    assert ask(world, "query", query="time()")[1]["data"]["result"] == [NOW + 5, str(int(NOW + 5))]


def test_a_range_query_by_get_and_by_form(world: World) -> None:
    parameters = {"query": "sum(rate(http_requests_total[1m]))", "start": NOW - 60, "end": NOW, "step": "30s"}
    got, posted = (ask(world, "query_range", method, **parameters) for method in ("GET", "POST"))
    assert got == posted
    assert [value for _, value in got[1]["data"]["result"][0]["values"]][-1].startswith("1.4")


def test_labels_series_and_metadata(world: World) -> None:
    assert ask(world, "labels")[1]["data"] == ["__name__", "code", "host", "instance", "job"]
    assert ask(world, "label/host/values")[1]["data"] == ["a", "b"]
    assert ask(world, "label/host/values", **{"match[]": 'node_load1{host="b"}'})[1]["data"] == ["b"]
    assert ask(world, "label/nothing/values")[1]["data"] == []
    found = ask(world, "series", **{"match[]": ["node_load1", 'http_requests_total{code="500"}']})[1]["data"]
    assert len(found) == 4
    assert ask(world, "series", **{"match[]": "node_load1", "end": NOW - 10_000})[1]["data"] == []
    assert ask(world, "metadata")[1]["data"]["node_load1"] == [
        {"type": "gauge", "help": "Load over 1 minute.", "unit": ""}
    ]
    assert list(ask(world, "metadata", metric="http_requests_total")[1]["data"]) == ["http_requests_total"]


def test_limits(world: World) -> None:
    _, answer = ask(world, "series", limit=1, **{"match[]": "node_load1"})
    assert (len(answer["data"]), answer["warnings"]) == (1, ["results truncated due to limit"])
    assert len(ask(world, "metadata", limit=1)[1]["data"]) == 1
    assert "warnings" not in ask(world, "labels", limit=0)[1]


RANGE = {"query": "node_load1", "start": NOW - 60, "end": NOW, "step": 10}
REQUESTS_OF_ALL_KINDS: list[tuple[str, dict[str, Any]]] = [
    ("query", {"query": "node_load1", "time": NOW}),
    ("query", {"query": "node_load1[30s]", "time": NOW + 1}),
    ("query", {"query": "1 + 1", "time": NOW}),
    ("query", {"query": '"text"', "time": NOW}),
    ("query", {"query": "node_load1", "time": "2026-09-21T13:33:20Z"}),
    ("query", {}),
    ("query", {"query": "1 +"}),
    ("query", {"query": "node_load1", "time": "x"}),
    ("query", {"query": "node_load1", "timeout": "x"}),
    ("query_range", RANGE),
    ("query_range", {**RANGE, "step": "1m"}),
    ("query_range", {**RANGE, "query": "sum by (host) (http_requests_total)"}),
    ("query_range", {**RANGE, "query": "node_load1[5m]"}),
    ("query_range", {**RANGE, "query": '"text"'}),
    ("query_range", {**RANGE, "start": ""}),
    ("query_range", {**RANGE, "end": NOW - 600}),
    ("query_range", {**RANGE, "step": "0"}),
    ("query_range", {**RANGE, "step": "-1"}),
    ("query_range", {**RANGE, "step": "x"}),
    ("query_range", {**RANGE, "start": 1, "step": 1}),
    ("query_range", {"query": "node_load1"}),
    ("series", {"match[]": "node_load1", "start": NOW - 600, "end": NOW}),
    ("series", {}),
    ("series", {"match[]": "node_load1 +"}),
    ("series", {"match[]": "rate(node_load1[5m])"}),
    ("series", {"match[]": "{}"}),
    ("series", {"match[]": "node_load1", "start": "z"}),
    ("labels", {"match[]": "node_load1", "start": NOW - 600, "end": NOW}),
    ("labels", {"match[]": "{}"}),
    ("label/host/values", {"start": NOW - 600, "end": NOW}),
    ("label/a-b/values", {}),
    ("label/code/values", {"match[]": ["node_load1", "http_requests_total"], "start": NOW - 600, "end": NOW}),
    ("metadata", {"limit": "x"}),
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
@pytest.mark.parametrize(("path", "parameters"), REQUESTS_OF_ALL_KINDS)
def test_prometheus_answers_the_same(path: str, parameters: dict[str, Any], world: World, theirs: str) -> None:
    status, expected = prometheus.ask(theirs, path, **parameters)
    ours, answer = ask(world, path, **parameters)
    assert (ours, answer["status"], answer.get("errorType")) == (status, expected["status"], expected.get("errorType"))
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
