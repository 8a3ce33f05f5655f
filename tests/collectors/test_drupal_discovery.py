"""Which sites are proposed, under which name, and what is said where more would be possible."""

from pathlib import Path
from typing import Any

import pytest

from agent.reading import trial
from collectors.drupal import COLLECTOR, discover
from collectors.drupal.config import Drupal
from collectors.inventory import Inventory, Site
from collectors.inventory.settings_php import read_settings
from collectors.model import Proposal
from tests.lab import drupal

FILE = "/srv/shop/web/sites/default/settings.php"


def proposal(text: str | None, version: str = "10.6.15", pool: str = "") -> Proposal:
    settings = None if text is None else read_settings(FILE, {FILE: f"<?php {text}"})
    site = Site("shop.test", "/srv/shop/web", "default", version, ("shop.test",), settings, pool)
    (found,) = discover(Inventory("h", sites=(site, Site("static.test", "/srv/static", ""))))
    return found


def database(**values: Any) -> str:
    inner = ", ".join(f"'{name}' => {value!r}" for name, value in values.items())
    return f"$databases['default']['default'] = [{inner}];"


MYSQL = database(driver="mysql", database="shop", username="shop", password="hunter2", host="localhost")


def test_a_site_is_proposed_by_its_settings() -> None:
    found = proposal(MYSQL, pool="/etc/php/8.2/fpm/pool.d/shop.conf")
    assert found.found == "Drupal 10.6.15 in /srv/shop/web (sites/default)"
    assert found.config == Drupal(
        site="shop.test", docroot="/srv/shop/web", environment_file=Path("/etc/php/8.2/fpm/pool.d/shop.conf")
    )
    assert COLLECTOR.target(found.config, "h").instance == "shop.test"
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("version", "line"),
    [
        ("10.6.15", "GRANT SELECT (uid, default_langcode, status, access, created) ON `shop`.`users_field_data` TO"),
        ("7.103", "GRANT SELECT (uid, status, access, created) ON `shop`.`users` TO raingauge@localhost;"),
        (
            "10.6.15",
            "targets: {drupal: [{site: shop.test, docroot: /srv/shop/web, directory: default, user: raingauge,",
        ),
    ],
)
def test_the_account_that_sees_less_is_written_out(version: str, line: str) -> None:
    assert line in proposal(MYSQL, version).remedy


def test_each_kind_of_database_has_its_remedy() -> None:
    pgsql = proposal(database(driver="pgsql", database="shop", username="shop", host="db")).remedy
    assert "GRANT SELECT (uid, timestamp) ON sessions TO raingauge;" in pgsql
    sqlite = proposal(database(driver="sqlite", database="sites/default/files/.ht.sqlite")).remedy
    assert sqlite.startswith("setfacl -m u:raingauge:r /srv/shop/web/sites/default/files/.ht.sqlite")


def test_what_only_php_can_tell_is_asked_for() -> None:
    remedy = proposal(database(driver="mysql", database="shop").replace("'shop'", "getenv('DB')")).remedy
    assert remedy.startswith(
        "shop.test: the database's database in settings.php is getenv('DB'), which only PHP can tell"
    )
    assert "driver: mysql, database: DATABASE, user: raingauge" in remedy


def test_settings_that_are_shut_are_told_with_what_opens_them() -> None:
    found = proposal(None, version="")
    assert found.config is None
    assert found.found == f"Drupal in /srv/shop/web (sites/default): {FILE} cannot be read"
    assert found.remedy.startswith(f"setfacl -m u:raingauge:r {FILE}\n")


def test_what_is_proposed_answers(tmp_path: Path) -> None:
    root = drupal.docroot(tmp_path / "web", {"driver": "sqlite", "database": str(tmp_path / "db")})
    drupal.fill(drupal.sqlite(tmp_path / "db"), "sqlite")
    path = f"{root}/sites/default/settings.php"
    settings = read_settings(path, {path: Path(path).read_text()}, str(root))
    (found,) = discover(Inventory("h", sites=(Site("a.test", str(root), "default", "10.6.15", (), settings),)))
    assert {reading.outcome for reading in trial(COLLECTOR, found.config or Drupal())} == {"ok", "absent"}  # no code
