"""The security page: what needs a look with its evidence and what was around it; attempts as numbers."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from collectors.model import Event
from dashboard.pages.security import around
from tests.dashboard import services, situations
from tests.dashboard.around import AUTH
from tests.dashboard.world import NOW, World

SHOP, NEWS = services.SITES


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return situations.full(tmp_path_factory.mktemp("full"))


def get(world: World, path: str = "/security") -> dict[str, Any]:
    answer = world.client().get(path, headers={"Accept": "application/json"})
    assert answer.status_code == 200
    return dict(answer.get_json())


def test_the_worst_is_first_with_its_evidence(world: World) -> None:
    data = get(world)
    found = [(each["look"], each["kind"]) for each in data["telling"]]
    assert found == [("crit", "web shell"), ("warn", "password guessing")]
    assert data["telling"][0]["evidence"][1]["owner"] == "www-data"
    assert [each["title"].partition(":")[0] for each in data["noted"]] == [
        "Search for weak spots on news.example.org from 198.51.100.0/24"
    ]


def test_what_was_around_it_is_told_in_the_order_of_time(world: World) -> None:
    near = get(world)["telling"][0]["near"]
    assert [each["title"].partition(" ")[0] for each in near] == ["PHP-FPM", "FpmPoolExhausted"]


def test_another_sites_events_are_not_around_it() -> None:
    mine = Event("1", "security.sqli", "warning", "", SHOP, NOW, NOW, 1, "mine")
    others = [
        Event("2", "deploy", "info", "", site, NOW + ago, NOW + ago, 1, str(ago))
        for site in (SHOP, NEWS, "") for ago in (-901, -899, 0, 899, 901)
    ]  # fmt: skip
    found = around(mine, [mine, *others])
    assert [each.title for each in found] == ["-899", "-899", "0", "0", "899", "899"]
    assert {each.site for each in found} == {SHOP, ""}


def test_attempts_are_counted_by_class_and_outcome(world: World) -> None:
    lines = {line["name"]: line["cells"] for line in get(world)["attempts"]["lines"]}
    assert list(lines) == ["search for weak spots", "logins", "SQL injection"]
    assert lines["SQL injection"] == ["43", "108", "0"]
    assert lines["logins"] == ["216", "140", "0"]


def test_one_site_alone(world: World) -> None:
    data = get(world, f"/security?site={NEWS}")
    assert data["telling"] == []
    assert data["sites"] == [NEWS, SHOP]
    assert len(data["noted"]) == 1


def test_a_quiet_host_says_so(tmp_path: Path) -> None:
    world = situations.calm(tmp_path)
    world.watched.statuses = [*world.watched.statuses, situations.status(AUTH)]
    text = world.client().get("/security").get_data(as_text=True)
    assert "Nothing in this time needs a look." in text
    assert "No access log is read." in text


def test_where_nothing_looks_for_attacks_nothing_found_is_no_good_news(tmp_path: Path) -> None:
    world = situations.calm(tmp_path)
    assert "so attacks are not seen" in get(world)["unwatched"]
    world.watched.statuses = [situations.status(AUTH, "denied", "no")]
    assert "so attacks are not seen" in get(world)["unwatched"]
    text = world.client().get("/security").get_data(as_text=True)
    assert "Nothing in this time needs a look." not in text


def test_what_was_closed_needs_no_look(world: World) -> None:
    data = get(world)
    assert [each["is_open"] for each in data["telling"]] == [True, False]
    assert data["waiting"] == 1
    needs, closed = world.client().get("/security").get_data(as_text=True).split('<h2 class="sec">Closed</h2>')
    assert ("Web shell on" in needs, "Password guessing on" in needs) == (True, False)
    assert "Password guessing on" in closed


def test_only_who_may_close_an_event_is_offered_it(world: World) -> None:
    with patch("history.users.hashed", str):
        world.access.users.add("vera", "correct horse", "viewer", NOW)
        world.access.users.add("rob", "correct horse", "responder", NOW)
    offered = {name: "/events/close" in world.as_user(name).get("/security").get_data(as_text=True)
               for name in ("vera", "rob")}  # fmt: skip
    assert offered == {"vera": False, "rob": True}
