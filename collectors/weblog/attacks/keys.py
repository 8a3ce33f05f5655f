"""What is known by key (a source, a site), for some time and in bounded memory. Time is that of the lines."""

from collections.abc import Mapping
from typing import Any

MOST = {
    "groups": 1024,
    "logins": 4096,
    "walks": 2048,
    "asked": 2048,
    "spread": 512,
    "pages": 512,
    "told": 512,
    "scans": 2048,
    "forms": 1024,
}
"""Table -> most keys in it. Whoever was seen longest ago is forgotten first."""


class Keys:
    """Rows are replaced and never changed in place: the state from before keeps its own."""

    def __init__(self, known: Mapping[str, Any] | None) -> None:
        known = known or {}
        self._tables: dict[str, dict[str, Any]] = {name: dict(known.get(name, {})) for name in MOST}
        self._evicted: int = known.get("evicted", 0)

    def get(self, table: str, key: str) -> Any:
        return self._tables[table].get(key)

    def put(self, table: str, key: str, row: Any) -> None:
        rows = self._tables[table]
        rows.pop(key, None)
        if len(rows) >= MOST[table]:
            del rows[next(iter(rows))]
            self._evicted += 1
        rows[key] = row

    def drop(self, table: str, key: str) -> None:
        self._tables[table].pop(key, None)

    def level(self, table: str, key: str, now: float, per_second: float) -> float:
        """Of a leaky bucket, before anything is added."""
        row = self.get(table, key)
        return max(0.0, row[0] - max(0.0, now - row[1]) * per_second) if row else 0.0

    def pour(self, table: str, key: str, now: float, per_second: float, most: float) -> float:
        """One more into it. What it holds then."""
        level = min(most, self.level(table, key, now, per_second) + 1)
        row = self.get(table, key)
        self.put(table, key, [level, max(now, row[1]) if row else now])
        return level

    def plain(self) -> dict[str, Any]:
        return {**self._tables, "evicted": self._evicted}
