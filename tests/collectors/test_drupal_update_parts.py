"""Updates and drift of whole sites: what is in the database, on the disk and in the operator's folder."""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from gzip import decompress
from pathlib import Path

import pytest

from agent.reading import Reading, trial
from collectors.drupal import COLLECTOR, drift, grants, installed, site, update_data, updates
from collectors.drupal.account import account, settings_of
from collectors.drupal.config import Drupal
from collectors.drupal.site import connect
from collectors.errors import Absent, Denied, ParseError, Unsupported
from tests.collectors.drupal_site import DATA, SHARED
from tests.collectors.drupal_told import at, values
from tests.lab import drupal
from tests.lab.drupal import NOW, php
from tests.lab.servers import MariaDb

AT = 1_795_342_200.0
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the sample sites are not beside the repository")
COMPUTED = {
    "shop": {"existing_version": "8.x-1.8", "status": 1, "recommended": "8.x-1.9", "project_type": "module",
             "includes": {"page_cache": "Shop"}},
}  # fmt: skip
LOCK = '{"packages": [{"name": "drupal/shop", "type": "drupal-module", "version": "1.8.0"}]}'


@pytest.fixture
def lab(tmp_path: Path) -> Drupal:
    drupal.fill(drupal.sqlite(tmp_path / "db"), "sqlite")
    return at(tmp_path, {"driver": "sqlite", "database": str(tmp_path / "db")})


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    with MariaDb(tmp_path_factory.mktemp("lab")) as server:
        for database, dump in (("ten", "drupal10.6.15-mariadb"), ("seven", "drupal7.103-mariadb")):
            server.sql(f"CREATE DATABASE {database}")
            words = ["mariadb", "--no-defaults", f"--socket={server.socket}", f"--user={server.user}", database]
            subprocess.run(words, input=decompress((SHARED / f"{dump}.sql.gz").read_bytes()), check=True)
        yield server


def part(config: Drupal, name: str) -> Reading:
    (found,) = (reading for reading in trial(COLLECTOR, config) if reading.part.name == name)
    return found


def told(config: Drupal, name: str) -> dict[str, float]:
    reading = part(config, name)
    assert (reading.outcome, reading.error) == ("ok", "")
    return values((reading,))


@needs_shared
@pytest.mark.servers
def test_a_real_site_is_judged_as_its_own_core_does(
    mariadb: MariaDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "clock", lambda: AT)
    config = at(tmp_path, drupal.mysql_settings(mariadb, "ten"))
    found = told(config, "updates")
    status = {name.split()[1]: name.split()[2] for name in found if name.startswith("drupal_project_status ")}
    assert status == {
        "drupal": "not_secure", "webform": "not_secure", "redirect": "revoked", "ctools": "not_supported",
        "flag": "not_supported",
    }  # fmt: skip
    assert found["drupal_updates current"] == 1  # token
    assert found["drupal_security_updates_pending"] == 2
    assert found["drupal_exposed_seconds webform"] == AT - 1740000000
    folder = SHARED / "updates" / "release-history"
    mirrored = tmp_path / "releases"
    shutil.copytree(folder, mirrored)
    assert told(config.model_copy(update={"releases": mirrored}), "updates")["drupal_updates not_secure"] == 2


@needs_shared
@pytest.mark.servers
def test_a_real_site_of_drupal_7(mariadb: MariaDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "clock", lambda: AT)
    found = told(at(tmp_path, drupal.mysql_settings(mariadb, "seven"), "7.103"), "updates")
    status = {name.split()[1]: name.split()[2] for name in found if name.startswith("drupal_project_status ")}
    assert status == {"drupal": "not_secure", "views": "not_secure"}
    assert part(at(tmp_path / "2", drupal.mysql_settings(mariadb, "seven"), "7.103"), "drift").outcome == "absent"


@needs_shared
@pytest.mark.servers
def test_drift_of_a_real_site(mariadb: MariaDb, tmp_path: Path) -> None:
    config = at(tmp_path, drupal.mysql_settings(mariadb, "ten"))
    assert part(config, "drift").outcome == "absent"
    with tarfile.open(SHARED / "drupal10.6.15-config-sync.tar.gz") as tar:
        tar.extractall(tmp_path, filter="data")
    settings = Path(config.docroot) / "sites/default/settings.php"
    with settings.open("a") as file:
        file.write("$settings['config_sync_directory'] = '../sync';\n")
    assert told(config, "drift") == {
        "drupal_config_drift different": 4, "drupal_config_drift only_active": 2, "drupal_config_drift only_sync": 2,
        "drupal_config_filtered": 0,
    }  # fmt: skip


def of_database(execute: drupal.Execute) -> None:
    rows = (
        ("update", "update_project_data", php(COMPUTED), NOW + 100),
        ("update", "fetch_failures", php({}), NOW + 100),
        ("update_available_releases", "shop", php({"title": "Shop", "releases": {}, "last_fetch": NOW - 500}), NOW),
        ("form", "secret", php("of a visitor"), NOW),
    )
    for row in rows:
        execute("INSERT INTO key_value_expire VALUES (%s, %s, %s, %s)", row)


