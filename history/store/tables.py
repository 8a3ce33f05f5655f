"""The tables of the sample store. `head` has one row a target and tick: all its values in the order of a layout."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

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
metric_table = Table(
    "metric", METADATA,
    Column("name", String(500), primary_key=True),
    Column("type", String(20), nullable=False),
    Column("help", Text, nullable=False),
    Column("unit", String(40), nullable=False),
)  # fmt: skip

TABLES = (target_table, series_table, layout_table, head_table, metric_table)
