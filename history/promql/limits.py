"""What one query may take before it is refused: an operator's dashboards stay far below, a mistake does not."""

from dataclasses import dataclass
from typing import Literal

from history.model import QueryError


@dataclass(frozen=True)
class Limits:
    """Each name is the key below `history.limits` in the configuration."""

    samples: int = 50_000_000
    """Stored samples that one query may read, and values that one step of it may hold."""
    points: int = 11_000
    """Steps of a range query, the first one not counted; Prometheus' own number."""
    seconds: float = 30.0
    """Time that one query may take."""
    series: int = 500_000
    """Series that one query may read."""
    length: int = 20_000
    """Characters of an expression."""
    depth: int = 60
    """Brackets of an expression within each other."""


DEFAULT = Limits()

Kind = Literal["bad_data", "execution", "timeout"]


def exceeded(kind: Kind, what: str, limit: float, key: str) -> QueryError:
    """`what` says in words what the query has or would take."""
    return QueryError(kind, f"{what}, at most {limit:,} are taken (history.limits.{key})")
