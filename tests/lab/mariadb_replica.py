"""A MariaDB that keeps binary logs, and a replica that follows it over two connections, one of them named."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.ports import wait_until
from tests.lab.servers import MariaDb

NAMED = "archive"
"""The second connection's name: it follows domain 2 alone, so that no row comes twice."""


@dataclass(frozen=True)
class Replicated:
    source: MariaDb
    replica: MariaDb

    def caught_up(self) -> bool:
        """Both connections run, and all that the source wrote has come."""
        running = self.replica.sql("SHOW ALL SLAVES STATUS").count("\tYes\tYes\t")
        written = self.source.sql("SELECT @@gtid_binlog_pos")
        return running == 2 and self.replica.sql("SELECT @@gtid_slave_pos") == written


@contextmanager
def mariadb_replica(directory: Path) -> Iterator[Replicated]:
    source = MariaDb(directory / "source", ["--server-id=1", "--log-bin=bin", "--bind-address=127.0.0.1,127.0.0.2"])
    replica = MariaDb(directory / "replica", ["--server-id=2", "--report-host=replica.example", "--read-only=OFF"])
    with source, replica:
        source.sql("CREATE USER follow@'%' IDENTIFIED BY 'follow'; GRANT REPLICATION SLAVE ON *.* TO follow@'%';")
        replica.sql(
            "DROP DATABASE lab; DROP USER lab@localhost; SET GLOBAL gtid_slave_pos = '';"
            + _follow("", "127.0.0.1", source.port, "IGNORE_DOMAIN_IDS = (2)")
            + _follow(NAMED, "127.0.0.2", source.port, "DO_DOMAIN_IDS = (2)")
            + "START ALL SLAVES;"
        )
        both = Replicated(source, replica)
        wait_until(both.caught_up, 60, "the replica has caught up")
        yield both


def _follow(name: str, host: str, port: int, which: str) -> str:
    """The server refuses two connections to one address."""
    return (
        f"CHANGE MASTER '{name}' TO MASTER_HOST = '{host}', MASTER_PORT = {port}, MASTER_USER = 'follow', "
        f"MASTER_PASSWORD = 'follow', MASTER_USE_GTID = slave_pos, {which};"
    )
