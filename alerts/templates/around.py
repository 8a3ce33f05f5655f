"""What a template knows beside its own labels and value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from history.model import Point, QueryError


def _nothing(_expr: str) -> Sequence[Point]:
    raise QueryError("unavailable", "there is no history to ask here")


@dataclass(frozen=True)
class Around:
    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""
    now: float = 0.0  # Unix seconds
    query: Callable[[str], Sequence[Point]] = _nothing
    """An expression's result at that time; may raise QueryError and ValueError."""


NOTHING = Around()
