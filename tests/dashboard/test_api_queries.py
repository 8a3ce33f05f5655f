"""Parameters of queries beside time and step, and what Prometheus has outside of queries."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from collectors.model import Gauge, Target
from history import answer
from history.model import Vector
from tests.dashboard.world import NOW, World

LOAD = Gauge("node_load1", "Load over 1 minute.")
FREE = Gauge("node_memory_MemFree_bytes", "Free.")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("world"))
    for host in "abc":
        world.store.append(Target("node", host, host), NOW - 10, [LOAD(1.0), FREE(2.0)])
    return world


@pytest.fixture(scope="module")
def client(world: World) -> FlaskClient:
    client = world.stranger()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {world.token()}"
    return client


def get(client: FlaskClient, path: str, **asked: Any) -> tuple[int, Any]:
    found = client.get(f"/api/v1/{path}", query_string=asked)
    return found.status_code, found.json


INSTANT = ("query", {"time": NOW})
RANGE = ("query_range", {"start": NOW - 60, "end": NOW, "step": 30})


@pytest.mark.parametrize(("path", "times"), [INSTANT, RANGE])
def test_a_limit_of_series(client: FlaskClient, path: str, times: dict[str, Any]) -> None:
    for limit, count in (("", 3), (0, 3), (3, 3), (2, 2)):
        status, found = get(client, path, query="node_load1", limit=limit, **times)
        assert (status, len(found["data"]["result"])) == (200, count)
        assert found.get("warnings") == (["results truncated due to limit"] if count < 3 else None)
    assert get(client, path, query="1", limit=1, **times)[0] == 200


@pytest.mark.parametrize(("path", "times"), [INSTANT, RANGE])
def test_statistics_are_given_when_asked_for(client: FlaskClient, path: str, times: dict[str, Any]) -> None:
    assert "stats" not in get(client, path, query="1", **times)[1]["data"]
    timings = get(client, path, query="1", stats="all", **times)[1]["data"]["stats"]["timings"]
    assert 0 < timings["evalTotalTime"] <= timings["execTotalTime"] < 10


def test_a_lookback_of_ones_own_is_not_silently_ignored(client: FlaskClient) -> None:
    status, found = get(client, "query", query="node_load1", time=NOW, lookback_delta="1m")
    assert (status, len(found["data"]["result"])) == (200, 3)
    assert "lookback_delta is not supported" in found["warnings"][0]


@pytest.mark.parametrize(
    ("path", "asked", "text"),
    [
        ("query", {"query": "1", "limit": "-1"}, "non-negative"),
        ("query", {"query": "1", "limit": "１"}, "limit must be a number"),
        ("query", {"query": "1", "lookback_delta": "x"}, "lookback_delta"),
        ("query", {"query": "1", "timeout": "soon"}, "timeout"),
        ("series", {"match[]": "node_load1", "limit": "-1"}, "non-negative"),
        ("metadata", {"limit_per_metric": "x"}, "limit_per_metric must be a number"),
        ("query_exemplars", {"query": "x", "start": 2, "end": 1}, "before start timestamp"),
        ("format_query", {"query": "sum("}, "parse error"),
    ],
)
def test_what_is_refused(client: FlaskClient, path: str, asked: dict[str, Any], text: str) -> None:
    status, found = get(client, path, **asked)
    assert (status, found["status"], found["errorType"]) == (400, "error", "bad_data")
    assert text in found["error"]


def test_the_form_goes_before_the_address(client: FlaskClient) -> None:
    """And they add up where there may be several, as in Go's http.Request."""
    found = client.post("/api/v1/query?query=2&time=4", data={"query": "1"})
    assert found.json
    assert found.json["data"]["result"] == [4, "1"]
    found = client.post("/api/v1/series?match[]=node_load1", data={"match[]": "node_memory_MemFree_bytes"})
    assert found.json
    assert {each["__name__"] for each in found.json["data"]} == {"node_load1", "node_memory_MemFree_bytes"}


@pytest.mark.parametrize(
    ("asked", "count"),
    [({}, 2), ({"limit": -1}, 2), ({"limit": 1}, 1), ({"limit": 0}, 0), ({"limit_per_metric": 1}, 2)],
)
def test_limits_of_metadata(client: FlaskClient, asked: dict[str, Any], count: int) -> None:
    assert len(get(client, "metadata", **asked)[1]["data"]) == count


def test_a_query_is_formatted(client: FlaskClient) -> None:
    assert get(client, "format_query", query="sum(rate(a[5m]))by(b)")[1]["data"] == "sum by (b) (rate(a[5m]))"
    assert get(client, "query_exemplars", query="a") == (200, {"status": "success", "data": []})


def test_which_version_answers(client: FlaskClient) -> None:
    assert get(client, "status/buildinfo")[1]["data"]["revision"] == "raingauge-1.2.3"


@pytest.mark.parametrize("path", ["/-/healthy", "/-/ready"])
def test_health(client: FlaskClient, world: World, path: str) -> None:
    assert (client.get(path).status_code, client.get(path).mimetype) == (200, "text/plain")
    assert client.post(path).status_code == 405
    assert "Raingauge" in client.get(path).text
    assert world.stranger().get(path).status_code in (200, 401)  # never the login form


def test_remarks_of_promql_are_infos() -> None:
    remark, warning = "PromQL info: metric might not be a counter", "PromQL warning: bucket label missing"
    found = answer.result(Vector((), (remark, warning)))
    assert (found["infos"], found["warnings"]) == ([remark], [warning])


def test_the_most_points_of_a_series(tmp_path: Path) -> None:
    world = World(tmp_path)
    found = world.client().get("/api/v1/query_range?query=1&start=1&end=20000&step=1")
    assert found.json
    assert (found.status_code, found.json["errorType"]) == (400, "bad_data")
    assert found.json["error"].startswith("exceeded maximum resolution of 11,000 points per timeseries")
