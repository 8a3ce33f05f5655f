"""What the readers of PHP-FPM's logs share: text that comes in pieces, and counts that stay few."""

from collections.abc import Iterable, Sequence

MOST_LINE = 4096
"""Characters; what is past them in a line is dropped, however the text was cut."""
MOST_POOLS = 50
OTHER = "other"

Counts = dict[tuple[str, ...], int]
"""Pool and what -> how often."""


def whole_lines(rest: str, text: str) -> tuple[list[str], str]:
    """The lines that have ended, and the beginning of the one that has not: `rest` of the next call."""
    first, *others = text.split("\n")
    lines = [rest + first, *others]
    *ended, last = (line[:MOST_LINE] for line in lines)
    return ended, last


def from_rows(rows: Iterable[Sequence[str | int]]) -> Counts:
    return {tuple(map(str, key)): int(number) for *key, number in rows}


def to_rows(counts: Counts) -> list[list[str | int]]:
    """As JSON can hold them."""
    return [[*key, number] for key, number in counts.items()]


def count(counts: Counts, pool: str, what: tuple[str, ...], most: int) -> None:
    """One more of `what` in the pool; past `most` of them all words are `other`, past MOST_POOLS the pool's, too."""
    key = (pool, *what)
    if key not in counts:
        pools = {name for name, *_ in counts}
        pool = pool if pool in pools or len(pools) < MOST_POOLS else OTHER
        key = (pool, *what)
        if key not in counts and len(counts) >= most:
            key = (pool, *(OTHER for _ in what))
    counts[key] = counts.get(key, 0) + 1
