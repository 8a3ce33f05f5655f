"""What the parts tell of the small site in tests/lab/drupal.py, and how it is opened."""

from pathlib import Path
from typing import Any

from agent.reading import Reading, trial
from collectors.drupal import COLLECTOR
from collectors.drupal.config import Drupal
from tests.lab import drupal
from tests.lab.drupal import NOW

EXPECTED = {
    "drupal_cron_last_run_timestamp_seconds": NOW - 300,
    "drupal_installed_timestamp_seconds": NOW - 10**7,
    "drupal_update_last_check_timestamp_seconds": NOW - 7200,
    "drupal_maintenance_mode": 1,
    "drupal_cron_state idle": 0,
    "drupal_cron_state running": 1,
    "drupal_cron_state stuck": 0,
    "drupal_cron_lock_since_timestamp_seconds": NOW - 299.5,
    "drupal_locks held": 1,
    "drupal_locks expired": 1,
    "drupal_batches": 1,
    "drupal_batch_oldest_timestamp_seconds": NOW - 200_000,
    "drupal_queue_items mailer": 3,
    "drupal_queue_claimed_items mailer": 1,
    "drupal_queue_expired_items mailer": 1,
    "drupal_queue_oldest_item_timestamp_seconds mailer": NOW - 500,
    "drupal_flood_entries user.failed_login_ip": 3,
    "drupal_flood_identifiers user.failed_login_ip": 2,
    "drupal_flood_highest_entries user.failed_login_ip": 2,
    "drupal_flood_expired_entries": 1,
    "drupal_active_sessions user": 1,
    "drupal_active_sessions anonymous": 1,
    "drupal_sessions user": 2,
    "drupal_sessions anonymous": 1,
    "drupal_users active": 3,
    "drupal_users blocked": 1,
    "drupal_users_never_active": 1,
    "drupal_users_new": 1,
    "drupal_administrators": 2,
    "drupal_administrator_roles": 2,
    "drupal_nodes page published": 1,
    "drupal_nodes page unpublished": 1,
    "drupal_nodes article published": 1,
    "drupal_node_latest_change_timestamp_seconds": NOW - 7,
    "drupal_comments published": 1,
    "drupal_comments unpublished": 1,
    "drupal_files permanent": 1,
    "drupal_files temporary": 2,
    "drupal_files_stale": 1,
    "drupal_search_unindexed_nodes": 2,
    "drupal_page_cache_max_age_seconds": 900,
    "drupal_setting_enabled page_cache": 1,
    "drupal_setting_enabled css_aggregation": 1,
    "drupal_setting_enabled js_aggregation": 0,
    "drupal_setting_enabled errors_hidden": 0,
    "drupal_setting_enabled hash_salt": 1,
    "drupal_setting_enabled update_access_checked": 1,
    "drupal_backend_info cache database": 1,
    "drupal_extensions_enabled module": 2,
    "drupal_extensions_enabled theme": 1,
}
TEN_ONLY = {
    "drupal_cron_threshold_seconds": 172800,
    "drupal_moderated_items editorial draft": 1,
    "drupal_setting_enabled dynamic_page_cache": 0,
    "drupal_setting_enabled trusted_host_patterns": 0,
    "drupal_cachetags": 4,
    "drupal_cachetag_invalidations_total node": 5,
    "drupal_cachetag_invalidations_total node_list": 7,
}


def values(readings: tuple[Reading, ...]) -> dict[str, float]:
    samples = [sample for reading in readings for sample in reading.samples]
    return {" ".join([sample.family.name, *sample.labels]): sample.value for sample in samples}


def outcomes(config: Drupal) -> dict[str, str]:
    return {reading.part.name: reading.outcome for reading in trial(COLLECTOR, config)}


def assert_all_is_told(config: Drupal, seven: bool = False) -> dict[str, float]:
    readings = trial(COLLECTOR, config)
    bad = {reading.part.name: (reading.outcome, reading.error) for reading in readings if not reading.answered}
    assert bad == {}
    found = values(readings)
    expected = EXPECTED if seven else {**EXPECTED, **TEN_ONLY}
    assert {name: found.get(name) for name in expected} == expected
    return found


def at(directory: Path, database: dict[str, Any], version: str = "10.6.15", **more: Any) -> Drupal:
    salt = "$drupal_hash_salt = 'x';" if version.startswith("7.") else "$settings['hash_salt'] = 'x';"
    root = drupal.docroot(directory / "web", database, version, salt)
    return Drupal(site="shop.test", docroot=str(root), **more)
