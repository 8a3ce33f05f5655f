"""Tables of the sample sites beside the repository, and release histories of our own."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from collectors.drupal.php_values import Value, unserialize

SHARED = Path(__file__).parents[3] / "shared" / "drupal"
DATA = Path(__file__).parents[1] / "data" / "drupal-updates"
FIELD = re.compile(r"'((?:[^'\\]|\\.)*)'|0x([0-9A-F]+)|(-?\d[\d.]*|NULL)")


def rows(dump: str, table: str) -> Iterator[list[Any]]:
    """Of a dump whose rows have a line each: texts, and bytes where they were written so."""
    inside = False
    with gzip.open(SHARED / dump, "rt", errors="replace") as file:
        for line in file:
            if line.startswith("INSERT INTO "):
                inside = line.startswith(f"INSERT INTO `{table}` VALUES")
            elif inside and line.startswith("("):
                yield [bytes.fromhex(code) if code else text or word for text, code, word in FIELD.findall(line[1:])]
            elif not line.startswith("("):
                inside = False


def stored(dump: str, collection: str) -> dict[str, Value]:
    """Of key_value_expire, unserialized."""
    return {row[1]: unserialize(row[2]) for row in rows(dump, "key_value_expire") if row[0] == collection}
