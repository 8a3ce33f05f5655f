"""Sites: what needs a look first, each number where it belongs, and why something is not known."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from collectors.model import Finding
from dashboard.sites import Reading, answers_state, signs, worst
from history.model import Point
from tests.dashboard import services, situations
from tests.dashboard.browsing import served, window
from tests.dashboard.situations import status
from tests.dashboard.test_accessibility import LOOKS, SETTLED, check, check_theme
from tests.dashboard.test_pages import EVIL, get
from tests.dashboard.world import NOW, World

SHOP, NEWS = "/site/shop.example.org", "/site/news.example.org"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> World:
    return situations.full(tmp_path_factory.mktemp("full"))


def reading(**values: float) -> Reading:
    found = {f"drupal_{name}": [Point({}, NOW, value)] for name, value in values.items()}
    return Reading("shop", NOW, found, (), ())


def tables(page: Any) -> dict[str, Any]:
    return {table["anchor"]: table for table in page["tables"]}


def test_sites_that_need_a_look_are_first(full: World) -> None:
    data = get(full.client(), "/drupal")
    assert [(site["name"], site["state"]) for site in data["sites"]] == [
        ("shop.example.org", "crit"), ("news.example.org", "ok"),
    ]  # fmt: skip
    said = {sign["name"]: (sign["state"], sign["text"]) for sign in data["sites"][0]["signs"]}
    assert said["Cron"] == ("warn", "5 h 30 min ago")
    assert said["Maintenance"] == ("warn", "on: visitors see a notice")
    assert said["Updates"] == ("warn", "1 for security, 2 of the database")
    assert (said["Requests"][0], said["Requests"][1].endswith("% fail")) == ("warn", True)
    assert said["Queues"][1].endswith("wait, the oldest for 6 min")
    assert data["missing"] == ""
    assert f'href="{SHOP}"' in full.client().get("/drupal").get_data(as_text=True)


@pytest.mark.parametrize(("failed", "whole", "state"), [(0.03, 0.03, "ok"), (0.2, 5, "warn"), (0.2, 50, "ok")])
def test_a_share_of_failures_degrades_and_a_few_do_not(failed: float, whole: float, state: str) -> None:
    assert answers_state(failed, whole) == state


def test_a_site_has_everything_that_is_known_of_it(full: World) -> None:
    data = get(full.client(), SHOP)
    found = tables(data)
    assert list(found) == [
        "caches", "requests", "agents", "updates", "queues", "errors", "users", "bins", "tables", "new-errors",
    ]  # fmt: skip
    assert [anchor for anchor, table in found.items() if table["missing"]] == ["new-errors"]  # no event tells one
    assert ["Drupal", "10.3.1"] in data["facts"]
    assert found["updates"]["lines"][0]["cells"] == ["not secure", "6.2.0", "6.2.7"]
    assert found["queues"]["lines"][0]["name"] == "search_api"
    assert re.fullmatch(r"\d+ (more|less)|as many", found["queues"]["lines"][0]["cells"][-1])
    assert (found["errors"]["lines"][0]["name"], found["errors"]["lines"][0]["note"]) == ("php", "error")
    assert found["tables"]["lines"][0]["name"] == "watchdog"
    assert found["requests"]["lines"][0]["name"] == "assets"
    assert found["agents"]["lines"][0]["name"] == "people"
    assert {row["where"] for row in data["routes"]["rows"]} == {"shop.example.org"}
    assert [event["title"].partition(" ")[0] for event in data["events"]] == ["Web", "Password", "Cron"]
    assert {plot["id"] for plot in data["plots"]} == {
        "site-requests", "site-answers", "site-times", "site-cron", "site-queues", "site-errors"
    }  # fmt: skip
    other = get(full.client(), NEWS)
    assert [event["title"].partition(" ")[0] for event in other["events"]] == ["Search"]
    assert "Not known" not in tables(other)["queues"]["missing"]
    assert "Update Manager" in tables(other)["updates"]["missing"]


def test_a_queue_without_items_is_empty_and_releases_that_nobody_fetched_are_not_known() -> None:
    said = {sign.name: (sign.state, sign.text) for sign in signs(reading(queues=0, security_updates_pending=0))}
    assert said["Queues"] == ("ok", "empty")
    assert said["Updates"] == ("ok", "none pending")
    updates = [Point({"status": status}, NOW, value) for status, value in (("current", 0.0), ("not_fetched", 3.0))]
    unfetched = reading(database_updates_pending=0)
    unfetched = replace(unfetched, found={**unfetched.found, "drupal_updates": updates})
    said = {sign.name: (sign.state, sign.text) for sign in signs(unfetched)}
    assert said["Updates"] == ("none", "releases not known")


def test_an_unknown_site_is_not_there(full: World) -> None:
    client = full.client()
    assert client.get("/site/nobody.example.org").status_code == 404
    assert client.get('/site/x"}').status_code == 404
    assert full.stranger().get(SHOP).status_code == 302


def test_what_is_not_known_is_never_healthy_and_says_why(tmp_path: Path) -> None:
    assert {sign.state for sign in signs(reading())} == {"none"}
    assert worst(signs(reading())) == "none"
    world = situations.starting(tmp_path)
    world.watched.statuses = []
    assert "settings.php" in get(world.client(), "/drupal")["missing"]
    world.watched.statuses = [status(services.SHOP_SITE, "waiting")]
    assert "within a minute" in get(world.client(), "/drupal")["missing"]
    found = tables(get(world.client(), SHOP))
    assert found["queues"]["missing"].startswith("Not read yet: it is read every")
    world.watched.statuses = [status(services.SHOP_SITE, "denied", "Access denied for user 'raingauge'")]
    assert tables(get(world.client(), SHOP))["users"]["missing"] == (
        "The database does not let us in: Access denied for user 'raingauge'"
    )
    assert world.client().get(SHOP).get_data(as_text=True).count("Access denied") >= 4


def test_what_fires_on_what_a_site_stands_on_is_the_sites_trouble_too(full: World) -> None:
    client = full.client()
    assert [alert["name"] for alert in get(client, SHOP)["alerts"]] == ["FpmPoolExhausted", "FpmMaxChildren"]
    assert get(client, NEWS)["alerts"] == []
    assert "All workers of PHP-FPM pool shop are busy" in client.get(SHOP).get_data(as_text=True)
    rows = {row["name"]: row for row in get(client, "/drupal")["sites"]}
    assert (rows["shop.example.org"]["state"], rows["news.example.org"]["state"]) == ("crit", "ok")
    assert "All workers of PHP-FPM pool shop are busy" in client.get("/drupal").get_data(as_text=True)


def test_a_site_of_the_access_log_alone_says_why_drupal_is_not_read(full: World) -> None:
    others = [each for each in full.watched.statuses if each.target is not services.NEWS_SITE]
    finding = Finding("drupal", "Drupal 10.3.1 in /srv/news", "settings.php cannot be read", "setfacl ...")
    kept = full.watched.statuses, full.watched.found
    try:
        full.watched.statuses, full.watched.found = others, [finding]
        found = tables(get(full.client(), NEWS))
        assert found["updates"]["missing"] == "Drupal 10.3.1 in /srv/news: settings.php cannot be read"
        assert "setfacl ..." in full.client().get("/drupal").get_data(as_text=True)
    finally:
        full.watched.statuses, full.watched.found = kept


def test_cron_and_updates_say_what_is_wrong() -> None:
    late = reading(cron_last_run_timestamp_seconds=NOW - 90_000, cron_threshold_seconds=10_800)
    assert signs(late)[0].state == "warn"
    in_time = reading(cron_last_run_timestamp_seconds=NOW - 600, cron_threshold_seconds=10_800)
    assert (signs(in_time)[0].state, signs(in_time)[0].text) == ("ok", "10 min ago")
    stuck = replace(late, found={**in_time.found, "drupal_cron_state": [Point({"state": "stuck"}, NOW, 1.0)]})
    assert signs(stuck)[0].text.startswith("stuck")
    assert signs(reading(security_updates_pending=0))[2].text == "none pending"


def test_names_of_a_site_are_escaped(tmp_path: Path) -> None:
    world = situations.starting(tmp_path)
    world.watched.statuses = [status(replace(services.SHOP_SITE, instance=EVIL), "denied", EVIL)]
    answer = world.client().get(f"/site/{EVIL.replace('/', '%2F')}")
    assert EVIL not in answer.get_data(as_text=True)


@pytest.mark.servers
@pytest.mark.parametrize(("look", "other"), [("light", "dark"), ("tablet", ""), ("dark phone", "light")])
def test_a_site_is_accessible(browser: Browser, full: World, look: str, other: str) -> None:
    with served(full) as base, window(browser, full, base, **LOOKS[look]) as opened:
        for path in (SHOP, NEWS):
            opened.open(path)
            opened.wait(SETTLED)
            check(opened)
            assert opened.width() <= LOOKS[look]["viewport"]["width"]
            if other:
                check_theme(opened, other, LOOKS[look]["color_scheme"])


@pytest.mark.servers
def test_everything_is_read_without_javascript(browser: Browser, full: World) -> None:
    with served(full) as base, window(browser, full, base, java_script_enabled=False) as opened:
        for path, there in ((SHOP, "#queues tbody tr"),
                            ("/trends", "figure .plot path.s"), ("/slowest", "#sql tbody tr"),
                            ("/explore?q=up", "#values tbody tr"), ("/drupal", "#sites .signs dd")):  # fmt: skip
            opened.open(path)
            assert opened.page.locator(there).count() > 1, path
        opened.open("/explore")
        opened.page.locator("#q").fill("node_load1")
        opened.page.locator("#q").press("Enter")
        assert opened.query["q"] == "node_load1"
        assert opened.page.locator("#values tbody tr").count() == 1


def test_which_cache_fell_first_and_what_it_cost(full: World) -> None:
    table = tables(get(full.client(), f"{SHOP}?from=now-1h"))["caches"]
    assert table["lead"] == "Page cache fell first, 19 min ago; PHP worked 1 h 30 min more for as many requests"
    assert [line["name"] for line in table["lines"]] == ["Page cache", "Dynamic page cache", "Redis", "OPcache"]
    gap = "\N{NARROW NO-BREAK SPACE}"
    assert table["lines"][0]["cells"] == [f"31{gap}%", f"84{gap}%", "19 min ago"]
    assert table["lines"][1]["cells"][2] == "–"
    other = tables(get(full.client(), NEWS))["caches"]
    assert other["lines"] == []
    assert "$upstream_http_x_drupal_cache" in other["missing"]
