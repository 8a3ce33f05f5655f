"""A small Drupal site of our own making: tables with a few rows in any database, and a docroot with settings.php."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pymysql

from tests.lab.postgresql import PASSWORD, PostgreSql
from tests.lab.servers import MariaDb

NOW = 1_800_000_000
Execute = Callable[[str, Sequence[Any]], Any]
Rows = Mapping[str, Sequence[tuple[Any, ...]]]

SCHEMA = {
    "watchdog": "wid {serial}, uid INT, type VARCHAR(64), message {text}, variables {blob}, severity INT, link {text},"
    " location {text}, referer {text}, hostname VARCHAR(128), timestamp INT",
    "queue": "item_id INT PRIMARY KEY, name VARCHAR(255), data {blob}, expire BIGINT, created BIGINT",
    "semaphore": "name VARCHAR(255) PRIMARY KEY, value VARCHAR(255), expire {double}",
    "sessions": "uid INT, sid VARCHAR(128) PRIMARY KEY, hostname VARCHAR(128), timestamp INT, session {blob}",
    "flood": "fid INT PRIMARY KEY, event VARCHAR(64), identifier VARCHAR(128), timestamp INT, expiration INT",
    "batch": "bid INT PRIMARY KEY, token VARCHAR(64), timestamp INT, batch {blob}",
    "search_dataset": "sid INT, langcode VARCHAR(12), type VARCHAR(64), data {text}, reindex INT",
    "cache_page": "cid VARCHAR(255) PRIMARY KEY, data {blob}, expire INT",
    "cache_render": "cid VARCHAR(255) PRIMARY KEY, data {blob}, expire INT",
}
TEN = {
    "key_value": "collection VARCHAR(128), name VARCHAR(128), value {blob}",
    "config": "collection VARCHAR(255), name VARCHAR(255), data {blob}",
    "key_value_expire": "collection VARCHAR(128), name VARCHAR(128), value {blob}, expire INT",
    "cache_container": "cid VARCHAR(255) PRIMARY KEY, data {blob}, created DECIMAL(14,3)",
    "users_field_data": "uid INT, langcode VARCHAR(12), name {name}, pass VARCHAR(255), mail VARCHAR(254), status INT,"
    " created INT, access INT, default_langcode INT",
    "user__roles": "entity_id INT, roles_target_id VARCHAR(255)",
    "node": "nid INT PRIMARY KEY, vid INT, type VARCHAR(32)",
    "node_field_data": "nid INT, type VARCHAR(32), status INT, changed INT, default_langcode INT",
    "content_moderation_state_field_data": "id INT, workflow VARCHAR(255), moderation_state VARCHAR(255),"
    " default_langcode INT",
    "comment_field_data": "cid INT, status INT, default_langcode INT",
    "file_managed": "fid INT, status INT, changed INT, filesize INT",
    "cachetags": "tag VARCHAR(255) PRIMARY KEY, invalidations INT",
}
SEVEN = {
    "variable": "name VARCHAR(128) PRIMARY KEY, value {blob}",
    "users": "uid INT PRIMARY KEY, name {name}, pass VARCHAR(255), mail VARCHAR(254), status INT, created INT,"
    " access INT",
    "users_roles": "uid INT, rid INT",
    "role": "rid INT PRIMARY KEY, name VARCHAR(64)",
    "cache_update": "cid VARCHAR(255) PRIMARY KEY, data {blob}, expire INT",
    "role_permission": "rid INT, permission VARCHAR(128), module VARCHAR(255)",
    "system": "filename VARCHAR(255), name VARCHAR(255), type VARCHAR(12), status INT, schema_version INT, info {blob}",
    "node": "nid INT PRIMARY KEY, type VARCHAR(32), status INT, changed INT",
    "comment": "cid INT, status INT",
    "file_managed": "fid INT, status INT, timestamp INT, filesize INT",
}
TYPES = {
    "mysql": {"serial": "INT PRIMARY KEY AUTO_INCREMENT", "text": "LONGTEXT", "blob": "LONGBLOB", "double": "DOUBLE",
              "name": "VARCHAR(60)"},
    "pgsql": {"serial": "SERIAL PRIMARY KEY", "text": "TEXT", "blob": "BYTEA", "double": "DOUBLE PRECISION",
              "name": "VARCHAR(60)"},
    "sqlite": {"serial": "INTEGER PRIMARY KEY AUTOINCREMENT", "text": "TEXT", "blob": "BLOB", "double": "REAL",
               "name": "VARCHAR(60) COLLATE NOCASE_UTF8"},
}  # fmt: skip


def php(value: Any) -> bytes:
    """Serialized as PHP does it."""
    if value is None:
        return b"N;"
    if isinstance(value, bool):
        return b"b:%d;" % value
    if isinstance(value, int):
        return b"i:%d;" % value
    if isinstance(value, str):
        return b's:%d:"%s";' % (len(value.encode()), value.encode())
    items = value.items() if isinstance(value, dict) else enumerate(value)
    inner = b"".join(php(key) + php(each) for key, each in items)
    return b"a:%d:{%s}" % (len(value), inner)


ERROR = "%type: @message in %function (line %line of %file)."
MARKUP = b'O:25:"Drupal\\Core\\Render\\Markup":1:{s:9:"\0*\0string";s:%d:"%s";}'


def error(message: str, line: int = 7, kind: str = "Exception") -> bytes:
    text = message.encode()
    return b"a:5:{" + b"".join((
        php("%type"), php(kind), php("@message"), MARKUP % (len(text), text), php("%function"), php("f()"),
        php("%line"), php(line), php("%file"), php("/srv/app/web/modules/custom/shop/shop.module"),
    )) + b"}"  # fmt: skip


def watchdog_row(kind: str, severity: int, message: str, variables: bytes, at: int = NOW) -> tuple[Any, ...]:
    """uid, type, message, variables, severity, link, location, referer, hostname, timestamp."""
    location = "https://shop.test/cart?token=abc&mail=alice@example.org"
    return (1, kind, message, variables, severity, "", location, "", "198.51.100.23", at)


COMMON_ROWS: Rows = {
    "queue": [(1, "mailer", b"x", 0, NOW - 500), (2, "mailer", b"x", NOW + 60, NOW - 400),
              (3, "mailer", b"x", NOW - 60, NOW - 300), (4, "drupal_batch:9:1", b"x", 0, NOW)],
    "semaphore": [("cron", "1", NOW + 600.5), ("menu_rebuild", "2", NOW - 100.0)],
    "sessions": [(1, "a", "198.51.100.1", NOW - 10, b"x"), (2, "b", "198.51.100.2", NOW - 5000, b"x"),
                 (0, "c", "198.51.100.3", NOW - 20, b"x")],
    "flood": [(1, "user.failed_login_ip", "198.51.100.9", NOW, NOW + 3600),
              (2, "user.failed_login_ip", "198.51.100.9", NOW, NOW + 3600),
              (3, "user.failed_login_ip", "198.51.100.8", NOW, NOW + 3600), (4, "contact", "x", NOW - 9000, NOW - 10)],
    "batch": [(1, "t", NOW - 200_000, b"x")],
    "cache_page": [("a", b"x" * 100, -1), ("b", b"x", -1)],
}  # fmt: skip
TEN_ROWS: Rows = {
    **COMMON_ROWS,
    "search_dataset": [(1, "en", "node_search", "x", 0), (2, "en", "node_search", "x", NOW)],
    "key_value": [("state", "system.cron_last", php(NOW - 300)), ("state", "install_time", php(NOW - 10**7)),
                  ("state", "system.private_key", php("hidden-key")), ("system.schema", "system", php(10201)),
                  ("state", "system.maintenance_mode", php(True)), ("state", "update.last_check", php(NOW - 7200))],
    "config": [("", "core.extension", php({"module": {"node": 0, "page_cache": 0}, "theme": {"olivero": 0},
                                           "profile": "standard"})),
               ("", "system.performance", php({"cache": {"page": {"max_age": 900}}, "css": {"preprocess": True},
                                               "js": {"preprocess": False}})),
               ("", "system.logging", php({"error_level": "verbose"})),
               ("", "system.cron", php({"threshold": {"requirements_warning": 172800}})),
               ("", "user.role.boss", php({"is_admin": True, "permissions": []})),
               ("", "user.role.editor", php({"is_admin": None, "permissions": ["edit any page content"]})),
               ("", "user.role.manager", php({"is_admin": False, "permissions": ["administer users"]})),
               ("language.de", "user.role.boss", php({"label": "Chef"}))],
    "users_field_data": [(0, "en", "", "", "", 0, NOW, 0, 1), (1, "en", "root", "hash", "r@example.org", 1, 1, 1, 1),
                         (2, "en", "boss", "hash", "b@example.org", 1, NOW - 10, 0, 1),
                         (2, "de", "boss", "hash", "b@example.org", 1, NOW - 10, 0, 0),
                         (3, "en", "ed", "hash", "e@example.org", 1, 1, 1, 1),
                         (4, "en", "out", "hash", "o@example.org", 0, 1, 0, 1)],
    "user__roles": [(2, "boss"), (3, "editor"), (4, "manager")],
    "node": [(1, 1, "page"), (2, 2, "page"), (3, 3, "article")],
    "node_field_data": [(1, "page", 1, NOW - 9, 1), (2, "page", 0, NOW - 8, 1), (3, "article", 1, NOW - 7, 1),
                        (3, "article", 1, NOW - 7, 0)],
    "content_moderation_state_field_data": [(1, "editorial", "draft", 1), (2, "editorial", "published", 1)],
    "comment_field_data": [(1, 1, 1), (2, 0, 1)],
    "file_managed": [(1, 1, NOW, 5), (2, 0, NOW, 5), (3, 0, NOW - 10**6, 5)],
    "cachetags": [("node:1", 2), ("node:2", 3), ("node_list", 7), ("config:system.site", 1)],
}  # fmt: skip
SEVEN_ROWS: Rows = {
    **COMMON_ROWS,
    "search_dataset": [(1, "en", "node", "x", 0), (2, "en", "node", "x", NOW)],
    "variable": [("cron_last", php(NOW - 300)), ("install_time", php(NOW - 10**7)), ("maintenance_mode", php(1)),
                 ("update_last_check", php(NOW - 7200)), ("install_profile", php("standard")), ("cache", php(1)),
                 ("page_cache_maximum_age", php("900")), ("preprocess_css", php("1")), ("error_level", php("1")),
                 ("cron_key", php("hidden-key")), ("user_admin_role", php("3"))],
    "users": [(0, "", "", "", 0, NOW, 0), (1, "root", "hash", "r@example.org", 1, 1, 1),
              (2, "boss", "hash", "b@example.org", 1, NOW - 10, 0), (3, "ed", "hash", "e@example.org", 1, 1, 1),
              (4, "out", "hash", "o@example.org", 0, 1, 0)],
    "users_roles": [(2, 3), (3, 5), (4, 4)],
    "role_permission": [(4, "administer users", "user"), (5, "access content", "node")],
    "role": [(1, "anonymous user"), (2, "authenticated user"), (3, "administrator"), (4, "manager"), (5, "editor")],
    "system": [("a", "node", "module", 1, 7015, php({"package": "Core", "version": "7.103"})),
               ("b", "user", "module", 1, 7018, php({"package": "Core", "version": "7.103"})),
               ("c", "off", "module", 0, -1, php({"project": "off"})),
               ("d", "bartik", "theme", 1, -1, php({"package": "Core", "version": "7.103"}))],
    "node": [(1, "page", 1, NOW - 9), (2, "page", 0, NOW - 8), (3, "article", 1, NOW - 7)],
    "comment": [(1, 1), (2, 0)],
    "file_managed": [(1, 1, NOW, 5), (2, 0, NOW, 5), (3, 0, NOW - 10**6, 5)],
}  # fmt: skip


def fill(execute: Execute, driver: str, seven: bool = False, prefix: Mapping[str, str] | str = "") -> None:
    """Make the tables and their rows; `prefix`: of each table, `default` for the others."""
    quote = "`" if driver == "mysql" else '"'
    schema, rows = {**SCHEMA, **(SEVEN if seven else TEN)}, SEVEN_ROWS if seven else TEN_ROWS
    for table, columns in schema.items():
        own = prefix if isinstance(prefix, str) else prefix.get(table, prefix["default"])
        name = f"{quote}{own}{table}{quote}"
        execute(f"CREATE TABLE {name} ({columns.format(**TYPES[driver])})", ())
        for row in rows.get(table, ()):
            execute(f"INSERT INTO {name} VALUES ({', '.join(['%s'] * len(row))})", row)


def log(execute: Execute, *rows: tuple[Any, ...], table: str = "watchdog") -> None:
    for row in rows:
        columns = "uid, type, message, variables, severity, link, location, referer, hostname, timestamp"
        execute(f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * len(row))})", row)


def sqlite(path: Path) -> Execute:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.create_collation("NOCASE_UTF8", lambda a, b: (a > b) - (a < b))
    return lambda statement, parameters: connection.execute(statement.replace("%s", "?"), tuple(parameters)).fetchall()


def mysql(server: MariaDb, database: str) -> Execute:
    server.sql(f"CREATE DATABASE {database}")
    connection = pymysql.connect(
        unix_socket=server.socket, user=server.user, database=database, autocommit=True, charset="utf8mb4"
    )

    def execute(statement: str, parameters: Sequence[Any]) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(statement, tuple(parameters) or None)
            return cursor.fetchall()

    return execute


def pgsql(server: PostgreSql, database: str) -> Execute:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}".encode())
    made = psycopg.connect(server.url.replace("/postgres", f"/{database}"), autocommit=True)
    return lambda statement, parameters: made.execute(statement.encode(), list(parameters) or None)


def docroot(directory: Path, database: Mapping[str, Any], version: str = "10.6.15", more: str = "") -> Path:
    """With settings.php and the file that tells the version."""
    seven = version.startswith("7.")
    core = directory / ("includes/bootstrap.inc" if seven else "core/lib/Drupal.php")
    core.parent.mkdir(parents=True)
    core.write_text(
        f"<?php\ndefine('VERSION', '{version}');\n" if seven else f"<?php\n  const VERSION = '{version}';\n"
    )
    site = directory / "sites" / "default"
    site.mkdir(parents=True)
    array = json.dumps(database).replace("{", "[").replace("}", "]").replace('":', '" =>')
    (site / "settings.php").write_text(f"<?php\n$databases['default']['default'] = {array};\n{more}\n")
    return directory


def mysql_settings(server: MariaDb, database: str, **more: Any) -> dict[str, Any]:
    return {"driver": "mysql", "database": database, "username": server.user, "password": "", "host": "localhost",
            "unix_socket": server.socket, "prefix": "", **more}  # fmt: skip


def pgsql_settings(server: PostgreSql, database: str, **more: Any) -> dict[str, Any]:
    return {"driver": "pgsql", "database": database, "username": "lab", "password": PASSWORD, "host": "127.0.0.1",
            "port": server.port, "prefix": "", **more}  # fmt: skip