@pytest.mark.usefixtures("site_clock")
def test_what_the_site_concluded(lab: Drupal, tmp_path: Path) -> None:
    of_database(drupal.sqlite(tmp_path / "db"))
    found = told(lab, "updates")
    assert found["drupal_project_status shop not_secure 8.x-1.8 8.x-1.9 module"] == 1
    assert found["drupal_update_data_age_seconds"] == 500
    with connect(lab) as opened:
        assert "visitor" not in str(update_data.read(opened))


@pytest.mark.usefixtures("site_clock")
def test_a_folder_and_the_disk_are_enough(lab: Drupal, tmp_path: Path) -> None:
    module = Path(lab.docroot) / "modules" / "contrib" / "shop"
    module.mkdir(parents=True)
    (module / "shop.info.yml").write_text("type: module\n")
    (Path(lab.docroot).parent / "composer.lock").write_text(LOCK)
    execute = drupal.sqlite(tmp_path / "db")
    execute("UPDATE config SET data = %s WHERE name = 'core.extension'", (php({"module": {"shop": 0}, "theme": {}}),))
    config = lab.model_copy(update={"releases": DATA / "release-history"})
    found = told(config, "updates")
    assert found["drupal_updates not_secure"] == 1
    assert any(name.startswith("drupal_project_status shop not_secure") for name in found)
    assert part(config.model_copy(update={"releases": tmp_path / "none"}), "updates").outcome == "absent"


def test_an_info_file_is_read_again_once_it_changed(tmp_path: Path) -> None:
    file = tmp_path / "modules" / "shop.info.yml"
    file.parent.mkdir()
    file.write_text("version: 1\n")
    assert installed.read_info(str(tmp_path)) == {"modules/shop.info.yml": "version: 1\n"}
    file.write_text("version: 2\n")
    os.utime(file, ns=(1, 1))
    assert installed.read_info(str(tmp_path)) == {"modules/shop.info.yml": "version: 2\n"}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.servers
def test_drift_needs_more_than_the_account_that_sees_least(drupal_mariadb: MariaDb, tmp_path: Path) -> None:
    config = at(tmp_path, drupal.mysql_settings(drupal_mariadb, "ten"), config_sync=tmp_path)
    (tmp_path / "system.cron.yml").write_text("threshold: {}\n")
    text = grants.statements(account(config, settings_of(config)), False).replace("'...'", "'pw'")
    least = Drupal.model_validate({**config.model_dump(), "user": "raingauge", "password": "pw"})
    for statements, outcome in ((text, "absent"), (text.replace("-- GRANT", "GRANT"), "ok")):
        drupal_mariadb.sql(f"DROP USER IF EXISTS raingauge@localhost; {statements}")
        assert part(least, "drift").outcome == outcome


@pytest.mark.usefixtures("site_clock")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.servers
def test_without_the_right_only_that_part_is_denied(drupal_mariadb: MariaDb, tmp_path: Path) -> None:
    drupal_mariadb.sql(
        "CREATE USER half@localhost IDENTIFIED BY 'pw'; GRANT SELECT ON ten.config TO half@localhost;"
        "GRANT SELECT ON ten.key_value TO half@localhost; GRANT SELECT ON ten.queue TO half@localhost;"
    )
    config = at(tmp_path, drupal.mysql_settings(drupal_mariadb, "ten"))
    half = Drupal.model_validate({**config.model_dump(), "user": "half", "password": "pw"})
    assert part(half, "updates").outcome == "denied"
    assert part(half, "queues").outcome == "ok"
    assert part(half.model_copy(update={"releases": DATA / "release-history"}), "updates").outcome == "ok"


def test_where_the_exported_configuration_is(lab: Drupal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Path(lab.docroot) / "sites/default/settings.php"
    text = settings.read_text()
    sync = tmp_path / "sync"
    sync.mkdir()
    with connect(lab) as opened, pytest.raises(Absent, match="names no folder"):
        drift.read(opened)
    settings.write_text(f"{text}$settings['config_sync_directory'] = getenv('SYNC');\n")
    with connect(lab) as opened, pytest.raises(Unsupported, match="getenv"):
        drift.read(opened)
    config = lab.model_copy(update={"config_sync": sync})
    with connect(config) as opened, pytest.raises(Absent, match="no configuration was exported"):
        drift.read(opened)
    (sync / "system.logging.yml").write_text("error_level: verbose\n")
    (sync / "system.cron.yml").write_text("threshold: {}\n")
    assert told(config, "drift")["drupal_config_drift different"] == 1
    settings.write_text(f"{text}$config_directories['sync'] = '../sync';\n")
    assert told(lab, "drift")["drupal_config_drift different"] == 1
    monkeypatch.setattr(drift, "MOST_BYTES", 3)
    with connect(config) as opened, pytest.raises(ParseError, match="at most 3 bytes"):
        drift.read(opened)

    def shut(_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "listdir", shut)
    with pytest.raises(Denied):
        drift.read_sync(sync)


def test_the_parts_and_what_they_need() -> None:
    assert {each.name: each.interval for each in COLLECTOR.parts if each.name in ("updates", "drift")} == {
        "updates": 900.0, "drift": 900.0,
    }  # fmt: skip
    assert updates.FAMILIES
