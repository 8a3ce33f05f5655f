"""Drupal's tables in each database: the same numbers, whichever it is."""

from pathlib import Path
from typing import Any

import pytest

from agent.reading import trial
from collectors.drupal import COLLECTOR
from collectors.drupal.config import Drupal
from collectors.model import LABEL_BOUND
from tests.collectors.drupal_told import assert_all_is_told, at, outcomes, values
from tests.lab import drupal
from tests.lab.drupal import php
from tests.lab.postgresql import PostgreSql
from tests.lab.servers import MariaDb

OF_FILES = {"schema", "updates", "drift"}
"""Parts that need the site's code, or what was exported."""

pytestmark = [
    pytest.mark.usefixtures("site_clock"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # PyMySQL leaves sockets open
]


@pytest.mark.servers
@pytest.mark.parametrize(
    ("database", "version", "prefix"),
    [("ten", "10.6.15", ""), ("seven", "7.103", ""), ("prefixed", "11.1.10", "p_"),
     ("shared", "7.103", {"default": "main_", "users": "shared_", "users_roles": "shared_"})],
)  # fmt: skip
def test_mariadb(drupal_mariadb: MariaDb, tmp_path: Path, database: str, version: str, prefix: Any) -> None:
    config = at(tmp_path, drupal.mysql_settings(drupal_mariadb, database, prefix=prefix), version)
    found = assert_all_is_told(config, version.startswith("7."))
    assert found[f"drupal_info {version} standard mysql"] == 1
    assert found["drupal_cache_bin_rows page"] >= 0
    assert found["drupal_table_bytes watchdog"] > 0


@pytest.mark.servers
def test_postgresql(drupal_postgresql: PostgreSql, tmp_path: Path) -> None:
    found = assert_all_is_told(at(tmp_path, drupal.pgsql_settings(drupal_postgresql, "ten")))
    assert found["drupal_table_bytes watchdog"] > 0
    assert "drupal_cache_bin_rows page" not in found  # it was never analysed


@pytest.mark.parametrize("prefix", ["", "p_"])
@pytest.mark.parametrize("version", ["10.6.15", "7.103"])
def test_sqlite(tmp_path: Path, version: str, prefix: str) -> None:
    file = tmp_path / "web" / "sites" / ".ht.sqlite"
    config = at(tmp_path, {"driver": "sqlite", "database": "sites/.ht.sqlite", "prefix": prefix}, version)
    beside = file.with_name(f"{file.name}-{prefix}") if prefix else file
    drupal.fill(drupal.sqlite(beside), "sqlite", version.startswith("7."))
    found = assert_all_is_told(config, version.startswith("7."))
    assert found["drupal_database_bytes"] > 10_000


def test_tables_that_are_not_made_yet_are_empty(tmp_path: Path) -> None:
    execute = drupal.sqlite(tmp_path / "db")
    drupal.fill(execute, "sqlite")
    lazy = ("queue", "semaphore", "sessions", "flood", "batch", "search_dataset", "cachetags", "cache_page",
            "content_moderation_state_field_data", "comment_field_data", "user__roles")  # fmt: skip
    for table in lazy:
        execute(f"DROP TABLE {table}", ())
    readings = trial(COLLECTOR, Drupal(driver="sqlite", database=str(tmp_path / "db")))
    assert {reading.outcome for reading in readings if reading.part.name not in OF_FILES} == {"ok"}
    found = values(readings)
    assert (found["drupal_sessions user"], found["drupal_cron_state idle"], found["drupal_locks held"]) == (0, 1, 0)
    assert "drupal_queue_items mailer" not in found


def test_what_redis_keeps_is_not_told_from_the_leftovers(tmp_path: Path) -> None:
    file = tmp_path / "db"
    drupal.fill(drupal.sqlite(file), "sqlite")
    settings = (
        "$settings['cache']['default'] = 'cache.backend.redis'; $settings['queue_default'] = 'queue.redis';"
        "$settings['container_yamls'][] = 'modules/contrib/redis/example.services.yml';"
    )
    root = drupal.docroot(tmp_path / "web", {"driver": "sqlite", "database": str(file)}, more=settings)
    found = trial(COLLECTOR, Drupal(docroot=str(root)))
    absent = {reading.part.name for reading in found if reading.outcome == "absent"}
    assert absent - OF_FILES == {"queues", "claims", "flood", "cachetags"}
    assert "drupal_locks held" not in values(found)
    assert values(found)["drupal_backend_info flood redis"] == 1


def test_what_settings_php_says_beats_the_variables_of_seven(tmp_path: Path) -> None:
    execute = drupal.sqlite(tmp_path / "db")
    drupal.fill(execute, "sqlite", seven=True)
    execute("DELETE FROM variable WHERE name IN ('cache', 'page_cache_maximum_age')", ())
    execute("INSERT INTO variable VALUES ('cache', %s), ('page_cache_maximum_age', %s)", (php(0), php(60)))
    said = "$conf['cache'] = TRUE; $conf['page_cache_maximum_age'] = 900;"
    root = drupal.docroot(tmp_path / "web", {"driver": "sqlite", "database": str(tmp_path / "db")}, "7.103", more=said)
    found = values(trial(COLLECTOR, Drupal(docroot=str(root))))
    assert found["drupal_setting_enabled page_cache"] == 1
    assert found["drupal_page_cache_max_age_seconds"] == 900


def test_a_site_that_logs_elsewhere_has_no_log(tmp_path: Path) -> None:
    execute = drupal.sqlite(tmp_path / "db")
    drupal.fill(execute, "sqlite")
    execute("DROP TABLE watchdog", ())
    assert outcomes(Drupal(driver="sqlite", database=str(tmp_path / "db")))["watchdog"] == "absent"


def code(root: Path, folder: str, module: str, updates: str, post: str = "") -> None:
    (root / folder).mkdir(parents=True)
    (root / folder / f"{module}.install").write_text(f"<?php\n{updates}")
    if post:
        (root / folder / f"{module}.post_update.php").write_text(f"<?php\n{post}")


def test_updates_that_were_not_run_are_told(tmp_path: Path) -> None:
    execute = drupal.sqlite(tmp_path / "db")
    drupal.fill(execute, "sqlite")
    for name, number in (("shop", 8002), ("cart", 10001), ("gone", 8000)):
        execute("INSERT INTO key_value VALUES ('system.schema', %s, %s)", (name, php(number)))
    execute("INSERT INTO key_value VALUES ('post_update', 'existing_updates', %s)", (php(["shop_post_update_a"]),))
    config = at(tmp_path, {"driver": "sqlite", "database": str(tmp_path / "db")})
    root = Path(config.docroot)
    code(
        root,
        "core/modules/system",
        "system",
        "function system_update_10201() {}",
    )
    post = "function shop_post_update_a() {}\nfunction shop_post_update_b(&$s) {}\nfunction other_post_update_c() {}"
    updates = "function shop_update_8001(&$s) {}\n  function shop_update_8003() {}"
    code(root, "modules/custom/shop", "shop", updates, post)
    code(root, "modules/custom/shop/modules/cart", "cart", "function cart_update_10002() {}")
    code(root, "modules/off", "off", "function off_update_8001() {}")
    code(root, "modules/shop/tests/cart", "cart", "function cart_update_99999() {}")
    found = values(trial(COLLECTOR, config))
    assert found["drupal_database_updates_pending schema"] == 2
    assert found["drupal_database_updates_pending post_update"] == 1


def test_updates_of_seven_that_were_not_run_are_told(tmp_path: Path) -> None:
    execute = drupal.sqlite(tmp_path / "db")
    drupal.fill(execute, "sqlite", seven=True)
    execute("INSERT INTO system VALUES ('sites/all/modules/shop/shop.module', 'shop', 'module', 1, 7001, 'a:0:{}')", ())
    config = at(tmp_path, {"driver": "sqlite", "database": str(tmp_path / "db")}, "7.103")
    code(Path(config.docroot), "modules/system", "system", "function system_update_7001() {}")
    code(Path(config.docroot), "sites/all/modules/shop", "shop", "function shop_update_7002() {}")
    found = values(trial(COLLECTOR, config))
    assert found["drupal_database_updates_pending schema"] == 1


def test_many_of_everything_are_at_most_600_series(tmp_path: Path) -> None:
    execute = drupal.sqlite(tmp_path / "db")
    drupal.fill(execute, "sqlite")
    for number in range(100):
        execute("INSERT INTO queue VALUES (%s, %s, 'x', 0, 1)", (100 + number, f"q{number}"))
        execute("INSERT INTO flood VALUES (%s, %s, 'x', 1, 2000000000)", (100 + number, f"e{number}"))
        execute("INSERT INTO node_field_data VALUES (%s, %s, %s, 1, 1)", (100 + number, f"t{number}", number % 2))
        execute("INSERT INTO cachetags VALUES (%s, 1)", (f"tag{number}",))
        moderated = (number, f"w{number % 10}", f"s{number}")
        execute("INSERT INTO content_moderation_state_field_data VALUES (%s, %s, %s, 1)", moderated)
        drupal.log(execute, drupal.watchdog_row(f"type{number}", number % 8, "x", b"N;"))
    readings = trial(COLLECTOR, Drupal(driver="sqlite", database=str(tmp_path / "db")))
    told: set[tuple[str, tuple[str, ...]]] = set()
    known: dict[tuple[str, str], set[str]] = {}
    for sample in (sample for reading in readings for sample in reading.samples):
        labels = []
        for name, text in zip(sample.family.labels, sample.labels, strict=True):
            there = known.setdefault((sample.family.name, name), set())
            if text in there or len(there) < sample.family.bounds.get(name, LABEL_BOUND):
                there.add(text)
            labels.append(text if text in there else "other")
        told.add((sample.family.name, tuple(labels)))
    sizes_elsewhere = 100  # of tables and cache bins: SQLite keeps none
    assert 300 < len(told) + sizes_elsewhere <= 600
    assert values(readings)["drupal_queue_items other"] == 86
