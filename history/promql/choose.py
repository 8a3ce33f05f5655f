"""The series that a selector names, each once."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from history.promql.frames import key
from history.samples import Floats, Group, Ints, Matcher, Rolled, Samples, Wanted, absent, blank, matches

Alternatives = Sequence[Sequence[Matcher]]


def selected(source: Samples, alternatives: Alternatives, start: int, end: int, most: int) -> list[Group]:
    """Samples of start <= t <= end (ms). TooMany: more than `most`."""
    found = [
        part
        for at, matchers in enumerate(alternatives)
        for group in source.select(matchers, start, end, most)
        if (part := _unseen(group, alternatives[:at])) is not None
    ]
    return found if len(found) < 2 else _joined(found)


def rolled(source: Samples, alternatives: Alternatives, wanted: Wanted) -> list[Rolled] | None:
    """Roll-ups in place of the samples; None: the samples answer."""
    found: list[Rolled] = []
    for at, matchers in enumerate(alternatives):
        some = source.rolled(matchers, wanted)
        if some is None:
            return None
        found += [part for each in some if (part := _unseen_rolled(each, alternatives[:at])) is not None]
    return found


def _unseen_rolled(each: Rolled, earlier: Alternatives) -> Rolled | None:
    rows = [row for row, labels in enumerate(each.labels) if not any(matches(labels, some) for some in earlier)]
    columns = {kind: values[rows] for kind, values in each.columns.items()}
    return replace(each, labels=[each.labels[row] for row in rows], columns=columns) if rows else None


def _unseen(group: Group, earlier: Alternatives) -> Group | None:
    if not earlier:
        return group
    rows = [row for row, labels in enumerate(group.labels) if not any(matches(labels, each) for each in earlier)]
    return _rows(group, rows) if rows else None


def _rows(group: Group, rows: Sequence[int]) -> Group:
    return Group([group.labels[row] for row in rows], group.stamps, group.values[rows])


def _joined(groups: Sequence[Group]) -> list[Group]:
    """A series that two targets have in turn (a rule that moved between groups) is one."""
    holders: dict[Hashable, list[tuple[int, int]]] = {}
    for at, group in enumerate(groups):
        for row, labels in enumerate(group.labels):
            holders.setdefault(key(labels), []).append((at, row))
    shared = [places for places in holders.values() if len(places) > 1]
    if not shared:
        return list(groups)
    taken = set(chain.from_iterable(shared))
    rest = [[row for row in range(len(group.labels)) if (at, row) not in taken] for at, group in enumerate(groups)]
    alone = [_rows(group, rows) for group, rows in zip(groups, rest, strict=True) if rows]
    return alone + [_one([_rows(groups[at], [row]) for at, row in places]) for places in shared]


def _one(parts: Sequence[Group]) -> Group:
    """All samples of a series in the order of time, and where it ended; at equal stamps a value wins over an end."""
    pieces = [_transitions(part) for part in parts]
    stamps = np.unique(np.concatenate([stamps for stamps, _ in pieces]))
    values = blank(1, len(stamps))
    for found, cells in pieces:
        there = ~absent(cells)
        values[0, np.searchsorted(stamps, found[there])] = cells[there]
    return Group(parts[0].labels, stamps, values)


def _transitions(part: Group) -> tuple[Ints, Floats]:
    """A series' samples and only the first stamp of each gap: its other ticks say nothing of the other target."""
    there = ~absent(part.values[0])
    kept = there.copy()
    kept[1:] |= there[:-1]
    return part.stamps[kept], part.values[0, kept]
