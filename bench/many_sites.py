"""A host of fifty Drupal sites with 600 series each, beside the tests' scene: what a page's server time is measured on.

The scene's three hours, and of the sites the last of them: the access log's series every ten seconds, those of
Drupal's database every minute, as they are read.
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from collectors.model import Sample, Target
from history.store import Store
from tests.dashboard import scene, services, situations
from tests.dashboard.scene import HOST
from tests.dashboard.services import FAMILIES, LOG
from tests.dashboard.world import NOW, World

HOURS = 1.0
INTERVAL, SLOWLY = 10, 60  # seconds
CLASSES, TABLES, QUEUES, BINS, PROJECTS = 22, 60, 16, 16, 80
STATUSES = ("2xx", "3xx", "4xx", "5xx")
BOUNDS = ("0.1", "0.5", "1.0", "2.0", "5.0", "10.0", "+Inf")
LOGGED = ("php", "page not found", "access denied", "cron", "user", "system")
SEVERITIES = ("critical", "error", "warning", "notice", "info")

Row = tuple[str, float, dict[str, str]]
"""Name, a gauge's value or a counter's growth per second, labels."""


def world(folder: Path, sites: int = 50) -> World:
    names = [f"site{number:02}.example.org" for number in range(sites)]
    drupals = [Target("drupal", name, HOST) for name in names]
    made = situations.trouble(folder)
    statuses = [situations.status(target) for target in (*services.TARGETS[:4], LOG, *drupals)]
    made.watched.statuses = [*made.watched.statuses, *statuses]
    fill(made.store, names, drupals)
    return made


def fill(store: Store, names: Sequence[str], drupals: Sequence[Target]) -> None:
    dice = random.Random(7)
    log = [row for name in names for row in _logged(name, dice)]
    own = {target: list(_drupal(dice)) for target in drupals}
    span = round(HOURS * 3600)
    for passed in range(0, span + INTERVAL, INTERVAL):
        t = NOW - span + passed
        ticks = [(LOG, t, _samples(log, passed))]
        if passed % SLOWLY == 0:
            ticks += [(target, t, _samples(rows, passed)) for target, rows in own.items()]
        store.append_many(ticks)
        while passed % 600 == 0 and store.maintain(t):
            pass


def _samples(rows: Sequence[Row], passed: float) -> list[Sample]:
    found = []
    for name, value, labels in rows:
        family = FAMILIES[name]
        now = 1000 + value * passed if family.kind == "counter" else value
        found.append(family(now, *(labels[label] for label in family.labels)))
    return found


def _logged(site: str, dice: random.Random) -> Iterator[Row]:
    for number in range(CLASSES):
        of = {"site": site, "class": f"class-{number}"}
        rate = dice.uniform(0.01, 2)
        for status, share in zip(STATUSES, (0.93, 0.04, 0.02, 0.01), strict=True):
            yield "web_requests_total", rate * share, {**of, "status": status}
        yield "web_class_duration_seconds_sum", rate * 0.2, of
        yield "web_class_duration_seconds_count", rate, of
        for at, bound in enumerate(BOUNDS):
            share = (at + 1) / len(BOUNDS)
            yield "web_class_duration_seconds_bucket", rate * share, {**of, "le": bound}
    for at, bound in enumerate(BOUNDS):
        yield "web_request_duration_seconds_bucket", 20 * (at + 1) / len(BOUNDS), {"site": site, "le": bound}
    for agent in ("people", "search", "ai", "script"):
        yield "web_agents_total", 3.0, {"site": site, "agent": agent}
    for kind, name in (("phpfpm", scene.SHOP), ("mysql", scene.MYSQL)):
        yield "web_site_uses", 1.0, {"site": site, "target_job": kind, "target_instance": name.instance}


def _drupal(dice: random.Random) -> Iterator[Row]:
    yield "drupal_cron_last_run_timestamp_seconds", NOW - dice.uniform(60, 7000), {}
    yield "drupal_cron_threshold_seconds", 21_600.0, {}
    yield "drupal_maintenance_mode", 0.0, {}
    yield "drupal_info", 1.0, {"version": "10.3.1", "profile": "standard", "database": "mysql"}
    yield "drupal_security_updates_pending", float(dice.random() < 0.1), {}
    yield "drupal_database_bytes", 2.6e9, {}
    yield "drupal_watchdog_errors_total", 0.001, {}
    for number in range(TABLES):
        for what, value in (("bytes", 4e8), ("rows", 4e5)):
            yield f"drupal_table_{what}", value, {"table": f"table_{number}"}
    for number in range(BINS):
        for what, value in (("bytes", 3e7), ("rows", 9e3)):
            yield f"drupal_cache_bin_{what}", value, {"bin": f"bin_{number}"}
    for number in range(QUEUES):
        yield "drupal_queue_items", float(number), {"queue": f"queue_{number}"}
        yield "drupal_queue_oldest_item_timestamp_seconds", NOW - 400, {"queue": f"queue_{number}"}
    for kind in LOGGED:
        for severity in SEVERITIES:
            yield "drupal_watchdog_total", 0.01, {"type": kind, "severity": severity}
    for number in range(PROJECTS):
        yield "drupal_project_status", 1.0, {
            "project": f"module_{number}", "status": "current", "installed": "6.2.0", "recommended": "6.2.0",
            "type": "module",
        }  # fmt: skip
