"""Which kinds of keys take the memory, from a few keys at a time: SCAN, and MEMORY USAGE of what it gives.

A key's name may be anyone's data, such as an address or an account, so that only its kind leaves `read`.
Source: https://redis.io/docs/latest/commands/memory-usage/ https://redis.io/docs/latest/commands/scan/
"""

import re
from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

from collectors.errors import ParseError
from collectors.model import Gauge, Sample
from collectors.redis.session import Session, ask, text

DB_KEY = ("db", "key")
LARGEST = Gauge(
    "redis_key_memory_usage_bytes", "Memory of the largest of the keys of this kind that were looked at.", DB_KEY,
    bounds={"key": 20},
)  # fmt: skip
LOOKED_AT = Gauge(
    "raingauge_redis_keys_looked_at", "Keys of this kind that were looked at.", DB_KEY, bounds={"key": 20}
)
MEMORY = Gauge(
    "raingauge_redis_keys_looked_at_bytes", "Memory of the keys of this kind that were looked at.", DB_KEY,
    bounds={"key": 20},
)  # fmt: skip
FAMILIES = (LARGEST, LOOKED_AT, MEMORY)
MOST_KEYS = 500
"""Looked at in one read, of all databases."""
MOST_DATABASES = 16
MOST_KINDS = 20
PIECE = 100
DATABASE = re.compile(r"^db([0-9]{1,9}):keys=", re.MULTILINE)
SEGMENTS = 2
"""Of a name, at most: Drupal's are prefix:bin:id, and what an id is about is nobody's business."""
VARYING = re.compile(r"[0-9a-fA-F-]{8,}|[0-9]+|[A-Za-z0-9+/=_-]{25,}")
WORD = re.compile(r"[A-Za-z_.*-]{1,40}")
OTHER = "*"


class Payload(TypedDict):
    kinds: list[list[Any]]
    """Database, kind, keys, bytes, bytes of the largest."""


def read(session: Session) -> Payload:
    found = DATABASE.findall(text(ask(session, "INFO", "keyspace")))
    databases = [int(number) for number in found[:MOST_DATABASES]]
    kinds: list[list[Any]] = []
    try:
        for database in databases:
            ask(session, "SELECT", str(database))
            kinds += summed_up(database, _sizes(session, database, MOST_KEYS // len(databases)))
    finally:
        ask(session, "SELECT", "0")
    return {"kinds": kinds}


def _sizes(session: Session, database: int, most: int) -> list[tuple[str, int]]:
    """Kind and bytes of each; the next read goes on where this one ends."""
    sizes: list[tuple[str, int]] = []
    cursor = session.cursors.get(database, 0)
    for _ in range(max(1, most // PIECE)):
        answer = ask(session, "SCAN", str(cursor), "COUNT", str(PIECE))
        if not isinstance(answer, list) or len(answer) != 2 or not isinstance(answer[1], list):
            raise ParseError(f"SCAN: expected a cursor and keys, found {type(answer).__name__}")
        for key in answer[1][: most - len(sizes)]:
            size = ask(session, "MEMORY", "USAGE", key)
            if isinstance(size, int) and size > 0:  # none: it has gone meanwhile
                sizes.append((kind(text(key)), size))
        cursor = int(text(answer[0])) if text(answer[0]).isdecimal() else 0
        if cursor == 0 or len(sizes) >= most:
            break
    session.cursors[database] = cursor
    return sizes


def kind(key: str) -> str:
    """`drupal.site1:cache_page:https://shop.example/a` -> `drupal.site*:cache_page:*`."""
    segments = key.split(":")
    words = [folded if WORD.fullmatch(folded := VARYING.sub("*", each)) else "*" for each in segments[:SEGMENTS]]
    return ":".join([*words, *(["*"] if len(segments) > SEGMENTS else [])])


def summed_up(database: int, sizes: Sequence[tuple[str, int]]) -> list[list[Any]]:
    """The kinds with the most memory. A kind that only one key has could be its very name: it goes into `*`."""
    count = Tally(kind for kind, _ in sizes)
    by_kind: dict[str, list[int]] = {}
    for name, size in sizes:
        by_kind.setdefault(name if count[name] > 1 else OTHER, []).append(size)
    largest = sorted(by_kind.items(), key=lambda each: (-sum(each[1]), each[0]))[:MOST_KINDS]
    return [[database, name, len(found), sum(found), max(found)] for name, found in largest]


def parse(payload: Payload) -> Iterable[Sample]:
    for database, name, keys, total, largest in payload["kinds"]:
        labels = (f"db{database}", name)
        yield LARGEST(largest, *labels)
        yield LOOKED_AT(keys, *labels)
        yield MEMORY(total, *labels)
