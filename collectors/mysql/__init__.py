"""MySQL and MariaDB: status, replication, threads, locks, InnoDB, tables, statements, over one kept connection.

Names and types are mysqld_exporter's, the untyped ones too. Tested versions: tests/data/mysql.
Source: https://mariadb.com/kb/en/system-tables/ https://dev.mysql.com/doc/refman/8.4/en/information-schema.html
"""

from collectors.model import Collector, Gauge, Part, tcp_instance
from collectors.mysql import (
    binlog,
    deadlocks,
    digests,
    heartbeat,
    innodb,
    locks,
    performance,
    processlist,
    replica,
    responses,
    slow_statements,
    status,
    tables,
    userstat,
    variables,
)
from collectors.mysql.config import Mysql
from collectors.mysql.connection import connect
from collectors.mysql.discovery import GRANTS, discover

UP = Gauge("mysql_up", "1 when the server answered.")


def instance(config: Mysql, host: str) -> str:
    return f"{host}:{config.socket}" if config.socket else tcp_instance(host, config.address, config.port)


COLLECTOR = Collector(
    "mysql",
    "mysql",
    Mysql,
    parts=(
        Part("status", status.FAMILIES, status.read, status.parse),
        Part("replica", replica.FAMILIES, replica.read, replica.parse),
        Part("processlist", processlist.FAMILIES, processlist.read, processlist.parse),
        Part("locks", locks.FAMILIES, locks.read, locks.parse),
        Part("heartbeat", heartbeat.FAMILIES, heartbeat.read, heartbeat.parse),
        Part("variables", variables.FAMILIES, variables.read, variables.parse, interval=60.0),
        Part("innodb", innodb.FAMILIES, innodb.read, innodb.parse, interval=60.0),
        Part("binlog", binlog.FAMILIES, binlog.read, binlog.parse, interval=60.0),
        Part("userstat", userstat.FAMILIES, userstat.read, userstat.parse, interval=60.0),
        Part("responses", responses.FAMILIES, responses.read, responses.parse, interval=60.0),
        Part("digests", digests.FAMILIES, digests.read, digests.parse, interval=60.0),
        Part("waits", performance.EVENT_FAMILIES, performance.read_events, performance.parse_events, interval=60.0),
        Part(
            "table_waits", performance.TABLE_FAMILIES, performance.read_tables, performance.parse_tables, interval=60.0
        ),
        Part("tables", tables.FAMILIES, tables.read, tables.parse, interval=600.0),
    ),
    followers=(slow_statements.FOLLOWER, deadlocks.FOLLOWER),
    instance=instance,
    discover=discover,
    up=lambda _config, value: UP(value),
    connect=connect,
    grants=GRANTS,
)
