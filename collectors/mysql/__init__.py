"""MySQL and MariaDB: global status and variables, over one kept connection.

Names and types are mysqld_exporter's, the untyped ones too. Tested versions: tests/data/mysql.
Source: https://mariadb.com/kb/en/server-status-variables/ https://dev.mysql.com/doc/refman/8.4/en/server-status-variables.html
"""

import getpass
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from collectors.inventory import Inventory, Listener
from collectors.model import Collector, Counter, Family, Gauge, Part, Proposal, Sample, Untyped, tcp_instance
from collectors.mysql.config import Mysql
from collectors.mysql.connection import Rows, ask, connect

UP = Gauge("mysql_up", "1 when the server answered.")
STATUS = Untyped("mysql_global_status_*", "The row * of SHOW GLOBAL STATUS.")
COMMANDS = Counter(
    "mysql_global_status_commands_total", "Statements executed, by kind.", ("command",), bounds={"command": 300}
)
HANDLERS = Counter("mysql_global_status_handlers_total", "Calls of the storage engines, by kind.", ("handler",))
CONNECTION_ERRORS = Counter(
    "mysql_global_status_connection_errors_total", "Connections refused, by reason.", ("error",)
)
POOL_PAGES = Gauge("mysql_global_status_buffer_pool_pages", "InnoDB buffer pool pages, by state.", ("state",))
POOL_DIRTY = Gauge("mysql_global_status_buffer_pool_dirty_pages", "InnoDB buffer pool pages not yet written to disk.")
POOL_CHANGES = Counter(
    "mysql_global_status_buffer_pool_page_changes_total", "InnoDB buffer pool page changes, by kind.", ("operation",)
)
ROWS = Counter("mysql_global_status_innodb_row_ops_total", "Rows that InnoDB worked on, by kind.", ("operation",))
LOST = Counter(
    "mysql_global_status_performance_schema_lost_total",
    "Instruments that found no room in performance_schema, by kind.",
    ("instrumentation",),
)
STATUS_FAMILIES = (STATUS, COMMANDS, HANDLERS, CONNECTION_ERRORS, POOL_PAGES, POOL_DIRTY, POOL_CHANGES, ROWS, LOST)

VARIABLE = Gauge("mysql_global_variables_*", "The row * of SHOW GLOBAL VARIABLES.")
VERSION = Gauge(
    "mysql_version_info", "1; the server's version is its labels.", ("version", "version_comment", "innodb_version")
)
VARIABLE_FAMILIES = (VARIABLE, VERSION)

GROUPS: tuple[tuple[str, Family], ...] = (
    ("com_", COMMANDS),
    ("handler_", HANDLERS),
    ("connection_errors_", CONNECTION_ERRORS),
    ("innodb_rows_", ROWS),
    ("performance_schema_", LOST),
)
WORDS = dict.fromkeys(("yes", "on", "primary"), 1) | dict.fromkeys(
    ("no", "off", "disabled", "connecting", "non-primary", "disconnected"), 0
)
NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")


def read_status(connection: Any) -> Rows:
    return ask(connection, "SHOW GLOBAL STATUS")


def read_variables(connection: Any) -> Rows:
    return ask(connection, "SHOW GLOBAL VARIABLES")


def number(text: str) -> float | None:
    """mysqld_exporter's reading of a value: words, numbers and dates; None for other text."""
    text = text.strip()
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    if NUMBER.fullmatch(text):
        return float(text)
    for form in ("%b %d %H:%M:%S %Y %Z", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    return None


def parse_status(rows: Rows) -> Iterable[Sample]:
    for name, text in rows:
        value = number(text)
        # mysqld_exporter drops the total too: it would be counted twice in a sum over the states.
        if value is not None and name.lower() != "innodb_buffer_pool_pages_total":
            yield _status(name.lower(), value)


def _status(name: str, value: float) -> Sample:
    if name.startswith("innodb_buffer_pool_pages_"):
        return _pool_pages(name.removeprefix("innodb_buffer_pool_pages_"), value)
    for prefix, family in GROUPS:
        if name.startswith(prefix):
            return family(value, name.removeprefix(prefix))
    return STATUS.named(_plain(name))(value)


def _pool_pages(kind: str, value: float) -> Sample:
    if kind in ("data", "free", "misc", "old"):
        return POOL_PAGES(value, kind)
    if kind == "dirty":
        return POOL_DIRTY(value)
    return POOL_CHANGES(value, kind)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9_]", "_", name)


def parse_variables(rows: Rows) -> Iterable[Sample]:
    texts = {name.lower(): text for name, text in rows}
    yield VERSION(1, *(texts.get(name, "") for name in VERSION.labels))
    for name, text in texts.items():
        value = number(text)
        if value is not None and name not in VERSION.labels:
            yield VARIABLE.named(_plain(name))(value)


def instance(config: Mysql, host: str) -> str:
    return f"{host}:{config.socket}" if config.socket else tcp_instance(host, config.address, config.port)


SERVERS = {"mysqld", "mariadbd"}
REMEDY = """\
MariaDB: CREATE USER IF NOT EXISTS 'raingauge'@'localhost' IDENTIFIED VIA unix_socket;
MySQL:   CREATE USER IF NOT EXISTS 'raingauge'@'localhost' IDENTIFIED WITH auth_socket;
(no GRANT is needed; Raingauge runs as the user raingauge. With a password: IDENTIFIED BY '...', and in raingauge.yml:
targets: {mysql: [{PLACE, user: raingauge, password_file: /etc/raingauge/mysql}]})"""


def discover(inventory: Inventory) -> Iterable[Proposal]:
    """Each server once, by its unix socket if we see one; as the account of our own user first, then as raingauge."""
    ours = [at for at in inventory.listeners if at.process in SERVERS]
    by_server: dict[int, list[Listener]] = {}
    for at in ours:
        by_server.setdefault(at.pid, []).append(at)
    for listeners in by_server.values():
        at = min(listeners, key=_preference)
        address = _reachable(at.address)
        remedy = REMEDY.replace("PLACE", f"socket: {at.path}" if at.path else f"address: '{address}', port: {at.port}")
        place = at.path or f"{at.address}:{at.port}"
        for user in dict.fromkeys((inventory.environment.get("USER") or getpass.getuser(), "raingauge")):
            config = Mysql(user=user, socket=at.path) if at.path else Mysql(user=user, address=address, port=at.port)
            yield Proposal(f"{at.process} (pid {at.pid}) listens on {place}", config, remedy)


def _preference(at: Listener) -> tuple[bool, bool, int]:
    """A socket first; last what speaks another protocol, mysqlx.sock and port 33060."""
    return at.path.endswith("mysqlx.sock") or at.port > 33000, not at.path, at.port


def _reachable(address: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1", "*": "127.0.0.1"}.get(address, address)  # noqa: S104


COLLECTOR = Collector(
    "mysql",
    "mysql",
    Mysql,
    parts=(
        Part("status", STATUS_FAMILIES, read_status, parse_status),
        Part("variables", VARIABLE_FAMILIES, read_variables, parse_variables, interval=60.0),
    ),
    instance=instance,
    discover=discover,
    up=lambda _config, value: UP(value),
    connect=connect,
    grants="An account with USAGE alone, such as one IDENTIFIED VIA unix_socket.",
)
