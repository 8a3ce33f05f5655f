"""An expression as the evaluator wants it: small, frozen, without the parser's opaque types. Times in ms."""

from dataclasses import dataclass
from typing import Literal

from history.samples import Matcher

At = int | Literal["start", "end"] | None


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class String:
    value: str


@dataclass(frozen=True)
class Selector:
    alternatives: tuple[tuple[Matcher, ...], ...]
    """Usually one set of matchers; `{a="1" or b="2"}` has two."""
    range: int | None = None
    """None: an instant selector."""
    offset: int = 0
    at: At = None

    @property
    def names(self) -> list[str]:
        """Metrics that it names outright."""
        named = (matcher for matchers in self.alternatives for matcher in matchers if matcher.label == "__name__")
        return [matcher.value for matcher in named if matcher.op == "="]


@dataclass(frozen=True)
class Subquery:
    inner: "Node"
    range: int
    step: int | None
    offset: int = 0
    at: At = None


@dataclass(frozen=True)
class Call:
    name: str
    args: tuple["Node", ...]


@dataclass(frozen=True)
class Aggregate:
    op: str
    inner: "Node"
    param: "Node | None"
    labels: tuple[str, ...]
    without: bool


@dataclass(frozen=True)
class Matching:
    labels: tuple[str, ...] = ()
    on: bool = False
    """True: only these labels must be equal; False: all but these."""
    group: Literal["", "left", "right"] = ""
    """The side that may have many."""
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    """Stands for a missing partner on the left side; None: nothing does."""
    fill_right: float | None = None


@dataclass(frozen=True)
class Binary:
    op: str
    lhs: "Node"
    rhs: "Node"
    matching: Matching
    as_bool: bool = False


@dataclass(frozen=True)
class Negate:
    inner: "Node"


Node = Number | String | Selector | Subquery | Call | Aggregate | Binary | Negate
