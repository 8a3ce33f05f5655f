"""Transactions that wait for a row's lock, and the oldest that is open.

Source: https://mariadb.com/kb/en/information-schema-innodb_trx-table/
"""

from collections.abc import Iterable

from collectors.model import Gauge, Sample
from collectors.mysql.connection import Session, table
from collectors.mysql.values import Table, number

WAITS = Gauge("sql_lock_waits", "Sessions that wait for another's lock now.")
LONGEST_WAIT = Gauge("sql_lock_wait_longest_seconds", "How long the one that waits longest has waited; 0 if none does.")
OLDEST = Gauge("sql_transaction_longest_seconds", "How long the oldest open transaction has been open; 0 without one.")
FAMILIES = (WAITS, LONGEST_WAIT, OLDEST)

RIGHT = "PROCESS ON *.*"
STATEMENT = """
SELECT COUNT(trx_wait_started) AS waits,
       COALESCE(MAX(TIMESTAMPDIFF(SECOND, trx_wait_started, NOW())), 0) AS longest_wait,
       COALESCE(MAX(TIMESTAMPDIFF(SECOND, trx_started, NOW())), 0) AS oldest
FROM information_schema.innodb_trx WHERE trx_mysql_thread_id <> CONNECTION_ID()"""


def read(session: Session) -> Table:
    return table(session, STATEMENT, RIGHT)


def parse(rows: Table) -> Iterable[Sample]:
    for row in rows:
        for family, column in ((WAITS, "waits"), (LONGEST_WAIT, "longest_wait"), (OLDEST, "oldest")):
            value = number(row.get(column))
            if value is not None:
                yield family(max(value, 0))  # the clock was set back
