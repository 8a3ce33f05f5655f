"""Slowest: by share of the time of all, sorted by what is asked for, and what to do where nothing is known."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collectors.model import Counter, Finding, Gauge, Target
from dashboard.costs import Cost, Span, Watched, costs
from dashboard.php_costs import pools
from dashboard.same_seconds import together
from history.database import open_database
from history.embedded import Embedded
from history.store.store import Store
from tests.dashboard import scene, services, situations
from tests.dashboard.situations import status
from tests.dashboard.test_pages import get
from tests.dashboard.world import NOW, World


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> World:
    return situations.full(tmp_path_factory.mktemp("full"))


def tables(world: World, path: str = "/slowest") -> Mapping[str, Any]:
    return {table["anchor"]: table for table in get(world.client(), path)["tables"]}


def test_what_takes_most_time_in_all_is_first(full: World) -> None:
    found = tables(full)
    assert list(found) == ["routes", "sql", "php", "pools"]
    for table in found.values():
        assert table["missing"] == ""
        shares = [row["share"] for row in table["rows"]]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(1, abs=0.02)
    first = found["routes"]["rows"][0]
    assert (first["name"], first["where"]) == ("node", "shop.example.org")
    assert found["sql"]["rows"][0]["name"].startswith("SELECT `base_table` . `vid`")
    assert found["sql"]["rows"][0]["extra"] == ["41\N{NARROW NO-BREAK SPACE}k", "10\N{NARROW NO-BREAK SPACE}%"]
    assert [row["name"] for row in found["php"]["rows"][:1]] == ["PDOStatement->execute"]
    pool = found["pools"]["rows"][0]
    assert (pool["name"], pool["where"], pool["extra"]) == ("shop.example.org", "pool /run/php/shop.sock", ["6.4"])


def test_the_tables_are_sorted_by_what_is_asked_for_with_plain_links(full: World) -> None:
    assert tables(full, "/slowest?by=calls")["sql"]["rows"][0]["name"].startswith("SELECT `cid`")
    assert tables(full, "/slowest?by=mean")["routes"]["rows"][0]["name"] == "views/ajax"
    assert get(full.client(), "/slowest?by=banana")["by"] == "time"
    text = full.client().get("/slowest?by=calls&from=now-1h").get_data(as_text=True)
    assert text.count('aria-sort="descending"') == 4
    assert re.search(r'href="\?by=mean&amp;from=now-1h&amp;to=now"', text)
    assert "?from=now-24h&amp;to=now&amp;by=calls" in text


def test_the_span_is_what_is_added_up(full: World) -> None:
    def calls(path: str) -> float:
        rows = {row["name"]: row for row in tables(full, path)["sql"]["rows"]}
        return float(next(row for name, row in rows.items() if name.startswith("INSERT"))["calls"].rstrip("k"))

    assert calls("/slowest?from=now-1m") == pytest.approx(150, rel=0.1)
    assert calls("/slowest?from=now-1h") == pytest.approx(9, rel=0.1)  # thousands


def test_nothing_known_says_why_and_what_to_do(tmp_path: Path) -> None:
    world = situations.starting(tmp_path)
    world.watched.statuses = []
    assert [table["missing"].partition(" on ")[0] for table in tables(world).values()] == [
        "No access log is read. Raingauge finds those that nginx and Apache name in their configuration.",
        "mariadbd (pid 812) listens",
        "No PHP-FPM is read.",
        "No PHP-FPM is read.",
    ]
    world.watched.found = [Finding("weblog", "/var/log/nginx/access.log", "permission denied", "usermod ...")]
    world.watched.statuses = [status(target) for target in (scene.MYSQL, scene.SHOP)]
    found = tables(world)
    assert found["routes"]["missing"] == "/var/log/nginx/access.log: permission denied"
    assert "performance_schema = ON" in found["sql"]["missing"]
    assert "request_slowlog_timeout" in found["php"]["missing"]
    assert found["pools"]["missing"] == found["routes"]["missing"]
    world.watched.found = []
    assert "$upstream_response_time" in tables(world)["pools"]["missing"]
    world.watched.statuses = [status(services.LOG)]
    assert "$request_time" in tables(world)["routes"]["missing"]
    world.watched.statuses = [status(services.LOG, "denied", "no right to read it")]
    assert tables(world)["routes"]["missing"].endswith("does not let us in: no right to read it")


def test_what_was_not_called_is_left_out_and_long_statements_are_cut() -> None:
    rows = costs({("x" * 400, "s"): 2.0, ("idle", "s"): 1.0}, {("x" * 400, "s"): 4.0, ("idle", "s"): 0.0}, {}, "time")
    assert [len(row.name) for row in rows] == [300]
    assert rows[0].mean == "500\N{NARROW NO-BREAK SPACE}ms"


def test_what_else_was_in_the_worst_minutes_of_the_first_route(full: World) -> None:
    worst = get(full.client(), "/slowest?from=now-1h")["worst"]
    assert (worst["route"], worst["site"]) == ("node", "shop.example.org")
    assert worst["end"] - worst["start"] == 120
    assert NOW - 1140 < worst["end"] <= NOW  # the trouble's, not those of the calm before
    assert worst["statements"][0][0].startswith("SELECT `base_table` . `vid`")
    assert [name for name, _ in worst["places"]] == ["PDOStatement->execute", "curl_exec"]


def test_a_site_with_another_database_has_no_statements_of_this_one(full: World) -> None:
    route = Cost("node", "news.example.org", 1.0, "", "", "", ())
    found = together(full.services.source, route, Span(NOW, 3600))
    assert found is not None
    assert found.statements == ()
    assert found.places
    assert together(full.services.source, replace(route, name="nothing"), Span(NOW, 3600)) is None


def test_php_of_a_site_without_a_known_pool_is_told_as_unknown(tmp_path: Path) -> None:
    """Its time is part of the whole: left out, the shares of the others would be too large."""
    store = Store(open_database(tmp_path))
    waited, asked = (
        Counter("web_upstream_seconds_total", "x", ("site",)),
        Counter("web_upstream_requests_total", "x", ("site",)),
    )
    uses = Gauge("web_site_uses", "x", ("site", "target_job", "target_instance"))
    for age in range(600, -1, -15):
        done = 600.0 - age
        samples = [waited(done, "shop"), waited(3 * done, "news"), asked(done, "shop"), asked(done, "news")]
        samples.append(uses(1, "shop", "phpfpm", "web1:/run/php/shop.sock"))
        store.append(Target("web", "web1", "web1"), NOW - age, samples)
    found = pools(Embedded(store), Span(NOW, 300), Watched((), ()), "time")
    assert [(row.name, row.where, row.share) for row in found.rows] == [
        ("news", "no known pool", 0.75),
        ("shop", "pool /run/php/shop.sock", 0.25),
    ]
