"""The order in which events came and changed, so that whoever copies them from here can go on where he was."""

import secrets

from sqlalchemy import Column, Connection, Integer, String, Table, insert, select, update

from history.database import METADATA

changes_table = Table(
    "event_changes", METADATA,
    Column("only", Integer, primary_key=True),
    Column("era", String(32), nullable=False),  # another one in each database
    Column("number", Integer, nullable=False),  # of the newest change
)  # fmt: skip
column = changes_table.c
ONLY = 1


def next_change(connection: Connection) -> int:
    """The next number. It is never given again, and others wait for theirs until the transaction has ended.

    IntegrityError when another process was faster with the very first one: try all of it again.
    """
    if not connection.execute(update(changes_table).values(number=column.number + 1)).rowcount:
        connection.execute(insert(changes_table).values(only=ONLY, era=secrets.token_hex(8), number=1))
    return int(connection.execute(select(column.number)).scalar_one())


def newest(connection: Connection) -> tuple[str, int]:
    """The era and the number of the newest change; "" and 0 before the first."""
    row = connection.execute(select(column.era, column.number)).first()
    return (str(row.era), int(row.number)) if row else ("", 0)
