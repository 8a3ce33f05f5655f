"""Head rows past the retention go in small transactions, so that no other writer waits long."""

from sqlalchemy import Engine, delete, func, select

from history.store.tables import head_table

ROWS = 500
"""Most rows of one target deleted at a time: a long pause is caught up with over some minutes."""


def trim(engine: Engine, target_ids: list[int], before: int) -> int:
    """Delete each target's oldest rows of t < before (ms); how many went."""
    table = head_table.c
    gone = 0
    for target_id in target_ids:
        old = select(table.t).where(table.target_id == target_id, table.t < before).order_by(table.t).limit(ROWS)
        with engine.begin() as connection:
            last = connection.execute(select(func.max(old.subquery().c.t))).scalar()
            if last is not None:
                removed = delete(head_table).where(table.target_id == target_id, table.t <= last)
                gone += connection.execute(removed).rowcount
    return gone
