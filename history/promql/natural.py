"""The order of sort_by_label: numbers inside of texts by their value, so that cpu 10 comes after cpu 9."""

import re
from collections.abc import Sequence
from functools import cmp_to_key

from history.model import Labels

CHUNK = re.compile(r"\d+|\D+")


def order(labels: Sequence[Labels], names: Sequence[str]) -> list[int]:
    """Places of the label sets in ascending order: by the labels of those names, then by all of them."""

    def compare(one: int, other: int) -> int:
        for name in names:
            found = _compare(labels[one].get(name, ""), labels[other].get(name, ""))
            if found:
                return found
        left, right = (sorted(labels[at].items()) for at in (one, other))
        return (left > right) - (left < right)

    return sorted(range(len(labels)), key=cmp_to_key(compare))


def _compare(one: str, other: str) -> int:
    lefts, rights = CHUNK.findall(one), CHUNK.findall(other)
    for left, right in zip(lefts, rights, strict=False):
        if left.isdecimal() and right.isdecimal():
            if int(left) != int(right):
                return -1 if int(left) < int(right) else 1
        elif left != right:
            return -1 if left < right else 1
    return (len(lefts) > len(rights)) - (len(lefts) < len(rights))
