"""nginx with the module vts: zones and upstreams, from its documentation, and what is none."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.discovery import paced
from agent.exposition import render
from agent.reading import trial
from agent.ticking import Watch
from collectors.errors import ParseError
from collectors.inventory import Process, build
from collectors.nginx import COLLECTOR, zones
from collectors.nginx.config import Nginx
from tests.collectors.captures import DATA
from tests.collectors.serving import serving
from tests.collectors.test_garbage import anything, places, with_other

TEXT = (DATA / "nginx" / "nginx-vts-documented" / "payload.zones.txt").read_text()
STUB = "Active connections: 1\nserver accepts handled requests\n 1 1 1\nReading: 0 Writing: 1 Waiting: 0\n"
MAIN = "/etc/nginx/nginx.conf"


def values(text: str) -> dict[str, float]:
    return {",".join([sample.family.name, *sample.labels]): sample.value for sample in zones.parse(text)}


def test_zones_and_upstreams_beside_the_page() -> None:
    with serving({"/stub_status": STUB, "/status/format/json": TEXT}) as served:
        url = f"{served.url}/stub_status"
        plain = trial(COLLECTOR, Nginx.model_validate({"url": url}))
        both = trial(COLLECTOR, Nginx.model_validate({"url": url, "status_json": f"{served.url}/status/format/json"}))
        gone = trial(COLLECTOR, Nginx.model_validate({"url": url, "status_json": f"{served.url}/gone"}))
    assert [reading.outcome for reading in plain] == ["ok"]
    assert [reading.outcome for reading in both] == ["ok", "ok"]
    assert [reading.outcome for reading in gone] == ["ok", "unsupported"]


def test_without_the_address_there_is_no_such_part() -> None:
    watch = paced(Watch(COLLECTOR, Nginx()), 10)
    assert [part.name for part in watch.collector.parts] == ["status"]


def test_each_zone_and_no_sum_of_them() -> None:
    found = values(TEXT)
    assert found["web_zone_requests_total,shop.example,2xx"] == 1622
    assert found["web_zone_request_seconds_total,shop.example"] == 91.244
    assert found["web_zone_sent_bytes_total,shop.example"] == 88120034
    assert not any(",*" in name for name in found)
    assert (found["web_upstream_up,php,10.0.0.11:9000"], found["web_upstream_up,php,10.0.0.12:9000"]) == (1, 0)
    assert found["web_upstream_response_seconds_total,::nogroups,127.0.0.1:8080"] == 0.3


def test_a_server_that_is_listed_twice_is_one() -> None:
    tree = json.loads(TEXT)
    tree["upstreamZones"]["php"] *= 2
    samples = list(zones.parse(json.dumps(tree)))
    assert len({(sample.family, sample.labels) for sample in samples}) == len(samples)


@pytest.mark.parametrize("text", ["", "[]", "{}", "<html>", "[" * 100_000, '{"serverZones": ', "9" * 5000])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ParseError, match="expected"):
        list(zones.parse(text))


@given(data=st.data())
@settings(deadline=None)
def test_json_of_any_shape_is_parsed_or_refused(data: st.DataObject) -> None:
    tree: Any = json.loads(TEXT)
    at = data.draw(st.sampled_from(list(places(tree))), "at")
    try:
        samples = list(zones.parse(json.dumps(with_other(tree, at, data.draw(anything, "other")))))
    except ParseError:
        return
    render(samples).decode()
    assert all(math.isfinite(sample.value) for sample in samples)


@pytest.mark.parametrize(
    ("server", "found"),
    [
        ("location = /s { stub_status; }", None),
        ("location = /s { stub_status; } location /vts { vhost_traffic_status_display; }", "/vts/format/json"),
        ("location /s { stub_status; } location /vts/ { vhost_traffic_status_display; }", "/vts/format/json"),
        ("location = /s { stub_status; } location ~ v { vhost_traffic_status_display; }", None),
    ],
)
def test_discovered_beside_the_page(server: str, found: str | None) -> None:
    master = Process(12, "nginx", "nginx: master process /usr/sbin/nginx", "root", 1)
    text = f"http {{ server {{ listen 127.0.0.1:81; {server} }} }}"
    (proposal,) = COLLECTOR.discover(build("h", (master,), (), {MAIN: text}, ()))
    assert proposal.config == Nginx(
        url="http://127.0.0.1:81/s", status_json=f"http://127.0.0.1:81{found}" if found else None
    )


PLUS = json.loads((DATA / "nginx" / "nginx-plus-documented" / "payload.zones.txt").read_text())


def test_nginx_plus_is_found_and_asked_for_zones_and_upstreams() -> None:
    text = "http { server { listen 127.0.0.1:8080; location = /s { stub_status; } location /api/ { api write=on; } } }"
    inventory = build("h", [Process(7, "nginx", f"nginx: master process nginx -c {MAIN}", "root")], [], {MAIN: text})
    (found,) = COLLECTOR.discover(inventory)
    assert found.config == Nginx(url="http://127.0.0.1:8080/s", status_json="http://127.0.0.1:8080/api/9")
    pages = {f"/api/9/http/{name}": json.dumps(part) for name, part in PLUS.items()}
    with serving({"/s": STUB, **pages}) as served:
        settings = {"url": f"{served.url}/s", "status_json": f"{served.url}/api/9"}
        readings = trial(COLLECTOR, Nginx.model_validate(settings))
    assert [reading.outcome for reading in readings] == ["ok", "ok"]
    assert values(readings[1].payload)["web_upstream_up,pools,10.0.0.2:9000"] == 0


@given(data=st.data())
@settings(deadline=None)
def test_any_other_json_of_nginx_plus_is_survived(data: st.DataObject) -> None:
    at = data.draw(st.sampled_from([each for each in places(PLUS) if each]))
    text = json.dumps(with_other(PLUS, at, data.draw(anything)))
    try:
        found = list(zones.parse(text))
    except ParseError:
        return
    assert all(math.isfinite(sample.value) for sample in found)
