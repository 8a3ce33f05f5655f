"""A site's changes as its follower sees them: once a minute, whatever the database, and each once."""

import json
from pathlib import Path
from typing import Any

import pytest

from collectors.drupal import COLLECTOR, grants, snapshots
from collectors.drupal.account import account, settings_of
from collectors.drupal.config import Drupal
from collectors.drupal.site import connect
from collectors.errors import Denied
from collectors.model import Event, State
from collectors.sources import looking
from tests.collectors.drupal_told import at
from tests.lab import drupal
from tests.lab.drupal import NOW, Execute, php
from tests.lab.postgresql import PostgreSql
from tests.lab.servers import MariaDb

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
(FOLLOWER,) = (follower for follower in COLLECTOR.followers if follower.name == "changes")


class Site:
    """A site and its follower, as the agent drives it."""

    def __init__(self, config: Drupal, monkeypatch: pytest.MonkeyPatch) -> None:
        self.config = config
        self.cursor: Any = None
        self.state: State = {}
        self.now = float(NOW)
        self.payload: Any = None
        monkeypatch.setattr(looking, "clock", lambda: self.now)

    def look(self) -> list[Event]:
        """A minute later."""
        self.now += looking.LOOK_SECONDS
        payload, self.cursor = json.loads(json.dumps(FOLLOWER.read(self.config, self.cursor)))
        assert FOLLOWER.read(self.config, self.cursor) == (None, self.cursor)
        self.payload = payload
        after, events = FOLLOWER.step(self.state, payload)
        self.state = json.loads(json.dumps(after))
        assert {event.site for event in events} <= {"shop.test"}
        return list(events)

    def kinds(self) -> list[str]:
        return [event.kind.removeprefix("drupal.") for event in self.look()]


def changed_by(execute: Execute, *statements: tuple[str, tuple[Any, ...]]) -> None:
    for statement, parameters in statements:
        execute(statement, parameters)


def assert_changes_are_told(site: Site, execute: Execute, root: Path) -> None:
    assert site.kinds() == []
    assert site.kinds() == []
    assert "config" not in site.payload
    changed_by(execute, ("INSERT INTO user__roles VALUES (%s, %s)", (3, "boss")))
    (event,) = site.look()
    assert (event.kind, event.severity, event.title[:9]) == ("drupal.admin_added", "warning", "Account 3")
    on = php({"module": {"node": 0, "page_cache": 0, "shop": 0}, "theme": {"olivero": 0}, "profile": "standard"})
    changed_by(
        execute,
        ("UPDATE config SET data = %s WHERE name = 'core.extension'", (on,)),
        ("UPDATE key_value SET value = %s WHERE name = 'system.cron_last'", (php(NOW + 5),)),
        ("DELETE FROM key_value WHERE name = 'system.maintenance_mode'", ()),
        ("INSERT INTO cache_container VALUES ('service_container:prod', %s, 1)", (b"x",)),
    )
    assert site.kinds() == ["extensions_installed", "config_changed", "cron", "maintenance"]
    changed_by(execute, ("UPDATE cache_container SET created = 2", ()))
    (root.parent / "composer.lock").write_text("{}")
    assert site.kinds() == ["cache_rebuild"]
    (root.parent / "composer.lock").write_text('{"packages": []}')
    for number in range(6):
        changed_by(execute, ("INSERT INTO config VALUES ('', %s, %s)", (f"shop.{number}", php({"a": 1}))))
    assert site.kinds() == ["deploy", "config_import"]
    assert site.kinds() == []


def test_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    execute = drupal.sqlite(tmp_path / "db")
    drupal.fill(execute, "sqlite")
    config = at(tmp_path, {"driver": "sqlite", "database": str(tmp_path / "db")})
    assert_changes_are_told(Site(config, monkeypatch), execute, Path(config.docroot))


@pytest.mark.servers
@pytest.mark.parametrize("least", [False, True])
def test_mariadb(drupal_mariadb: MariaDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, least: bool) -> None:
    """`least`: as the account that the printed grants make."""
    name = f"changes_{least}"
    execute = drupal.mysql(drupal_mariadb, name)
    drupal.fill(execute, "mysql")
    config = at(tmp_path, drupal.mysql_settings(drupal_mariadb, name))
    if least:
        drupal_mariadb.sql("DROP USER IF EXISTS raingauge@localhost;")
        where = account(config, settings_of(config))
        drupal_mariadb.sql(grants.statements(where, False).replace("'...'", "'pw'"))
        config = Drupal.model_validate({**config.model_dump(), "user": "raingauge", "password": "pw"})
        with connect(config) as opened, pytest.raises(Denied):
            opened.tables.direct().rows("SELECT data FROM {config}")
    assert_changes_are_told(Site(config, monkeypatch), execute, Path(config.docroot))


@pytest.mark.servers
def test_postgresql(drupal_postgresql: PostgreSql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    execute = drupal.pgsql(drupal_postgresql, "changes")
    drupal.fill(execute, "pgsql")
    config = at(tmp_path, drupal.pgsql_settings(drupal_postgresql, "changes"))
    assert_changes_are_told(Site(config, monkeypatch), execute, Path(config.docroot))


def test_seven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    execute = drupal.sqlite(tmp_path / "db")
    drupal.fill(execute, "sqlite", seven=True)
    config = at(tmp_path, {"driver": "sqlite", "database": str(tmp_path / "db")}, "7.103")
    site = Site(config, monkeypatch)
    assert site.kinds() == []
    changed_by(
        execute,
        ("INSERT INTO users_roles VALUES (3, 3)", ()),
        ("INSERT INTO role_permission VALUES (5, 'administer users', 'user')", ()),
        ("UPDATE system SET status = 1 WHERE name = 'off'", ()),
        ("UPDATE variable SET value = %s WHERE name = 'cron_last'", (php(NOW + 5),)),
    )
    events = site.look()
    assert {event.kind.removeprefix("drupal.") for event in events} == {
        "admin_added", "permissions_changed", "extensions_installed", "cron",
    }  # fmt: skip
    assert any(event.title.startswith("Account 3 got the role administrator") for event in events)


def test_a_role_that_many_have_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    execute = drupal.sqlite(tmp_path / "db")
    drupal.fill(execute, "sqlite")
    config = at(tmp_path, {"driver": "sqlite", "database": str(tmp_path / "db")})
    site = Site(config, monkeypatch)
    site.look()
    monkeypatch.setattr(snapshots, "MOST_MEMBERS", 3)
    for number in range(20):
        execute("INSERT INTO user__roles VALUES (%s, 'crowd')", (100 + number,))
    site.look()
    assert sum(role == "crowd" for _, role in site.payload["roles"]) == 4


def test_what_is_shut_is_left_out_and_all_of_it_is_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drupal.fill(drupal.sqlite(tmp_path / "db"), "sqlite")
    config = at(tmp_path, {"driver": "sqlite", "database": str(tmp_path / "db")})

    def shut(*_: object) -> None:
        raise Denied("SELECT: denied")

    monkeypatch.setattr(snapshots, "_access", shut)
    monkeypatch.setattr(snapshots, "_config", shut)
    with connect(config) as opened:
        payload, _ = snapshots.look(opened, "shop.test", None, NOW)
        assert payload
        assert {"roles", "config"} & payload.keys() == set()
        assert payload["maintenance"] is True
        for name in ("_state", "_extensions", "_container"):
            monkeypatch.setattr(snapshots, name, shut)
        with pytest.raises(Denied):
            snapshots.look(opened, "shop.test", None, NOW)
