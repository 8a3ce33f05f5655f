"""Where a site's database is and how its tables are called, from settings.php and our own configuration."""

import os
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from collectors.config import Secret, login
from collectors.drupal.config import Drupal
from collectors.errors import Absent, Denied, Unsupported
from collectors.inventory.fpm_conf import file_environment
from collectors.inventory.php.memory import Dynamic, Value
from collectors.inventory.settings_php import Settings, read_settings
from collectors.sources.files import read_text

MYSQL_SOCKETS = ("/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock")  # noqa: S108
"""Where PHP's builds look for `localhost`."""
MOST_FILES = 20


@dataclass(frozen=True)
class Account:
    driver: str
    database: str
    address: str = ""
    port: int = 0
    socket: str = ""
    user: str = ""
    password: Secret | None = None
    schema: str = ""
    """Of PostgreSQL; "" for its search path."""
    prefixes: Mapping[str, str] = field(default_factory=dict)
    """Table -> prefix; `default` for all others."""

    @property
    def place(self) -> str:
        where = self.socket or (f"{self.address}:{self.port}" if self.address else "")
        return f"{self.driver} database {self.database}" + (f" at {where}" if where else "")

    def prefix(self, table: str) -> str:
        return self.prefixes.get(table, self.prefixes.get("default", ""))


def settings_of(config: Drupal) -> Settings:
    """Of its settings.php and the files that this includes; nothing where our configuration says it all."""
    if not config.docroot:
        return Settings()
    path = f"{config.docroot}/sites/{config.directory}/settings.php"
    try:
        texts = {path: read_text(path)}
    except (Absent, Denied) as error:
        if config.driver and config.database:
            return Settings()
        if isinstance(error, Denied):
            raise
        raise Unsupported(f"read the site's settings: {error}") from error
    environment, complete = _environment(config.environment_file)
    while True:
        found = read_settings(path, texts, config.docroot, environment, complete)
        more = [file for file in found.wanted if file not in texts and len(texts) < MOST_FILES]
        there = {file: text for file in more if (text := _text(file)) is not None}
        if not there:
            return found
        texts |= there


def _text(path: str) -> str | None:
    try:
        return read_text(path)
    except (Absent, Denied, OSError):
        return None


def _environment(file: Path | None) -> tuple[dict[str, str] | None, bool]:
    if file is None:
        return None, False
    try:
        text = read_text(file)
    except Absent as error:
        raise Denied(f"read the environment: {error}") from error
    return file_environment(text), "clear_env" not in text.replace(";clear_env", "")


def account(config: Drupal, settings: Settings) -> Account:
    """Unsupported where settings.php does not say it in a way that can be read."""
    found = settings.get("databases", "default", "default")
    if isinstance(found, Dynamic) and not (config.driver and config.database):
        raise _unclear(config, "$databases", found)
    known = found if isinstance(found, dict) else {}
    if not known and not (config.driver and config.database):
        raise Unsupported(f"{config.site}: expected $databases in settings.php, found none; set driver and database")
    driver = config.driver or _driver(_text_of(config, known, "driver"))
    own = bool(config.user)
    address, port, socket = _address(config, known, driver)
    settled = Account(
        driver=driver,
        database=config.database or _text_of(config, known, "database"),
        user=config.user or _text_of(config, known, "username"),
        password=_password(config, None if own else known.get("password")),
        schema=_text_of(config, known, "schema") if driver == "pgsql" else "",
        prefixes=_prefixes(config, known.get("prefix")),
        address=address,
        port=port,
        socket=socket,
    )
    if driver == "sqlite":
        return _file(config, settled)
    return settled


def _unclear(config: Drupal, name: str, value: Dynamic) -> Unsupported:
    return Unsupported(
        f"{config.site}: {name} in settings.php is {value.expression or 'an expression'}, which only PHP can tell;"
        " set environment_file, or driver, database, user and password_file"
    )


def _text_of(config: Drupal, known: Mapping[str | int, Value], name: str) -> str:
    value = known.get(name)
    if isinstance(value, Dynamic):
        raise _unclear(config, f"the database's {name}", value)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _driver(name: str) -> str:
    kind = {"mysqli": "mysql"}.get(name, name)
    if kind not in ("mysql", "pgsql", "sqlite"):
        raise Unsupported(f"expected a database driver mysql, pgsql or sqlite, found {name!r}")
    return kind


def _password(config: Drupal, theirs: Value) -> Secret | None:
    ours = login(config.password, config.password_file)
    if ours is not None:
        return Secret(ours)
    if isinstance(theirs, Dynamic):
        raise _unclear(config, "the database's password", theirs)
    return theirs if isinstance(theirs, Secret) else None


def _prefixes(config: Drupal, value: Value) -> dict[str, str]:
    if config.prefix is not None:
        return {"default": config.prefix}
    if isinstance(value, Dynamic):
        raise _unclear(config, "the database's prefix", value)
    if isinstance(value, dict):
        return {str(table): prefix for table, prefix in value.items() if isinstance(prefix, str)}
    return {"default": value if isinstance(value, str) else ""}


def _address(config: Drupal, known: Mapping[str | int, Value], driver: str) -> tuple[str, int, str]:
    """Host, port, path of the unix socket."""
    if driver == "sqlite":
        return "", 0, ""
    if config.socket or config.address:
        address, socket = config.address, config.socket
    else:
        address, socket = _text_of(config, known, "host"), _text_of(config, known, "unix_socket")
    usual = 3306 if driver == "mysql" else 5432
    said = _text_of(config, known, "port")
    port = config.port or (int(said) if said.isascii() and said.isdecimal() and len(said) < 6 else usual)
    if driver == "mysql" and not socket and address in ("localhost", ""):
        socket = next((path for path in MYSQL_SOCKETS if os.path.exists(path)), "")  # noqa: PTH110
    return address or "127.0.0.1", port, socket


def _file(config: Drupal, settled: Account) -> Account:
    """A prefix is a file of its own beside the one that is named."""
    path = posixpath.normpath(posixpath.join(config.docroot or "/", settled.database))
    prefix = settled.prefix("").rstrip(".")
    beside = f"{path}-{prefix}" if prefix else ""
    if beside and os.path.exists(beside):  # noqa: PTH110
        return Account("sqlite", beside)
    return Account("sqlite", path, prefixes=settled.prefixes)
