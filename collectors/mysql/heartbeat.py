"""How late a replica is by pt-heartbeat's table: what it wrote last, and the server's clock at that moment.

Source: https://docs.percona.com/percona-toolkit/pt-heartbeat.html
"""

from collections.abc import Iterable

from collectors.errors import Absent
from collectors.model import Gauge, Sample
from collectors.mysql.connection import Session, table
from collectors.mysql.values import Table, number, word

STORED = Gauge("mysql_heartbeat_stored_timestamp_seconds", "When pt-heartbeat wrote last.", ("server_id",))
NOW = Gauge("mysql_heartbeat_now_timestamp_seconds", "The server's clock.", ("server_id",))
FAMILIES = (STORED, NOW)


def read(session: Session) -> Table:
    if not session.config.heartbeat_table:
        raise Absent
    database, _, name = session.config.heartbeat_table.partition(".")
    statement = (
        "SELECT server_id, UNIX_TIMESTAMP(ts) AS stored, UNIX_TIMESTAMP(NOW(6)) AS now "  # noqa: S608 # a checked name
        f"FROM `{database}`.`{name}` ORDER BY ts DESC LIMIT 50"
    )
    return table(session, statement, f"SELECT ON `{database}`.`{name}`")


def parse(rows: Table) -> Iterable[Sample]:
    for row in rows:
        for family, column in ((STORED, "stored"), (NOW, "now")):
            value = number(row.get(column))
            if value is not None:
                yield family(value, word(row, "server_id"))
