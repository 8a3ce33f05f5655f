"""Cron, maintenance mode, locks and batches.

Source: https://api.drupal.org/api/drupal/core%21lib%21Drupal%21Core%21Cron.php/11
"""

from collections.abc import Iterable
from typing import Any

from collectors.drupal.php_values import unserialize
from collectors.drupal.site import Site
from collectors.errors import ParseError
from collectors.model import Gauge, Sample

CRON = Gauge("drupal_cron_last_run_timestamp_seconds", "When cron last ran to its end.")
CRON_STATE = Gauge(
    "drupal_cron_state",
    "1 for what cron does now: idle; running; or stuck: a run took its lock, did not end, and the lock has expired.",
    ("state",),
)
CRON_LOCK = Gauge(
    "drupal_cron_lock_since_timestamp_seconds", "Since when cron's lock is held; absent while it is free."
)
LATE = Gauge("drupal_cron_threshold_seconds", "After which time without cron the site itself warns.")
MAINTENANCE = Gauge("drupal_maintenance_mode", "1 while the site is in maintenance mode.")
INSTALLED = Gauge("drupal_installed_timestamp_seconds", "When the site was installed.")
CHECKED = Gauge("drupal_update_last_check_timestamp_seconds", "When the site last looked for updates of its modules.")
LOCKS = Gauge("drupal_locks", "Locks, held or left behind after they have expired.", ("state",))
BATCHES = Gauge("drupal_batches", "Batch operations that have not ended.")
OLDEST_BATCH = Gauge("drupal_batch_oldest_timestamp_seconds", "When the oldest of them began; absent without any.")
FAMILIES = (
    CRON, CRON_STATE, CRON_LOCK, LATE, MAINTENANCE, INSTALLED, CHECKED, LOCKS, BATCHES, OLDEST_BATCH,
)  # fmt: skip

CRON_LOCK_SECONDS = 900.0
"""For how long cron takes its lock, in Drupal 7 too."""
NAMES = {
    "system.cron_last": CRON, "cron_last": CRON, "install_time": INSTALLED,
    "update.last_check": CHECKED, "update_last_check": CHECKED,
}  # fmt: skip
MODES = ("system.maintenance_mode", "maintenance_mode")


def read(site: Site) -> dict[str, Any]:
    tables = site.tables
    listed = "name IN (%s, %s, %s, %s)"
    if site.seven:
        names = ("cron_last", "maintenance_mode", "install_time", "update_last_check")
        statement = f"SELECT name, value FROM {{variable}} WHERE {listed}"
    else:
        names = ("system.cron_last", "system.maintenance_mode", "install_time", "update.last_check")
        statement = f"SELECT name, value FROM {{key_value}} WHERE collection = 'state' AND {listed}"
    locks = None
    if site.backend("lock") == "database":
        locks = tables.rows("SELECT name, expire FROM {semaphore} ORDER BY expire DESC LIMIT 1000")
    return {
        "now": site.now,
        "state": tables.rows(statement, names, blobs=(1,)),
        "threshold": [] if site.seven else tables.rows(
            "SELECT data FROM {config} WHERE collection = '' AND name = 'system.cron'", blobs=(0,)
        ),
        "locks": locks,
        "batches": tables.rows("SELECT COUNT(*), MIN(timestamp) FROM {batch}"),
    }  # fmt: skip


def parse(payload: dict[str, Any]) -> Iterable[Sample]:
    state = {name: unserialize(_bytes(value)) for name, value in payload["state"]}
    for name, family in NAMES.items():
        value = state.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            yield family(value)
    # The row goes away when the mode is switched off.
    yield MAINTENANCE(int(any(state.get(name) for name in MODES)))
    for (data,) in payload["threshold"]:
        config = unserialize(_bytes(data))
        threshold = config.get("threshold") if isinstance(config, dict) else None
        seconds = threshold.get("requirements_warning") if isinstance(threshold, dict) else None
        if isinstance(seconds, int):
            yield LATE(seconds)
    if payload["locks"] is not None:
        yield from _locks({name: float(expire) for name, expire in payload["locks"]}, payload["now"])
    for count, oldest in payload["batches"]:
        yield BATCHES(count)
        if oldest:
            yield OLDEST_BATCH(oldest)


def _bytes(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise ParseError("expected one character a byte") from error


def _locks(locks: dict[str, float], now: float) -> Iterable[Sample]:
    held = sum(expire > now for expire in locks.values())
    yield LOCKS(held, "held")
    yield LOCKS(len(locks) - held, "expired")
    expire = locks.get("cron")
    state = "idle" if expire is None else "running" if expire > now else "stuck"
    for each in ("idle", "running", "stuck"):
        yield CRON_STATE(int(each == state), each)
    if expire is not None:
        yield CRON_LOCK(expire - CRON_LOCK_SECONDS)
