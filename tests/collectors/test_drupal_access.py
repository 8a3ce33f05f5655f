"""Who may read a site's database, what is hidden from whom, and what is said where nothing can be read."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from agent.reading import trial
from collectors.drupal import COLLECTOR, grants
from collectors.drupal.account import account, settings_of
from collectors.drupal.config import Drupal
from collectors.drupal.site import connect
from collectors.errors import CollectError, Denied, Unreachable
from tests.collectors.answering import answering
from tests.collectors.drupal_told import assert_all_is_told, at, outcomes
from tests.lab import drupal
from tests.lab.nobody import as_nobody
from tests.lab.ports import free_port
from tests.lab.postgresql import PostgreSql
from tests.lab.servers import MariaDb

pytestmark = [
    pytest.mark.usefixtures("site_clock"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # PyMySQL leaves sockets open
]


@pytest.mark.servers
@pytest.mark.parametrize("database", ["ten", "seven", "prefixed"])
def test_the_printed_grants_are_enough_and_hide_what_is_secret(
    drupal_mariadb: MariaDb, tmp_path: Path, database: str
) -> None:
    version = "7.103" if database == "seven" else "10.6.15"
    prefix = "p_" if database == "prefixed" else ""
    config = at(tmp_path, drupal.mysql_settings(drupal_mariadb, database, prefix=prefix), version)
    where = account(config, settings_of(config))
    drupal_mariadb.sql("DROP USER IF EXISTS raingauge@localhost;")
    drupal_mariadb.sql(grants.statements(where, database == "seven").replace("'...'", "'pw'"))
    least = config.model_copy(update={"user": "raingauge", "password": drupal_secret("pw")})
    assert_all_is_told(least, database == "seven")
    with connect(least) as opened:
        for statement in (
            "SELECT pass FROM {users_field_data}",
            "SELECT session FROM {sessions}",
            "SELECT pass FROM {users}",
        ):
            with pytest.raises(Denied):
                opened.tables.rows(statement)
        opened.tables.views = {}
        with pytest.raises(Denied):
            opened.tables.rows(
                "SELECT value FROM {variable}" if database == "seven" else "SELECT value FROM {key_value}"
            )


def drupal_secret(text: str) -> Any:
    return Drupal.model_validate({"password": text}).password


@pytest.mark.servers
def test_a_part_without_its_right_is_denied_and_the_others_are_not(drupal_mariadb: MariaDb) -> None:
    drupal_mariadb.sql("CREATE USER some@localhost IDENTIFIED BY 'pw'; GRANT SELECT ON ten.queue TO some@localhost;")
    drupal_mariadb.sql("CREATE USER none@localhost IDENTIFIED BY 'pw';")
    settings = {"driver": "mysql", "database": "ten", "socket": drupal_mariadb.socket, "password": "pw"}
    found = outcomes(Drupal(user="some", **settings))
    assert (found["queues"], found["users"], found["state"]) == ("ok", "denied", "denied")
    assert set(outcomes(Drupal(user="none", **settings)).values()) == {"denied"}
    assert set(outcomes(Drupal(user="nobody_here", **settings)).values()) == {"denied"}


@pytest.mark.servers
def test_the_printed_grants_of_postgresql(drupal_postgresql: PostgreSql, tmp_path: Path) -> None:
    config = at(tmp_path, drupal.pgsql_settings(drupal_postgresql, "ten"))
    text = grants.statements(account(config, settings_of(config)), False).replace("'...'", "'pw'")
    url = drupal_postgresql.url.replace("/postgres", "/ten")
    subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", url], input=text, text=True, check=True)
    least = config.model_copy(update={"user": "raingauge", "password": drupal_secret("pw")})
    assert_all_is_told(least)
    with connect(least) as opened, pytest.raises(Denied):
        opened.tables.rows("SELECT pass FROM {users_field_data}")
    assert set(outcomes(config.model_copy(update={"user": "raingauge", "password": drupal_secret("no")})).values()) == {
        "denied"
    }


def writes(config: Drupal) -> None:
    for statement in ("DELETE FROM {queue}", "UPDATE {queue} SET expire = 0", "CREATE TABLE {made} (x INT)"):
        with connect(config) as opened, pytest.raises(CollectError):
            opened.tables.rows(statement)


@pytest.mark.servers
def test_nothing_can_be_written_even_as_the_sites_own_account(
    drupal_mariadb: MariaDb, drupal_postgresql: PostgreSql, tmp_path: Path
) -> None:
    drupal.fill(drupal.sqlite(tmp_path / "db"), "sqlite")
    writes(Drupal(driver="sqlite", database=str(tmp_path / "db")))
    writes(at(tmp_path / "m", drupal.mysql_settings(drupal_mariadb, "ten")))
    writes(at(tmp_path / "p", drupal.pgsql_settings(drupal_postgresql, "ten")))


@pytest.mark.servers
def test_a_statement_that_takes_too_long_is_stopped(
    drupal_mariadb: MariaDb, drupal_postgresql: PostgreSql, tmp_path: Path
) -> None:
    drupal.fill(drupal.sqlite(tmp_path / "db"), "sqlite")
    endless = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000000) SELECT COUNT(*) FROM n"
    )
    for config, statement in (
        (Drupal(driver="sqlite", database=str(tmp_path / "db"), timeout=0.2), endless),
        (
            at(tmp_path / "m", drupal.mysql_settings(drupal_mariadb, "ten"), timeout=0.3),
            "SELECT COUNT(*) FROM {queue} WHERE SLEEP(20) = 0",
        ),
        (at(tmp_path / "p", drupal.pgsql_settings(drupal_postgresql, "ten"), timeout=0.3), "SELECT pg_sleep(20)"),
    ):
        with connect(config) as opened, pytest.raises(Unreachable):
            opened.tables.rows(statement)


@pytest.mark.parametrize("driver", ["mysql", "pgsql"])
@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"\x01\0\0\0\x0a", b"\xff" * 2000])
def test_what_answers_as_no_database_does(driver: str, greeting: bytes) -> None:
    with answering(greeting, before=driver == "mysql") as port:
        config = Drupal.model_validate({"driver": driver, "database": "x", "address": "127.0.0.1", "port": port,
                                        "user": "x", "password": "p&ss", "timeout": 0.5})  # fmt: skip
        readings = trial(COLLECTOR, config)
    assert {reading.outcome for reading in readings} <= {"parse", "unreachable", "denied"}
    assert "p&ss" not in "".join(reading.error for reading in readings)


def test_what_is_not_there_is_unreachable_or_said(tmp_path: Path) -> None:
    for driver in ("mysql", "pgsql"):
        config = Drupal.model_validate({"driver": driver, "database": "x", "address": "127.0.0.1", "port": free_port()})
        assert set(outcomes(config).values()) == {"unreachable"}
    (tmp_path / "no.db").write_bytes(b"no database" * 1000)
    assert set(outcomes(Drupal(driver="sqlite", database=str(tmp_path / "no.db"))).values()) == {"parse"}
    assert set(outcomes(Drupal(driver="sqlite", database=str(tmp_path / "gone.db"))).values()) == {"unreachable"}
    assert set(outcomes(Drupal(docroot=str(tmp_path / "gone"))).values()) == {"unsupported"}
    root = drupal.docroot(tmp_path / "web", {}, more="$databases = getenv('DB');")
    dynamic = trial(COLLECTOR, Drupal(site="shop.test", docroot=str(root)))[0]
    assert dynamic.error == (
        "shop.test: $databases in settings.php is getenv('DB'), which only PHP can tell;"
        " set environment_file, or driver, database, user and password_file"
    )


def test_files_that_are_shut_are_denied(tmp_path: Path) -> None:
    root = drupal.docroot(tmp_path / "web", {"driver": "sqlite", "database": str(tmp_path / "db")})
    drupal.fill(drupal.sqlite(tmp_path / "db"), "sqlite")
    for parent in (tmp_path, *tmp_path.parents):
        if not parent.stat().st_mode & 0o001:
            parent.chmod(0o755)
    for path in (tmp_path / "db", root / "sites/default/settings.php"):
        path.chmod(0)
        said = as_nobody(lambda: (r := trial(COLLECTOR, Drupal(docroot=str(root)))[0]).outcome + " " + r.error)
        assert said.startswith("denied ")
        assert str(path) in said
        path.chmod(0o644)


def test_the_environment_of_a_pool_is_used(tmp_path: Path) -> None:
    drupal.fill(drupal.sqlite(tmp_path / "db"), "sqlite")
    root = drupal.docroot(
        tmp_path / "web",
        {},
        more="$databases['default']['default'] = ['driver' => 'sqlite', 'database' => getenv('DB')];",
    )
    (tmp_path / "pool.conf").write_text(f"[shop]\nenv[DB] = {tmp_path}/db\n")
    config = Drupal(docroot=str(root), environment_file=tmp_path / "pool.conf")
    assert outcomes(config)["state"] == "ok"
    (tmp_path / "pool.conf").unlink()
    assert outcomes(config)["state"] == "denied"
