"""The binary logs of a source, and the replicas that registered with it where the account may list them.

Source: https://mariadb.com/kb/en/show-binary-logs/ https://dev.mysql.com/doc/refman/8.4/en/show-binary-logs.html
"""

import re
from collections.abc import Iterable
from typing import TypedDict

from collectors.errors import Absent, Denied
from collectors.model import Gauge, Sample
from collectors.mysql.connection import Session, first_table, table, variable
from collectors.mysql.values import Row, Table, number, word

SIZE = Gauge("mysql_binlog_size_bytes", "Size of all binary logs together.")
FILES = Gauge("mysql_binlog_files", "Binary logs that are kept.")
LAST = Gauge("mysql_binlog_file_number", "Number in the name of the newest binary log.")
REPLICA = Gauge(
    "mysql_heartbeat_mysql_slave_hosts_info",
    "1; a replica that registered here is its labels.",
    ("server_id", "slave_host", "port", "master_id", "slave_uuid"),
)
FAMILIES = (SIZE, FILES, LAST, REPLICA)

RIGHT = "REPLICATION CLIENT ON *.*"
RIGHT_MARIADB = "BINLOG MONITOR ON *.*"
REPLICAS = ("SHOW SLAVE HOSTS", "SHOW REPLICAS")
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Payload(TypedDict):
    logs: Table
    replicas: Table
    """Empty, too, where the account may not list them: the right to would let it read all data."""


def read(session: Session) -> Payload:
    if variable(session, "log_bin") != "ON":
        raise Absent
    right = RIGHT_MARIADB if "MariaDB" in session.connection.get_server_info() else RIGHT
    logs = table(session, "SHOW BINARY LOGS", right)
    try:
        replicas = first_table(session, REPLICAS)
    except Denied:
        replicas = []
    return {"logs": logs, "replicas": replicas}


def parse(payload: Payload) -> Iterable[Sample]:
    sizes = [size for log in payload["logs"] if (size := number(log.get("file_size"))) is not None]
    yield SIZE(sum(sizes))
    yield FILES(len(payload["logs"]))
    names = [word(log, "log_name") for log in payload["logs"]]
    last = number(names[-1].rpartition(".")[2]) if names else None
    if last is not None:
        yield LAST(last)
    for replica in dict.fromkeys(map(_replica, payload["replicas"])):  # it registers once for each of its connections
        yield REPLICA(1, *replica)


def _replica(row: Row) -> tuple[str, ...]:
    uuid = word(row, "slave_uuid") or word(row, "replica_uuid")
    source = word(row, "master_id") or word(row, "source_id")
    return (
        word(row, "server_id"), word(row, "host"), word(row, "port"), source, uuid if UUID.fullmatch(uuid) else "",
    )  # fmt: skip
