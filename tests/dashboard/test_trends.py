"""Trends: charts of what is there by layer, and the week before under them."""

from pathlib import Path

import pytest

from dashboard.comparing import WEEK
from tests.dashboard import scene, situations
from tests.dashboard.scene import Scene
from tests.dashboard.situations import status
from tests.dashboard.test_pages import get
from tests.dashboard.world import NOW, World


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> World:
    return situations.full(tmp_path_factory.mktemp("full"))


def a_week_apart(folder: Path) -> World:
    """Two hours last week and the same two hours now; the host and one pool only."""
    world = World(folder)
    targets = (scene.NODE, scene.SHOP, scene.OWN)
    for end in (NOW - WEEK, NOW):
        Scene(end, hours=2, trouble=600 if end == NOW else 0, targets=targets).fill(world.store)
    world.watched.statuses = [status(target) for target in targets]
    return world


def test_every_layer_with_data_has_its_charts_and_an_anchor(full: World) -> None:
    data = get(full.client(), "/trends")
    found = {
        section["anchor"]: [plot["id"] for plot in [*section["plots"], *section["more"]]]
        for section in data["sections"]
    }
    assert list(found)[:5] == ["web", "php", "database", "cache", "drupal"]
    assert list(found)[5:] == ["search", "mail", "checks", "security", "slos", "host"]
    assert {"apache-requests", "answers", "times"} <= {*found["web"]}
    assert {"postgres-transactions", "database-queries"} <= {*found["database"]}
    assert {"memcached-hits", "varnish-hits", "cache-hits"} <= {*found["cache"]}
    assert sum(map(len, found.values())) > 30
    assert not data["compare"]
    text = full.client().get("/trends").get_data(as_text=True)
    assert all(f'href="#{anchor}"' in text and f'id="{anchor}"' in text for anchor in found)
    assert "Compare with a week before" in text


def test_at_first_two_dozen_are_seen_and_every_layer_has_its_first(full: World) -> None:
    sections = get(full.client(), "/trends")["sections"]
    assert 12 <= sum(len(section["plots"]) for section in sections) <= 24
    assert all(section["plots"] for section in sections)
    (web,) = (section for section in sections if section["name"] == "Web")
    assert [plot["id"] for plot in web["plots"]] == ["answers", "times"]
    text = full.client().get("/trends").get_data(as_text=True)
    assert f"{len(web['more'])} more of Web: Requests, Apache requests" in text


def test_lines_are_called_what_people_call_them(full: World) -> None:
    sections = get(full.client(), "/trends")["sections"]
    plots = {plot["id"]: plot for section in sections for plot in [*section["plots"], *section["more"]]}
    names = {key: [trace["name"] for trace in plots[key]["traces"]] for key in ("attacks", "cache-ladder")}
    assert names["attacks"] == ["search for weak spots", "SQL injection"]
    assert names["cache-ladder"] == ["OPcache", "Redis", "Page cache", "Dynamic page cache"]


def test_where_few_are_nothing_is_folded_away(tmp_path: Path) -> None:
    sections = get(situations.calm(tmp_path).client(), "/trends")["sections"]
    assert sum(len(section["plots"]) for section in sections) > 12
    assert not any(section["more"] for section in sections)


def test_only_what_exists_is_shown_and_a_layer_that_cannot_be_read_says_why_once(tmp_path: Path) -> None:
    world = situations.starting(tmp_path)
    situations.began(world)
    world.watched.statuses = [*world.watched.statuses, status(scene.MYSQL, "denied", "Access denied")]
    sections = {section["name"]: section for section in get(world.client(), "/trends")["sections"]}
    assert {*sections} == {"Web", "Database", "Host"}
    assert sections["Database"]["plots"] == []
    assert sections["Database"]["note"] == "Database mysqld does not let us in: Access denied"
    text = world.client().get("/trends").get_data(as_text=True)
    assert text.count("does not let us in: Access denied") == 1


def test_the_week_before_is_the_same_line_a_week_earlier(tmp_path: Path) -> None:
    world = a_week_apart(tmp_path)
    client = world.client()
    data = get(client, "/trends?from=now-1h&cmp=1w")
    plots = {plot["id"]: plot for section in data["sections"] for plot in section["plots"]}
    assert data["compared"] == len(plots)
    workers = plots["php-workers"]
    assert (workers["before"]["name"], workers["before"]["tone"]) == ("busy a week before", 0)
    assert len(workers["before"]["values"]) == workers["columns"]
    assert workers["traces"][0]["last"] == 40 > workers["before"]["last"]
    earlier = get(client, "/trends?from=2026-09-14T13:13:20Z&to=2026-09-14T14:13:20Z")
    (same,) = (plot for section in earlier["sections"] for plot in section["plots"] if plot["id"] == "php-workers")
    assert same["x0"] == workers["x0"] - WEEK
    assert same["traces"][0]["values"] == workers["before"]["values"]
    cpu = plots["cpu"]
    assert cpu["before"]["name"] == "sum a week before"
    assert cpu["before"]["highest"] < cpu["top"] <= 1


def test_the_week_before_is_a_link_that_a_span_keeps(tmp_path: Path) -> None:
    client = a_week_apart(tmp_path).client()
    text = client.get("/trends?from=now-1h&cmp=1w").get_data(as_text=True)
    assert "?from=now-24h&amp;to=now&amp;cmp=1w" in text
    assert '<input type="hidden" name="cmp" value="1w">' in text
    assert "Without the week before" in text
    assert "busy a week before" in text
    none = client.get("/trends?from=2026-09-14T13:13:20Z&to=2026-09-14T14:13:20Z&cmp=1w").get_data(as_text=True)
    assert "Nothing was measured a week before" in none


def test_the_overviews_cards_lead_to_the_trends_of_their_layer(full: World) -> None:
    text = full.client().get("/").get_data(as_text=True)
    assert 'href="/trends#database"' in text
    assert 'href="/trends#php"' in text
    assert 'href="/host"' in text
