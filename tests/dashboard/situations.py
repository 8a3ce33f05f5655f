"""Worlds to look at: a calm host, one in trouble, one just started, one whose agent has stopped, one with a gap."""

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

from sqlalchemy import insert

from alerts import rulefile
from alerts.asked import rule_keys
from alerts.incidents.watch import Watch
from alerts.model import Alert, Group, RuleHealth
from alerts.notices import fingerprint
from alerts.recording import RULES_TARGET, sample
from alerts.state import alert_table
from alerts.templates import expand
from collectors.model import Event, Finding, PartStatus, Sample, Target, TargetStatus
from dashboard import trouble as reads
from dashboard.boards import Board, Panel
from history.database import open_database
from history.store import Store
from tests.dashboard import around, scene, services
from tests.dashboard.scene import Scene
from tests.dashboard.world import NOW, World

RULES = Path(__file__).parents[2] / "alerts" / "rules"
PARTS = {
    "node": ("cpu", "meminfo", "loadavg", "stat", "filesystem", "diskstats", "netdev", "pressure", "uname", "time",
             "processes"),
    "nginx": ("status",), "phpfpm": ("status", "pool"), "mysql": ("status", "variables"), "redis": ("info",),
    "blackbox": ("check",), "mail": ("server", "queue"), "solr": ("metrics",), "security": ("auth",),
    "heartbeat": ("pings",), "raingauge": ("process",), "apache": ("status",), "postgres": ("status",),
    "memcached": ("stats",), "varnish": ("counters",), "web": ("requests",),
    "drupal": ("state", "queues", "users", "sizes", "facts", "watchdog"),
}  # fmt: skip
FOUND = {
    "node": "this host", "nginx": "nginx (/etc/nginx/nginx.conf) has stub_status at http://127.0.0.1/stub_status",
    "phpfpm": "PHP-FPM pool {name} (/etc/php/8.2/fpm/pool.d/{name}.conf) on {place}",
    "mysql": "mariadbd (pid 812) listens on {place}", "redis": "redis-server (pid 640) listens on 127.0.0.1:{place}",
    "drupal": "Drupal 11.2 in /var/www/{name}/web (sites/default)", "raingauge": "this process",
    "security": "logins and changes of this host", "mail": "Postfix (pid 1290)", "solr": "Solr (pid 2207)",
    "web": "access logs of nginx: /var/log/nginx/shop.access.log and 1 more", "varnish": "varnishd (pid 700)",
    "local": "nginx serves {name} at https://127.0.0.1:443/ (/etc/nginx/sites-enabled/shop)",
    "fpm": "PHP-FPM pool {name} (/etc/php/8.2/fpm/pool.d/{name}.conf) answers /ping on {place}",
}  # fmt: skip
"""As discovery words it, by job or height."""
DENIED = Finding(
    "mysql",
    "mariadbd (pid 812) listens on /run/mysqld/mysqld.sock",
    "connect to /run/mysqld/mysqld.sock as raingauge: Access denied for user 'raingauge'@'localhost'",
    "CREATE USER IF NOT EXISTS 'raingauge'@'localhost' IDENTIFIED VIA unix_socket;",
)
BOARD = Board("launch", "Launch day", (
    Panel("Requests", "sum(rate(nginx_http_requests_total[$__rate_interval]))", "per_second", "area", (60.0,)),
    Panel("Workers by pool", "phpfpm_active_processes", "count", "lines", (30.0, 40.0)),
    Panel("Nothing like it", "no_such_metric"),
))  # fmt: skip


def calm(folder: Path) -> World:
    return _world(folder, Scene(NOW))


def trouble(folder: Path) -> World:
    """The pool `shop` has been full for 19 minutes; its alert fires, a second one is pending, one is over."""
    return _in_trouble(_world(folder, Scene(NOW, trouble=1140)))


def full(folder: Path) -> World:
    """The same with everything that is on no smaller host: two sites, their log, the other servers."""
    world = _world(folder, Scene(NOW, trouble=1140, targets=(*scene.TARGETS, *services.TARGETS, *around.TARGETS)))
    budgets = [each for name, left in (("shop", 0.06), ("news", 0.82)) for each in burned(name, left)]
    _in_trouble(world, lambda ago: [*budgets, *_caches(ago)])
    for each in (guessed(), *guessed_again()):
        world.events.record(each)
    late = replace(happened()[2], id="cron:2", site=services.SITES[0], title="Cron has not run for 5 h")
    world.events.record(late)
    return world


def broken(folder: Path) -> World:
    """`full`, with what fires in the database and the incident that it makes."""
    world = full(folder)
    fire(world)
    explain(world)
    return world


def explain(world: World) -> None:
    """The incident of what fires, explained from the world's own history as the agent does it."""
    watch = Watch(
        world.engine, world.services.source, world.events, lambda: (world.plan, world.alerting.loaded), lambda: NOW
    )
    with world.engine.begin() as connection:
        watch.group(connection, world.alerting.found, NOW)
    watch.explain_new()


