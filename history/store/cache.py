"""Decoded chunks that were read lately, up to a number of bytes."""

import threading
from collections import OrderedDict
from collections.abc import Mapping

from history.samples import Floats


class Cache:
    """By page: the rows of it that were decoded. The page used longest ago goes first. Any thread."""

    def __init__(self, most: int) -> None:
        """`most` in bytes."""
        self._most = most
        self._held = 0
        self._pages: OrderedDict[int, dict[int, Floats]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, page: int) -> Mapping[int, Floats]:
        """Row in the page -> values. Read only."""
        with self._lock:
            rows = self._pages.get(page)
            if rows is None:
                return {}
            self._pages.move_to_end(page)
            return rows.copy()

    def add(self, page: int, rows: Mapping[int, Floats]) -> None:
        with self._lock:
            held = self._pages.setdefault(page, {})
            self._pages.move_to_end(page)
            self._held += sum(values.nbytes for row, values in rows.items() if row not in held)
            held.update(rows)
            while self._held > self._most and self._pages:
                _, gone = self._pages.popitem(last=False)
                self._held -= sum(values.nbytes for values in gone.values())
