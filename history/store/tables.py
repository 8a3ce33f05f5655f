"""The tables of the sample store.

`head` has one row a target and tick: all its values in the order of a layout. `block` is some hundred ticks of one
target, its stamps in the row and its values in the pages that refer to it.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from history.database import METADATA

BLOB = LargeBinary(2**24)  # MySQL's plain BLOB ends at 64 kB

target_table = Table(
    "target", METADATA,
    Column("id", Integer, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("labels", Text, nullable=False),
    sqlite_autoincrement=True,
)  # fmt: skip
series_table = Table(
    "series", METADATA,
    Column("id", Integer, primary_key=True),
    Column("fp", String(32), nullable=False, unique=True),
    Column("target_id", ForeignKey("target.id"), nullable=False, index=True),
    Column("name", String(500), nullable=False),
    Column("labels", Text, nullable=False),
    sqlite_autoincrement=True,  # an id is never used again, so a page can outlive its series' row
)  # fmt: skip
layout_table = Table(
    "layout", METADATA,
    Column("id", Integer, primary_key=True),
    Column("target_id", ForeignKey("target.id"), nullable=False, index=True),
    Column("series_ids", BLOB, nullable=False),  # uint32, ascending
    sqlite_autoincrement=True,
)  # fmt: skip
head_table = Table(
    "head", METADATA,
    Column("target_id", ForeignKey("target.id"), primary_key=True),
    Column("t", BigInteger, primary_key=True),  # ms
    Column("layout_id", ForeignKey("layout.id"), nullable=False),
    Column("data", BLOB, nullable=False),  # float64, little-endian
)  # fmt: skip
block_table = Table(
    "block", METADATA,
    Column("id", Integer, primary_key=True),
    Column("target_id", ForeignKey("target.id"), nullable=False),
    Column("tier", Integer, nullable=False),  # seconds of a bucket; 0: as it came
    Column("t0", BigInteger, nullable=False),  # ms, first stamp
    Column("t1", BigInteger, nullable=False),  # ms, last stamp
    Column("count", Integer, nullable=False),  # stamps
    Column("pages", Integer, nullable=False),  # that it must have
    Column("bytes", Integer, nullable=False),  # of its stamps and pages
    Column("stamps", BLOB, nullable=False),
    Index("block_time", "target_id", "tier", "t0", unique=True),
    sqlite_autoincrement=True,
)  # fmt: skip
page_table = Table(
    "page", METADATA,
    Column("id", Integer, primary_key=True),
    Column("block_id", ForeignKey("block.id"), nullable=False, index=True),
    Column("layout_id", ForeignKey("layout.id"), nullable=False, index=True),
    Column("kind", Integer, nullable=False),  # what its values are: history.store.tiers
    Column("data", BLOB, nullable=False),
    sqlite_autoincrement=True,  # an id is never used again, so what is cached by it stays true
)  # fmt: skip
generation_table = Table(
    "generation", METADATA,
    Column("number", Integer, primary_key=True),  # grows when blocks come or go: who follows reads them anew
)  # fmt: skip
metric_table = Table(
    "metric", METADATA,
    Column("name", String(500), primary_key=True),
    Column("type", String(20), nullable=False),
    Column("help", Text, nullable=False),
    Column("unit", String(40), nullable=False),
)  # fmt: skip

TABLES = (
    target_table, series_table, layout_table, head_table, block_table, page_table, generation_table, metric_table,
)  # fmt: skip
