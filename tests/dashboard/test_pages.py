"""Every page in every situation: strict templates, nothing made for nobody, HTML and JSON from the same dataclass."""

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import g
from flask.testing import FlaskClient

from collectors.model import Event, Finding
from dashboard import asked
from dashboard.appearance import Look
from dashboard.pages import (
    alerts,
    appearance,
    board,
    boards,
    checks,
    drupal,
    explore,
    host,
    incident,
    incidents,
    keys,
    overview,
    people,
    security,
    settings,
    site,
    slo,
    slowest,
    targets,
    trail,
    trends,
)
from dashboard.rights import Caller
from tests.dashboard import scene, situations
from tests.dashboard.oddities import everything_odd
from tests.dashboard.situations import status
from tests.dashboard.world import NOW, World

QUERY, SITE, BOARD = "/explore?q=up", "/site/shop.example.org", "/boards/launch"
INCIDENT = "/incidents/1"
ADA = Caller("ada", "admin", "session")
ASKED: dict[str, dict[str, Any]] = {
    SITE: {"name": "shop.example.org"},
    INCIDENT: {"number": 1},
    "/trends?cmp=1w": {"compare": True},
    QUERY: {"query": "up"},
    BOARD: {"board": situations.BOARD},
    "/settings": {"who": ADA, "chosen": Look("", "Europe/Berlin", keys=True)},
    "/settings/configuration": {"who": ADA},
    "/settings/users": {"who": ADA},
    "/settings/tokens": {"who": ADA, "made": "grafana", "secret": "rg_x"},
    "/settings/audit": {"who": ADA},
}
"""What a route gives `build` from the address."""
JSON = {"Accept": "application/json"}
PATHS = {
    "/": overview,
    "/trends?cmp=1w": trends,
    "/host": host,
    "/incidents": incidents,
    "/alerts": alerts,
    "/targets": targets,
    "/slowest": slowest,
    "/slo": slo,
    "/security": security,
    "/drupal": drupal,
    QUERY: explore,
    "/boards": boards,
    "/checks": checks,
    "/settings": appearance,
    "/settings/configuration": settings,
    "/settings/users": people,
    "/settings/tokens": keys,
    "/settings/audit": trail,
}
SITUATIONS: dict[str, Callable[[Path], World]] = {
    "calm": situations.calm, "trouble": situations.trouble, "gap": situations.gap, "starting": situations.starting,
    "stale": situations.stale,
}  # fmt: skip
SCRIPTS = "".join(path.read_text() for path in Path(asked.__file__).parent.glob("static/*.js"))
EVIL = '<script>alert("x")</script>'