def fire(world: World) -> None:
    """What fires is in the database, as the engine leaves it."""
    with world.engine.begin() as connection:
        for alert in world.alerting.found:
            if alert.state == "firing":
                row = {"rule": "r", "fingerprint": fingerprint(alert.labels), "alert": json.dumps(asdict(alert))}
                connection.execute(insert(alert_table).values(**row))


def burned(name: str, left: float) -> Sequence[Sample]:
    """What the rules of an objective record."""
    labels = {"slo": name, "site": f"{name}.example.org"}
    rates = (("1h", 14.6), ("6h", 7.1), ("3d", 1.4)) if left < 0.1 else (("1h", 0.2), ("6h", 0.3), ("3d", 0.2))
    return [
        sample("slo_objective_ratio", labels, 0.995),
        sample("slo_budget_left_ratio", {**labels, "window": "30d"}, left),
        sample("slo_requests", {**labels, "window": "30d"}, 41e6),
        *(sample("slo_burn_rate", {**labels, "window": window}, rate) for window, rate in rates),
        sample("slo_error_ratio", {**labels, "window": "1h"}, rates[0][1] * 0.005),
        *([sample("slo_days_to_empty", labels, 0.9)] if left < 0.1 else []),
    ]


def guessed() -> Event:
    title = "Password guessing on shop.example.org from 203.0.113.0/24: blocked, 142 requests"
    evidence = ({"request": "POST /user/login", "status": "403"},)
    return Event("security.bruteforce:1", "security.bruteforce", "warning", scene.HOST, services.SITES[0], NOW - 4000,
                 NOW - 3200, 142, title, evidence)  # fmt: skip


def guessed_again() -> Iterator[Event]:
    web_shell = ({"request": "POST /sites/default/files/x.php", "status": "200", "rule": "webshell-call"},
                 {"file": "sites/default/files/x.php", "changed": "2026-09-21 13:41", "owner": "www-data"})  # fmt: skip
    yield Event("security.webshell:1", "security.webshell", "critical", scene.HOST, services.SITES[0], NOW - 1900,
                NOW - 1700, 3, "Web shell on shop.example.org from 203.0.113.0/24: may have succeeded, 3 requests",
                web_shell, state="open")  # fmt: skip
    yield Event("security.probe:1", "security.probe", "info", scene.HOST, services.SITES[1], NOW - 7000, NOW - 6000, 31,
                "Search for weak spots on news.example.org from 198.51.100.0/24: attempt, 31 requests")  # fmt: skip


def _caches(ago: float) -> list[Sample]:
    """What rules record of the site's caches: the page cache fell 20 minutes ago."""
    labels = {"host": "web1", "site": services.SITES[0]}
    ratios = {"drupal": 0.31 if ago <= 1200 else 0.84, "drupal-dynamic": 0.62, "redis": 0.91, "opcache": 0.998}
    found = [sample("site:cache_hit_ratio:rate10m", {**labels, "cache": rung}, ratio) for rung, ratio in ratios.items()]
    busy = sample("site:php_seconds:rate10m", labels, 7.4 if ago <= 1200 else 2.9)
    return [*found, busy, sample("site:requests:rate10m", labels, 32.0)]


def _in_trouble(world: World, recorded: Callable[[float], Sequence[Sample]] | None = None) -> World:
    """`recorded`: by rules, so many seconds ago, over three hours."""
    world.alerting.found = alerts()
    firing = sample("ALERTS", {**alerts()[0].labels, "alertstate": "firing"}, 1.0)
    start = 10_800 if recorded else 990
    world.store.append_many(
        (RULES_TARGET, NOW - ago, [*(recorded(ago) if recorded else ()), *([firing] if ago <= 990 else ())])
        for ago in range(start, -10, -10)
    )
    for event in happened():
        world.events.record(event)
    return world


def crowded(folder: Path) -> World:
    """Three dozen targets, a dozen alerts, much that happened."""
    world = trouble(folder)
    world.watched.statuses = [
        replace(each, slug=f"{each.slug}-{number}") for number in range(5) for each in world.watched.statuses
    ]
    few = alerts()[:3]
    world.alerting.found = [replace(e, labels={**e.labels, "number": str(n)}) for n in range(4) for e in few]
    for number in range(9):
        title, at = f"Number {number} firing: all workers are busy", NOW - number
        world.events.record(replace(happened()[0], id=f"again:{number}", title=title, first=at, last=at))
    return world


def gap(folder: Path) -> World:
    """Nothing was measured from 83 to 65 minutes ago; only the last 100 minutes before it are there."""
    return _world(folder, Scene(NOW, silence=(5000, 3900)))


