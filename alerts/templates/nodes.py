"""A parsed template."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Constant:
    value: str | int | float | bool | None


@dataclass(frozen=True)
class Dot:
    pass


@dataclass(frozen=True)
class Variable:
    name: str
    """With its `$`; "$" is what the template was given."""


@dataclass(frozen=True)
class Function:
    name: str


@dataclass(frozen=True)
class Field:
    """`.a`, or `.a` of something: `$x.a`, `(f 1).a`."""

    of: "Operand"
    name: str


@dataclass(frozen=True)
class Pipe:
    commands: tuple[tuple["Operand", ...], ...]
    declares: tuple[str, ...] = ()
    """Variables that it sets; two only in `range`."""
    anew: bool = True
    """`:=`, not `=`."""


Operand = Constant | Dot | Variable | Function | Field | Pipe


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Output:
    pipe: Pipe
    source: str


@dataclass(frozen=True)
class Branch:
    kind: Literal["if", "with", "range"]
    pipe: Pipe
    body: tuple["Node", ...]
    otherwise: tuple["Node", ...]
    source: str


@dataclass(frozen=True)
class Use:
    """`template "name" pipe`."""

    name: str
    pipe: Pipe | None
    source: str


@dataclass(frozen=True)
class Leave:
    kind: Literal["break", "continue"]


Node = Text | Output | Branch | Use | Leave


@dataclass(frozen=True)
class Template:
    body: tuple[Node, ...]
    defined: Mapping[str, tuple[Node, ...]]
