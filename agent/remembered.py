"""Targets that discovery found, kept in the local database: what is down at a restart is still watched, and still down.

A target that is no longer seen is forgotten after a day, or at once by `raingauge discover --forget`.
"""

import logging
from collections.abc import Iterable

from pydantic import ValidationError
from sqlalchemy import Column, Engine, Float, String, Table, Text, delete, insert, select, update

from agent.ticking import Watch
from collectors import registry
from history.database import METADATA, make_tables

log = logging.getLogger("raingauge.remembered")

KEPT_SECONDS = 86400.0

found_table = Table(
    "discovered", METADATA,
    Column("collector", String(50), primary_key=True),
    Column("config", String(2000), primary_key=True),  # JSON; discovery proposes no secrets
    Column("found", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("last_seen", Float, nullable=False),  # Unix seconds
)  # fmt: skip


class Remembered:
    """Any thread, any process; every method is one short transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        make_tables(engine, [found_table])

    def watches(self, now: float) -> list[Watch]:
        """Everything that was seen within the last day, newest settings last."""
        column = found_table.c
        query = select(found_table).where(column.last_seen >= now - KEPT_SECONDS).order_by(column.last_seen)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        watches = []
        for row in rows:
            try:
                collector = registry.collector(row.collector)
                config = collector.config.model_validate_json(row.config)
            except (KeyError, ValidationError):  # of another version; it will be found anew
                log.info("collector=%s a remembered target is not of this version", row.collector)
                continue
            watches.append(Watch(collector, config, row.found, row.remedy))
        return watches

    def seen(self, watches: Iterable[Watch], now: float) -> None:
        with self._engine.begin() as connection:
            for watch in watches:
                key = {"collector": watch.collector.name, "config": watch.config.model_dump_json()}
                rest = {"found": watch.found, "remedy": watch.remedy, "last_seen": now}
                known = (found_table.c[name] == value for name, value in key.items())
                if not connection.execute(update(found_table).where(*known).values(rest)).rowcount:
                    connection.execute(insert(found_table).values({**key, **rest}))
            connection.execute(delete(found_table).where(found_table.c.last_seen < now - KEPT_SECONDS))

    def forget(self, instance: str, host: str) -> int:
        """Forget the targets of that instance; how many there were."""
        gone = 0
        with self._engine.begin() as connection:
            for row in connection.execute(select(found_table)).all():
                collector = registry.collector(row.collector)
                target = collector.target(collector.config.model_validate_json(row.config), host)
                if target.instance == instance:
                    same = (found_table.c.collector == row.collector, found_table.c.config == row.config)
                    gone += connection.execute(delete(found_table).where(*same)).rowcount
        return gone