@pytest.fixture(scope="module", params=SITUATIONS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    return SITUATIONS[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> World:
    return situations.trouble(tmp_path_factory.mktemp("troubled"))


@pytest.mark.parametrize("path", PATHS)
def test_every_page_answers_in_every_situation(world: World, path: str) -> None:
    client = world.client()
    html = client.get(path)
    assert (html.status_code, html.mimetype) == (200, "text/html")
    text = html.get_data(as_text=True)
    assert text.count("<h1>") == 1
    assert not re.search(r"\sstyle=|<style|<script(?! defer src=)|\son\w+=", text), "the policy forbids it"
    assert "Undefined" not in text
    assert len(gzip.compress(html.data)) < 60_000
    data = client.get(path, headers=JSON)
    assert (data.status_code, data.mimetype) == (200, "application/json")
    assert data.get_json()["shell"]["title"] in text


@pytest.mark.parametrize("path", PATHS)
def test_json_is_the_page(world: World, path: str) -> None:
    names = {field.name for field in fields(next(of for of in vars(PATHS[path]).values() if _is_page(of)))}
    assert set(world.client().get(path, headers=JSON).get_json()) == names


def _is_page(of: Any) -> bool:
    return is_dataclass(of) and getattr(of, "__name__", "").endswith("Page")


class Recorder:
    """A dataclass seen through a template: every field that is looked at is written down."""

    def __init__(self, seen: set[str], of: Any) -> None:
        self._seen, self._of = seen, of

    def __getattr__(self, name: str) -> Any:
        self._seen.add(f"{type(self._of).__name__}.{name}")
        return recorded(self._seen, getattr(self._of, name))


def recorded(seen: set[str], value: Any) -> Any:
    if is_dataclass(value):
        return Recorder(seen, value)
    if isinstance(value, tuple) and any(is_dataclass(each) for each in value):
        return tuple(recorded(seen, each) for each in value)
    return value


def fields_of(value: Any) -> Iterator[str]:
    if is_dataclass(value):
        for field in fields(value):
            yield f"{type(value).__name__}.{field.name}"
            yield from fields_of(getattr(value, field.name))
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from fields_of(each)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from fields_of(each)


def test_every_field_is_used_by_a_template_or_by_the_browser(tmp_path: Path) -> None:
    """A page's own by its own template; what pages share by one of them."""
    worlds = [everything_odd(situations.full(tmp_path / "full")), everything_odd(situations.trouble(tmp_path / "one"))]
    situations.explain(worlds[0])
    everywhere: set[str] = set()
    made: set[str] = set()
    for path, module in {**PATHS, SITE: site, INCIDENT: incident, BOARD: board}.items():
        seen: set[str] = set()
        for world in worlds if path == "/" else worlds[:1]:  # the overview of a host without sites is another
            with world.app.test_request_context(path):
                g.caller = ADA
                odd = replace(world.services, started=NOW)
                page = module.build(odd, asked.view(), **ASKED.get(path, {}))
                asked.answer(f"{module.__name__.rpartition('.')[2]}.html", Recorder(seen, page))
        made |= set(fields_of(page))
        everywhere |= seen
        assert {name for name in fields_of(page) if name.startswith(f"{type(page).__name__}.")} <= seen
    assert len(made) > 120
    assert {name for name in made - everywhere if not re.search(rf"\b{name.partition('.')[2]}\b", SCRIPTS)} == set()


def test_the_overview_says_it_first(troubled: World) -> None:
    client = troubled.client()
    text = client.get("/").get_data(as_text=True)
    data = client.get("/", headers=JSON).get_json()
    assert data["verdict"]["lead"] == "All workers of PHP-FPM pool shop are busy"
    assert 0 < text.index(data["verdict"]["lead"]) < text.index("Layers") < text.index("<figure")
    assert "<title>2 need you · Overview · web-01</title>" in text


def test_the_alerts_say_which_rule_file_is_refused(tmp_path: Path) -> None:
    text = everything_odd(situations.trouble(tmp_path)).client().get("/alerts").get_data(as_text=True)
    assert "own.yml:7: fo: expected one of for, found an unknown key" in text


def test_a_new_host_is_told_from_its_first_sample_on_when_a_day_is_there(tmp_path: Path) -> None:
    world = situations.starting(tmp_path)
    world.watched.found = []
    assert get(world.client(), "/")["setup"] is None
    situations.began(world)
    assert get(world.client(), "/")["setup"]["full_view_at"] == pytest.approx(NOW + 86400, abs=300)
    assert "the 24 h view is full at" in world.client().get("/").get_data(as_text=True)


def test_charts_have_marks_a_sentence_and_a_table(troubled: World) -> None:
    text = troubled.client().get("/").get_data(as_text=True)
    figure = text[text.index('id="chart-php-workers"') :].partition("</figure>")[0]
    assert "PHP workers, pool shop: busy between" in figure
    assert 'class="span is-crit"' in figure
    assert figure.count('class="mark ') == 3
    assert figure.count('<th scope="row">') == 9


def test_what_comes_from_outside_is_escaped(tmp_path: Path) -> None:
    world = situations.trouble(tmp_path)
    first, *others = world.alerting.found
    texts = dict.fromkeys(first.annotations, EVIL)
    world.alerting.found = [replace(first, annotations=texts, labels={**first.labels, "pool": EVIL}), *others]
    world.watched.found = [Finding("mysql", EVIL, EVIL, EVIL)]
    world.watched.unseen = [EVIL]
    world.watched.statuses = [replace(status(scene.NGINX, "denied", EVIL), found=EVIL, remedy=EVIL)]
    world.events.record(Event("e", "x", "warning", "h", "", NOW - 60, NOW - 60, 1, EVIL))
    client = world.client()
    for path in ("/", "/host", "/alerts", f"/alerts?name={EVIL}", "/targets"):
        assert EVIL not in client.get(path).get_data(as_text=True), path


def test_alerts_can_be_chosen_by_name(troubled: World) -> None:
    data = get(troubled.client(), "/alerts?name=FpmMaxChildren")
    assert [card["name"] for card in data["firing"]] == ["FpmMaxChildren"]
    assert (data["pending"], data["resolved"]) == ([], [])
    assert [rule["name"] for group in data["groups"] for rule in group["rules"]] == ["FpmMaxChildren"]
    text = troubled.client().get("/alerts?name=NoSuchAlert").get_data(as_text=True)
    assert "No alert of this name is firing." in text


def get(client: FlaskClient, path: str) -> Any:
    return json.loads(client.get(path, headers=JSON).data)


def test_targets_say_what_allows_reading_them(tmp_path: Path) -> None:
    data = get(everything_odd(situations.trouble(tmp_path)).client(), "/targets")
    (mysql, *_) = data["targets"]
    assert (mysql["name"], mysql["state"], mysql["remedy"]) == ("Database mysqld", "none", "CREATE USER ...;")
    assert mysql["parts"][0]["words"] == "does not let us in"
    assert data["findings"][0]["remedy"].startswith("CREATE USER IF NOT EXISTS")


@pytest.mark.parametrize("path", ["/", "/host"])
def test_a_wrong_span_is_said_and_the_usual_one_is_shown(troubled: World, path: str) -> None:
    client = troubled.client()
    answer = client.get(f"{path}?from=banana")
    assert answer.status_code == 400
    assert "from=banana is no time, expected now, now-3h" in answer.get_data(as_text=True)
    shell = client.get(f"{path}?from=now-1h&to=banana", headers=JSON).get_json()["shell"]
    assert (shell["end"] - shell["start"], shell["problem"][:10]) == (10800, "to=banana ")


def test_the_span_chooses_what_is_asked_and_width_how_finely(troubled: World) -> None:
    client = troubled.client()
    counts = [get(client, f"/?from=now-1h&width={width}")["plots"][0]["columns"] for width in (240, 800, "x", 9999999)]
    assert counts[0] < 130 < counts[1] == 361
    assert counts[2] == counts[3] < 250
    past = get(client, "/?from=2026-09-21T12:00:00Z&to=2026-09-21T13:00:00Z")
    assert past["shell"]["freshness"] == "past"
    assert past["plots"][0]["end"] - past["plots"][0]["start"] == 3600


def test_freshness_and_counts_are_in_the_frame(world: World) -> None:
    shell = get(world.client(), "/")["shell"]
    assert shell["freshness"] in ("live", "starting", "stale")
    if shell["freshness"] == "stale":
        assert shell["last_sample"] == NOW - 720
        assert "Last sample 12 min ago, retrying" in world.client().get("/").get_data(as_text=True)


def test_strangers_see_none_of_it(troubled: World) -> None:
    for path in PATHS:
        assert troubled.stranger().get(path).status_code == 302
        assert troubled.stranger().get(path, headers=JSON).status_code == 401


def test_the_first_two_ticks_are_seen_at_once_though_they_are_not_on_the_clock(tmp_path: Path) -> None:
    world = situations.starting(tmp_path)
    scene.Scene(NOW - 5.7, hours=1.5 / 3600, interval=1.5, targets=(scene.NODE, scene.OWN)).fill(world.store)
    world.now = NOW - 5
    world.watched.statuses = [status(scene.NODE)]
    plots = {plot["id"]: plot for plot in get(world.client(), "/")["plots"]}
    assert any(value is not None for value in plots["memory"]["traces"][0]["values"])
