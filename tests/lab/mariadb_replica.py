"""A MariaDB that keeps binary logs, another with nothing of its own, and a replica that follows both: multi-source."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.ports import wait_until
from tests.lab.servers import MariaDb

NAMED = "archive"
"""The second connection's name; the first has none."""


class Empty(MariaDb):
    def prepare(self) -> None:
        """Without a database, so that no row comes twice."""


@dataclass(frozen=True)
class Replicated:
    source: MariaDb
    archive: MariaDb
    replica: MariaDb

    def caught_up(self) -> bool:
        """Both connections run, and all that the sources wrote has come."""
        running = self.replica.sql("SHOW ALL SLAVES STATUS").count("\tYes\tYes\t")
        written = {server.sql("SELECT @@gtid_binlog_pos").strip() for server in (self.source, self.archive)}
        return running == 2 and set(self.replica.sql("SELECT @@gtid_slave_pos").strip().split(",")) == written


@contextmanager
def mariadb_replica(directory: Path) -> Iterator[Replicated]:
    source = MariaDb(directory / "source", ["--server-id=1", "--log-bin=bin"])
    archive = Empty(directory / "archive", ["--server-id=3", "--gtid-domain-id=3", "--log-bin=bin"])
    replica = Empty(directory / "replica", ["--server-id=2", "--report-host=replica.example"])
    with source, archive, replica:
        follower = "CREATE USER {0}@'%' IDENTIFIED BY 'follow'; GRANT REPLICATION SLAVE ON *.* TO {0}@'%';"
        source.sql(follower.format("follow"))
        archive.sql(follower.format("archive"))
        replica.sql(_follow("", source, "follow") + _follow(NAMED, archive, "archive") + "START ALL SLAVES;")
        both = Replicated(source, archive, replica)
        wait_until(both.caught_up, 60, "the replica has caught up")
        yield both


def _follow(name: str, source: MariaDb, user: str) -> str:
    return (
        f"CHANGE MASTER '{name}' TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {source.port}, MASTER_USER = '{user}', "
        "MASTER_PASSWORD = 'follow', MASTER_USE_GTID = slave_pos;"
    )
