"""A small part of JSONPath: `$`, `.name`, `["name"]` and `[number]`, and comparing what is there with a value.

Source: https://www.rfc-editor.org/rfc/rfc9535
"""

import json
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

STEP = re.compile(r"""\.([A-Za-z_][A-Za-z0-9_-]*)|\[(-?[0-9]{1,9})\]|\[("(?:[^"\\]|\\.)*"|'[^'\\]*')\]""")
OPERATOR = re.compile(r"\s*(==|!=|<=|>=|<|>)\s*")
COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
MOST_CHARACTERS = 1000

Path = tuple[str | int, ...]


class Missing(Exception):
    """The document has no such place."""


class Assertion(NamedTuple):
    path: Path
    operator: str
    """"": the place is there, and what is there is neither null nor false."""
    value: Any

    def holds(self, document: Any) -> bool:
        try:
            found = look_up(document, self.path)
        except Missing:
            return False
        if not self.operator:
            return found is not None and found is not False
        if self.operator in ("==", "!="):
            return COMPARE[self.operator](alike(found, self.value), True)
        return _ordered(found, self.value) and COMPARE[self.operator](found, self.value)


def path(text: str) -> Path:
    """ValueError for what is no path, or of JSONPath's other parts."""
    found, rest = _path(text)
    if rest:
        raise ValueError(f"expected a path such as $.data[0].name, found {text!r}")
    return found


def assertion(text: str) -> Assertion:
    """`$.a.b[0] == "x"`, with a value as JSON writes it. ValueError for anything else."""
    place, rest = _path(text.strip())
    if not rest:
        return Assertion(place, "", None)
    compared = OPERATOR.match(rest)
    if not compared:
        raise ValueError(f'expected a path and a comparison such as $.status == "ok", found {text!r}')
    try:
        value = json.loads(rest[compared.end() :], parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ValueError(f"expected a value as JSON writes it after {compared[1]}, found {text!r}") from None
    if compared[1] not in ("==", "!=") and not _ordered(value, value):
        raise ValueError(f"expected a number or a text after {compared[1]}, found {text!r}")
    return Assertion(place, compared[1], value)


def look_up(document: Any, at: Path) -> Any:
    """What is at a place; Missing when there is none."""
    for step in at:
        try:
            if isinstance(step, int) != isinstance(document, list) or isinstance(document, str):
                raise Missing(at)
            document = document[step]
        except (KeyError, IndexError, TypeError):
            raise Missing(at) from None
    return document


def alike(found: Any, value: Any) -> bool:
    """As JSON has it: true is not 1, but 1 is 1.0."""
    if isinstance(found, bool) or isinstance(value, bool):
        return found is value
    if isinstance(found, list) and isinstance(value, list):
        return len(found) == len(value) and all(map(alike, found, value))
    if isinstance(found, dict) and isinstance(value, dict):
        return found.keys() == value.keys() and all(alike(found[key], value[key]) for key in found)
    return bool(found == value)


def _path(text: str) -> tuple[Path, str]:
    """The path at the start, and the text that is left."""
    if not text.startswith("$") or len(text) > MOST_CHARACTERS:
        raise ValueError(f"expected a path that begins with $, found {text[:80]!r}")
    steps: list[str | int] = []
    at = 1
    while found := STEP.match(text, at):
        name, number, quoted = found.groups()
        steps.append(name if name is not None else int(number) if number is not None else _name(quoted))
        at = found.end()
    return tuple(steps), text[at:]


def _name(quoted: str) -> str:
    name: str = json.loads(quoted) if quoted.startswith('"') else quoted[1:-1]
    return name


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def _ordered(found: Any, value: Any) -> bool:
    kinds = (int, float) if isinstance(value, int | float) else (str,)
    return all(isinstance(each, kinds) and not isinstance(each, bool) for each in (found, value))
