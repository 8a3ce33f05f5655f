"""Checks and heartbeats: rows from history, which layer is broken, and checks that people add."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.configuration import parse
from dashboard import check_rows, svg
from dashboard.added_checks import MOST_CHECKS, AddedCheck, checked, written
from dashboard.check_rows import Phase
from dashboard.heights import HEIGHTS, IN_FRONT, Height, page
from tests.dashboard import around, situations
from tests.dashboard.test_boards import send
from tests.dashboard.test_pages import EVIL, get
from tests.dashboard.world import World

FRONT = {"name": "front", "url": "https://shop.example/", "interval": "60", "expect_status": "", "pattern": ""}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> World:
    return situations.full(tmp_path_factory.mktemp("full"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def heights(**states: str) -> list[Height]:
    """`height=state:reason`."""
    found = [(height, *state.partition(":")[::2]) for height, state in states.items()]
    return [Height(height, height, state, "", reason) for height, state, reason in found]


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ({"fpm": "ok", "local": "ok", "public": "ok"}, "It answers on all 3 ways."),
        ({"local": "ok", "public": "crit:resolve"}, "public name does not: its name is not found: look at DNS"),
        ({"fpm": "ok", "local": "ok", "public": "crit:certificate"}, "its certificate is not accepted"),
        ({"local": "ok", "public": "crit:timeout"}, "look at what stands before it"),
        (
            {"fpm": "crit:timeout", "local": "crit", "public": "crit"},
            "PHP-FPM does not answer, so nothing above it can",
        ),
        ({"fpm": "crit", "local": "ok", "public": "ok"}, "PHP-FPM does not answer its ping"),
        ({"fpm": "ok", "local": "crit:status", "public": "crit"}, "look at Drupal, its database and the web"),
        ({"local": "crit", "public": "crit"}, "`ping.path` of the pool would tell"),
        ({"fpm": "ok", "local": "crit", "public": "ok"}, "a cache or another host answers for it"),
        ({"public": "crit"}, "nothing asks this host itself"),
        ({"local": "ok", "public": "none"}, "This host's web server answers. The others have no result yet."),
        ({"local": "none", "public": "none"}, "No result yet."),
    ],
)
def test_the_sentence_names_the_layer(states: dict[str, str], words: str) -> None:
    assert words in page("shop.example", heights(**states)).sentence


def test_every_mixture_has_a_sentence_and_the_worst_state() -> None:
    for states in product(("ok", "crit", "none", ""), repeat=3):
        found = {height: state for height, state in zip(HEIGHTS, states, strict=True) if state}
        made = page("x", heights(**found))
        assert made.sentence.endswith(".")
        assert (
            made.state == ("crit" if "crit" in states else "none" if "none" in states or not found else "ok")
            or not found
        )
        assert [each.state for each in made.heights] == [state or "absent" for state in states]
        assert ("answer" in made.sentence and "not" not in made.sentence) <= ("crit" not in states)
    assert set(IN_FRONT) <= set(check_rows.REASONS)


def test_the_page_tells_what_history_has(full: World) -> None:
    data = get(full.client(), "/checks")
    public, fpm, local = data["checks"]
    assert [(row["module"], row["height"], row["state"]) for row in (public, fpm, local)] == [
        ("shop front", "public", "crit"), ("fpm_ping", "fpm", "crit"), ("http", "local", "ok"),
    ]  # fmt: skip
    assert public["words"].startswith("no answer in time, 504, after 4.93")
    assert local["words"].startswith("200 in 3.1")
    assert [phase["name"] for phase in public["phases"]] == ["DNS", "connect", "TLS", "first byte", "transfer"]
    assert sum(phase["seconds"] for phase in public["phases"]) == pytest.approx(4.93, abs=0.01)
    assert (fpm["phases"], local["share"][:3], public["certificate_state"]) == ([], "100", "warn")
    assert len(public["buckets"]) == 90
    assert public["buckets"][:78] == [None] * 78, "three hours of a day were measured"
    assert public["buckets"][-1] == 0
    assert set(local["buckets"][-11:]) == {1.0}
    (shop,) = data["pages"]
    assert shop["name"] == "shop.example.org"
    assert [(each["height"], each["state"]) for each in shop["heights"]] == [
        ("fpm", "crit"), ("local", "ok"), ("public", "crit"),
    ]  # fmt: skip


def test_late_is_told_from_slow(full: World) -> None:
    late, slow = get(full.client(), "/checks")["heartbeats"]
    assert (late["name"], late["state"], late["words"]) == ("backup", "crit", "did not come, 3 h 55 min late")
    assert (slow["name"], slow["state"], slow["words"][:5]) == ("drupal cron", "warn", "began")
    assert slow["words"].endswith("runs for too long")
    text = full.client().get("/checks").get_data(as_text=True)
    assert "curl -fsS -m 10 --retry 3 http://127.0.0.1:9876/ping/KEY" in text


def test_what_has_no_result_yet_is_not_healthy(world: World) -> None:
    world.watched.statuses = [situations.status(each, "waiting") for each in (around.PUBLIC, around.BACKUP)]
    data = get(world.client(), "/checks")
    assert [(row["state"], row["words"]) for row in (*data["checks"], *data["heartbeats"])] == [
        ("none", "no result yet"), ("none", "no result yet"),
    ]  # fmt: skip


def test_a_result_that_is_missed_was_there_before(tmp_path: Path) -> None:
    (row,) = get(situations.stale(tmp_path).client(), "/checks")["checks"]
    assert (row["state"], row["words"]) == ("none", "no result now")


def test_a_check_is_added_exported_and_removed(world: World) -> None:
    client = world.client()
    sent = {**FRONT, "interval": "5m", "expect_status": "200", "pattern": "Log (in|out)"}
    assert send(client, "/checks", **sent).status_code == 303
    assert world.checks.all() == [AddedCheck("front", "https://shop.example/", 300.0, 200, "Log (in|out)")]
    text = client.get("/checks.yml").get_data(as_text=True)
    (config,) = parse(text, "raingauge.yml").targets_of("probe")
    assert config == world.checks.all()[0].probe, "the configuration file takes it as it is"
    assert send(client, "/checks/remove", name="front").status_code == 303
    assert (world.checks.all(), len(world.looked)) == ([], 2)
    assert send(client, "/checks/remove", name="front").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "expected a name of 1 to 60 characters, found 0"),
        ({"url": "ftp://shop.example/"}, "url: expected an http:// or https:// address"),
        ({"url": "https://me:secret@shop.example/"}, "expected an address without an account"),
        ({"interval": "1"}, "expected an interval of 10 s or more, found 1 s"),
        ({"interval": "soon"}, "expected a duration such as 10s"),
        ({"interval": "2h"}, "interval: expected a value"),
        ({"expect_status": "OK"}, "expected a status such as 200"),
        ({"expect_status": "999"}, "expect_status: expected a value"),
        ({"pattern": "("}, "must_match: expected a regular expression (RE2)"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_added(world: World, wrong: dict[str, str], words: str) -> None:
    answer = send(world.client(), "/checks", **{**FRONT, **wrong})
    text = answer.get_data(as_text=True)
    assert (answer.status_code, words.lower() in text.lower()) == (400, True), text[text.find("notice") :][:200]
    assert 'value="https://shop.example/"' in text or "url" in wrong
    assert (world.checks.all(), world.looked) == ([], [])


def test_names_are_taken_once_and_checks_are_bounded(world: World) -> None:
    for number in range(MOST_CHECKS):
        world.checks.add(AddedCheck(f"c{number}", "https://shop.example/"))
    assert "there are 50 added checks" in send(world.client(), "/checks", **FRONT).get_data(as_text=True).lower()
    world.checks.remove("c0")
    with pytest.raises(ValueError, match="a check named 'c1' exists"):
        world.checks.add(AddedCheck("c1", "https://shop.example/"))


def test_nothing_is_added_without_a_session_or_where_nothing_runs_it(world: World) -> None:
    assert world.client().post("/checks", data=FRONT).status_code == 400
    assert world.stranger().post("/checks", data=FRONT).status_code == 302
    world.app.extensions["raingauge"] = replace(world.services, look_again=None)
    assert send(world.client(), "/checks", **FRONT).status_code == 404
    assert "Add a check" not in world.client().get("/checks").get_data(as_text=True)
    assert world.checks.all() == []


def test_what_is_added_is_no_markup(world: World) -> None:
    world.checks.add(checked(AddedCheck(EVIL, f"https://shop.example/{EVIL}")))
    assert yaml.safe_load(written(world.checks.all()))["targets"]["probe"][0]["module"] == EVIL
    drawn: Any = svg.phases([Phase(EVIL, EVIL, 1.0)])
    assert "<script>" not in drawn