def starting(folder: Path) -> World:
    """Discovery has found what is there, and one thing that does not let us in; nothing is stored yet."""
    world = World(folder)
    world.services = replace(world.services, started=NOW - 4)
    world.app.extensions["raingauge"] = world.services
    world.watched.statuses = [status(target, "waiting") for target in (scene.NODE, scene.NGINX, scene.OWN)]
    world.watched.found = [DENIED]
    world.watched.unseen = ["raingauge is not root, so the kernel does not say which program listens on port 25"]
    return world


def stale(folder: Path) -> World:
    """The last sample is 12 minutes old."""
    world = _world(folder, Scene(NOW - 720))
    world.alerting.found = alerts()
    return world


def short(folder: Path) -> tuple[World, Callable[..., None]]:
    """Two minutes of ticks of one second, and what adds more of them: how many, and the alerts from then on."""
    world = _world(folder, Scene(NOW, hours=1 / 30, interval=1))
    world.app.extensions["raingauge"] = replace(world.services, interval=1.0)

    stored = [NOW]

    def more(count: int, alerts: Sequence[Alert] = ()) -> None:
        end = max(stored[-1], world.now) + count
        Scene(end, hours=(end - NOW + 120) / 3600, interval=1).fill(world.store, stored[-1])
        stored.append(end)
        world.now, world.alerting.found = end, alerts

    return world, more


def began(world: World) -> None:
    """The first two ticks of what `starting` has found."""
    Scene(NOW, hours=1 / 360, targets=tuple(status.target for status in world.watched.statuses)).fill(world.store)
    world.watched.statuses = [status(each.target) for each in world.watched.statuses]


@cache
def _filled(of: Scene) -> Path:
    """A database with the scene's hours: made once, as that takes seconds, and copied for each world."""
    folder = Path(tempfile.mkdtemp(prefix="raingauge-scene-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    engine = open_database(folder)
    of.fill(Store(engine))
    engine.dispose()
    return folder


def _world(folder: Path, of: Scene) -> World:
    shutil.copytree(_filled(of), folder, dirs_exist_ok=True)
    world = World(folder)
    world.watched.statuses = [status(target) for target in of.targets]
    groups = rules()
    world.alerting.loaded = groups
    world.alerting.states = [
        RuleHealth(group.name, rule, "ok", "", NOW - 4, 0.0021) for group in groups for _, rule in rule_keys(group)
    ]
    return world


@cache
def rules() -> Sequence[Group]:
    return [group for path in sorted(RULES.glob("*.yml")) for group in rulefile.parse(path.read_text(), path.name)]


def status(target: Target, outcome: str = "ok", error: str = "") -> TargetStatus:
    waiting = outcome == "waiting"
    parts = tuple(
        PartStatus(
            part,
            10.0,
            outcome,
            error,
            None if waiting else 0.0042,
            None if waiting else NOW - 3,
            0 if error or waiting else 40,
        )
        for part in PARTS[target.job]
    )
    slug = f"{target.job}-{target.instance}".replace("/", "_").replace(":", "_")
    found = FOUND.get(dict(target.extra).get("height", target.job), "configuration")
    place = target.instance.partition(":")[2]
    name = reads.instance(target.instance, target.host).removeprefix(":")
    return TargetStatus(target, slug, target.job, found.format(name=name, place=place), parts, "")


def alert(name: str, target: Target, state: str, value: float, ago: float, **labels: str) -> Alert:
    """As a shipped rule makes it."""
    rule = next(rule for group in rules() for rule in group.rules if rule.alert == name)
    all_labels = {**target.labels, **labels, **rule.labels, "alertname": name}
    texts = {key: expand(text, all_labels, value) for key, text in rule.annotations.items()}
    fired = None if state == "pending" else NOW - ago
    resolved = NOW - ago / 3 if state == "resolved" else None
    return Alert(all_labels, texts, state, value, NOW - ago - 120, fired, resolved, NOW)  # type: ignore[arg-type]


def alerts() -> Sequence[Alert]:
    return (
        alert("FpmPoolExhausted", scene.SHOP, "firing", 1, 990, pool="shop"),
        alert("FpmMaxChildren", scene.SHOP, "firing", 17, 700, pool="shop"),
        alert("MysqlQueriesPiledUp", scene.MYSQL, "pending", 25, 60),
        alert("RedisMemoryFull", scene.REDIS, "resolved", 0.97, 1800),
    )


def happened() -> list[Event]:
    return [
        Event("alert:1", "alert", "critical", scene.HOST, "", NOW - 990, NOW - 990, 1,
              "FpmPoolExhausted firing: all workers of PHP-FPM pool shop are busy"),
        Event("restart:1", "restart", "info", scene.HOST, "", NOW - 1380, NOW - 1380, 1, "PHP-FPM was restarted"),
        Event("cron:1", "cron", "info", scene.HOST, "", NOW - 5400, NOW - 5400, 1, "Cron finished in 41 s"),
    ]  # fmt: skip
