"""PostgreSQL: what its statistics views say, over one kept connection.

Names and types are postgres_exporter's, also where they say less than the truth. Tested versions: tests/data/postgres.
Source: https://www.postgresql.org/docs/current/monitoring-stats.html
"""

from collectors.model import Collector, Gauge, tcp_instance
from collectors.postgres import activity, deadlocks, replication, settings, sizes, statements, status, tables, vacuum
from collectors.postgres.config import Postgres
from collectors.postgres.connection import connect
from collectors.postgres.discovery import discover

UP = Gauge("pg_up", "1 when the server answered.")


def instance(config: Postgres, host: str) -> str:
    return f"{host}:{config.socket}" if config.socket else tcp_instance(host, config.address, config.port)


COLLECTOR = Collector(
    "postgres",
    "postgres",
    Postgres,
    parts=(
        status.PART,
        activity.PART,
        replication.PART,
        vacuum.PART,
        settings.PART,
        tables.PART,
        statements.PART,
        sizes.PART,
    ),
    followers=(deadlocks.FOLLOWER,),
    instance=instance,
    discover=discover,
    up=lambda _config, value: UP(value),
    connect=connect,
    grants="A role in pg_monitor: `CREATE ROLE raingauge LOGIN; GRANT pg_monitor TO raingauge;`. "
    "Over the unix socket `peer` in pg_hba.conf lets the system user of that name in without a password.",
)
