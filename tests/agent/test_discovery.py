"""Discovery: the configuration counts first, a trial decides, what was found stays watched, and nobody is pestered."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import Engine

from agent.configuration import Configuration, parse
from agent.discovery import LONGEST_WAIT, Discoverer, Discovery, paced
from agent.reading import Reading, failed
from agent.remembered import KEPT_SECONDS, Remembered
from agent.ticking import Watch
from collectors import registry
from collectors.config import Config
from collectors.errors import Denied, Unreachable
from collectors.inventory import Inventory, Listener, Pool, Process, Site
from collectors.inventory.settings_php import Settings
from collectors.model import Collector
from history.database import open_database

MYSQL = Listener("mariadbd", 812, path="/run/mysqld/mysqld.sock")
REDIS = Listener("redis-server", 99, "127.0.0.1", 6379)
POOL = Pool(
    "www", "unix:/run/php/fpm.sock", status_path="/status", max_children=5, file="/etc/www.conf", main="/etc/fpm.conf"
)


class World:
    """What is on the host, what answers, and how often each was tried."""

    def __init__(self, engine: Engine | None = None) -> None:
        self.now = 1_000_000.0
        self.inventory = Inventory("web")
        self.errors: dict[str, Exception] = {}
        self.tried: list[str] = []
        self.engine = engine
        self.discoverer = self.fresh()

    def fresh(self) -> Discoverer:
        """Of a process that has just started."""
        remembered = Remembered(self.engine) if self.engine else None
        return Discoverer(remembered, inventory=lambda _host: self.inventory, trial=self.trial, clock=lambda: self.now)

    def trial(self, collector: Collector, config: Config) -> tuple[Reading, ...]:
        self.tried.append(collector.name)
        error = self.errors.get(collector.name)
        return tuple(failed(part, error) if error else Reading(part, "ok") for part in collector.parts)

    def discover(self, text: str = "") -> Discovery:
        return self.discoverer.discover(parse(f"host: web\n{text}", "f"))


def instances(found: Discovery) -> dict[str, str]:
    return {watch.collector.name: watch.collector.target(watch.config, "web").instance for watch in found.watches}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(open_database(tmp_path))


def test_what_answers_is_watched(world: World) -> None:
    world.inventory = Inventory("web", listeners=(MYSQL, REDIS), pools=(POOL,))
    assert instances(world.discover()) == {
        "host": "web",
        "mysql": "web:/run/mysqld/mysqld.sock",
        "redis": "web:6379",
        "phpfpm": "web:/run/php/fpm.sock",
    }
    assert world.discover().findings == ()


def test_it_is_tried_once_and_then_watched(world: World) -> None:
    world.inventory = Inventory("web", listeners=(REDIS,))
    world.discover()
    world.tried.clear()
    assert "redis" in instances(world.discover())
    assert world.tried == []


def test_several_ways_into_one_server_until_one_is_open(world: World) -> None:
    world.inventory = Inventory("web", listeners=(MYSQL,))
    world.errors["mysql"] = Denied("connect: access denied")
    found = world.discover()
    assert "mysql" not in instances(found)
    assert len(found.findings) == 1
    assert found.findings[0].reason == "denied: connect: access denied"
    assert "CREATE USER" in found.findings[0].remedy
    assert world.tried.count("mysql") == 2  # as our own user, and as raingauge


def test_a_refused_server_is_tried_ever_more_rarely_and_at_once_after_a_reload(world: World) -> None:
    world.inventory = Inventory("web", listeners=(REDIS,))
    world.errors["redis"] = Denied("NOAUTH")
    for _ in range(60):
        assert len(world.discover().findings) == 1
        world.now += 60
    assert 8 <= world.tried.count("redis") <= 60 * 60 / LONGEST_WAIT + 5
    del world.errors["redis"]
    world.discoverer.forget_refused()
    found = world.discover()
    assert ("redis" in instances(found), found.findings) == (True, ())


def test_a_target_that_is_down_stays_watched_over_a_restart(world: World) -> None:
    world.inventory = Inventory("web", listeners=(REDIS,))
    world.discover()
    world.inventory, world.discoverer = Inventory("web"), world.fresh()
    world.now += KEPT_SECONDS - 1
    assert "redis" in instances(world.discover())
    world.now += 2
    assert "redis" not in instances(world.discover())


def site(name: str, docroot: str) -> Site:
    return Site(name, docroot, "default", "10.6.15", (name,), Settings())


def test_a_site_is_called_as_its_owner_wants_and_no_longer_as_before(tmp_path: Path) -> None:
    world = World(open_database(tmp_path))
    world.inventory = Inventory("web", sites=(site("www.shop.test", "/srv/shop"), site("shop", "/srv/other")))

    def names(text: str = "") -> set[str]:
        watches = world.discover(text).watches
        return {watch.collector.target(watch.config, "web").instance for watch in watches
                if watch.collector.name == "drupal"}  # fmt: skip

    assert names() == {"www.shop.test", "shop"}
    called = "sites: [{docroot: /srv/shop, name: shop}]"
    assert names(called) == {"shop", "shop/default"}
    world.discoverer = world.fresh()
    assert names(called) == {"shop", "shop/default"}
    world.inventory = Inventory("web")  # its web server is down: it stays watched
    assert "shop" in names(called)


def test_a_pool_that_is_down_but_configured_is_never_forgotten(world: World) -> None:
    world.inventory = Inventory("web", pools=(POOL,))
    world.discover()
    world.errors["phpfpm"] = Unreachable("no such socket")
    for _ in range(3):
        world.now += KEPT_SECONDS - 10
        assert "phpfpm" in instances(world.discover())


def test_a_pool_of_a_php_that_does_not_run_is_nothing_to_mend(world: World) -> None:
    world.inventory = Inventory("web", pools=(POOL,))
    world.errors["phpfpm"] = Unreachable("no such socket")
    found = world.discover()
    assert ("phpfpm" in instances(found), found.findings) == (False, ())
    world.errors["phpfpm"] = Denied("its socket is not ours")  # then somebody is there
    world.discoverer.forget_refused()
    (finding,) = world.discover().findings
    assert finding.reason == "denied: its socket is not ours"


def test_a_php_that_runs_and_does_not_answer_is_told(world: World) -> None:
    master = Process(77, "php-fpm8.2", f"php-fpm: master process ({POOL.main})", "root", 1)
    world.inventory = Inventory("web", (master,), pools=(POOL,))
    world.errors["phpfpm"] = Unreachable("no such socket")
    (finding,) = world.discover().findings
    assert finding.reason == "unreachable: no such socket"


def test_a_target_can_be_forgotten_by_name(world: World) -> None:
    world.inventory = Inventory("web", listeners=(REDIS,))
    world.discover()
    world.inventory = Inventory("web")
    assert world.engine is not None
    assert Remembered(world.engine).forget("web:6379", "web") == 1
    assert Remembered(world.engine).forget("web:6379", "web") == 0
    assert "redis" not in instances(world.discover())


def test_changed_settings_of_a_target_replace_the_old_ones(world: World) -> None:
    world.inventory = Inventory("web", pools=(POOL,))
    world.discover()
    world.inventory = Inventory("web", pools=(Pool("www", POOL.listen, status_path="/status", max_children=50),))
    world.now += 60
    found = [watch for watch in world.discover().watches if watch.collector.name == "phpfpm"]
    assert [watch.config.model_dump()["max_children"] for watch in found] == [50]


def test_the_configuration_counts_before_discovery(world: World) -> None:
    world.inventory = Inventory("web", listeners=(REDIS,))
    world.errors["redis"] = Denied("NOAUTH")
    found = world.discover("targets: {redis: [{port: 6379, password: secret}]}")
    assert (instances(found)["redis"], found.findings) == ("web:6379", ())
    assert "redis" not in world.tried


def test_without_discovery_only_the_configuration(world: World) -> None:
    world.inventory = Inventory("web", listeners=(REDIS, MYSQL))
    found = world.discover("discovery: false\ntargets: {nginx: [{url: 'http://127.0.0.1:8099/s'}]}")
    assert instances(found) == {"nginx": "web:8099"}


@pytest.mark.parametrize("discovery", ["true", "false"])
def test_what_is_fast_is_read_at_the_configured_interval(world: World, discovery: str) -> None:
    text = f"interval: 1s\ndiscovery: {discovery}\ntargets: {{mysql: [{{port: 3307}}], host: [{{}}]}}"
    intervals: Mapping[str, set[float]] = {
        watch.collector.name: {part.interval for part in watch.collector.parts}
        for watch in world.discover(text).watches
    }
    assert intervals["mysql"] == {1.0, 60.0, 600.0}
    assert 10.0 not in intervals["host"]


def test_a_remembered_target_of_another_version_is_left_out(world: World) -> None:
    assert world.engine is not None
    world.inventory = Inventory("web", listeners=(REDIS,))
    world.discover()
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE discovered SET config = '{\"gone\": 1}'")
    world.inventory = Inventory("web")
    assert "redis" not in instances(world.discover())


def test_the_defaults_are_a_configuration(world: World) -> None:
    assert [watch.collector.name for watch in world.discoverer.discover(Configuration()).watches] == ["host"]


def test_a_check_has_an_interval_of_its_own() -> None:
    collector = registry.collector("probe")
    watches = (Watch(collector, collector.config.model_validate(settings)) for settings in ({}, {"interval": "5m"}))
    assert [[part.interval for part in paced(watch, 1.0).collector.parts] for watch in watches] == [[30.0], [300.0]]
