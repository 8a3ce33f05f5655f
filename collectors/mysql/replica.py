"""How a replica follows its sources, one row a connection or channel; under the old words and, where new, both.

Source: https://mariadb.com/kb/en/show-replica-status/ https://dev.mysql.com/doc/refman/8.4/en/show-replica-status.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from collectors.errors import Absent
from collectors.model import Gauge, Sample, Untyped
from collectors.mysql.connection import Session, first_table
from collectors.mysql.values import Row, Table, number, plain, word

LABELS = ("master_host", "master_uuid", "channel_name", "connection_name")
STATUS = Untyped("mysql_slave_status_*", "The column * of the replica's status.", LABELS)
POSITIONS = {
    "gtid_io_pos": Gauge(
        "mysql_slave_status_gtid_io_pos",
        "Last number that was received, by domain and server.",
        (*LABELS, "domain_id", "server_id"),
    ),
    "gtid_slave_pos": Gauge(
        "mysql_slave_status_gtid_slave_pos",
        "Last number that was applied, by domain and server.",
        (*LABELS, "domain_id", "server_id"),
    ),
}
FAMILIES = (STATUS, *POSITIONS.values())

STATEMENTS = ("SHOW ALL SLAVES STATUS", "SHOW REPLICA STATUS", "SHOW SLAVE STATUS")
"""MariaDB with all its connections, MySQL from 8.0.22, MySQL before."""
RIGHT = "REPLICATION CLIENT ON *.*"
RIGHT_MARIADB = "SLAVE MONITOR ON *.*"
NAMES = ("master_host", "source_host", "master_uuid", "source_uuid", "channel_name", "connection_name", *POSITIONS)
OLD_WORDS = {"source": "master", "replica": "slave"}


def read(session: Session) -> Table:
    """Texts that are no number stay behind: an error's may hold rows of a table."""
    right = RIGHT_MARIADB if "MariaDB" in session.connection.get_server_info() else RIGHT
    rows = first_table(session, STATEMENTS, right)
    if not rows:
        raise Absent
    return [{name: text for name, text in row.items() if name in NAMES or number(text) is not None} for row in rows]


def parse(rows: Table) -> Iterable[Sample]:
    for row in rows:
        labels = (
            word(row, "master_host") or word(row, "source_host"),
            word(row, "master_uuid") or word(row, "source_uuid"),
            word(row, "channel_name"),
            word(row, "connection_name"),
        )
        for name, value in _numbers(row).items():
            yield STATUS.named(plain(name))(value, *labels)
        for name, family in POSITIONS.items():
            for domain, server, last in _positions(word(row, name)):
                yield family(last, *labels, domain, server)


def _numbers(row: Row) -> Mapping[str, float]:
    found = {}
    for name, text in row.items():
        value = number(text)
        if value is not None and name not in NAMES:
            found[name] = value
            found["_".join(OLD_WORDS.get(part, part) for part in name.split("_"))] = value
    return found


def _positions(text: str) -> Iterator[tuple[str, str, float]]:
    """`0-1-27996,1-2-5`: domain, server and number."""
    for found in re.finditer(r"(?:^|,)\s*(\d+)-(\d+)-(\d+)(?=,|$)", text, re.ASCII):
        yield found[1], found[2], float(found[3])
