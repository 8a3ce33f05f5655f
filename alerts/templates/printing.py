"""Go's printf, print and println.

Source: https://pkg.go.dev/fmt
"""

import json
import math
import re
from collections.abc import Iterator

from alerts.templates.values import Value, go_float, kind, show

VERB = re.compile(r"%(?P<flags>[-+ 0#]*)(?P<width>\d*)(?P<point>\.\d*)?(?P<verb>.?)", re.DOTALL)
FITS = {"bool": "tv", "int": "bcdoOqxXUv", "float64": "eEfFgGv", "string": "sqvxX"}
WIDEST = 1000
"""Characters of a width or a precision."""


def printf(form: Value, *arguments: Value) -> str:
    if not isinstance(form, str):
        raise TypeError("the form is text")
    rest = iter(arguments)
    text = VERB.sub(lambda verb: _verb(verb, rest), form)
    left = list(rest)
    extra = ", ".join("<nil>" if each is None else f"{kind(each)}={show(each)}" for each in left)
    return f"{text}%!(EXTRA {extra})" if left else text


def _verb(found: re.Match[str], rest: Iterator[Value]) -> str:
    verb = found["verb"]
    if verb in ("", "%"):
        return verb or "%!(NOVERB)"
    try:
        argument = next(rest)
    except StopIteration:
        return f"%!{verb}(MISSING)"
    width, point = int(found["width"][:9] or 0), found["point"]
    precision = None if point is None else int(point[1:][:9] or 0)
    if width > WIDEST or (precision or 0) > WIDEST:
        return f"%!({'BADWIDTH' if width > WIDEST else 'BADPREC'})"
    # As Go, which converts nothing; what holds others may show its text under any verb for text.
    if argument is None and verb != "v":
        return f"%!{verb}(<nil>)"
    right = verb in FITS.get(kind(argument), "sv")
    text = _formatted(verb if right else "v", argument, found["flags"], precision)
    text = _padded(text, found["flags"], width, argument)
    return text if right else f"%!{verb}({kind(argument)}={text})"


def _formatted(verb: str, argument: Value, flags: str, precision: int | None) -> str:
    if isinstance(argument, bool):
        return show(argument)
    if isinstance(argument, float):
        return _float(verb, argument, flags, precision)
    if isinstance(argument, int):
        return _int(verb, argument, flags)
    text = show(argument)
    text = text if precision is None or verb not in "sqv" else text[:precision]
    if verb == "q":
        return json.dumps(text, ensure_ascii=False)
    if verb in "xX":
        return text.encode().hex().upper() if verb == "X" else text.encode().hex()
    return text


def _float(verb: str, value: float, flags: str, precision: int | None) -> str:
    sign = "" if verb == "v" else "+" if "+" in flags else " " if " " in flags else ""
    if not math.isfinite(value):
        return go_float(value)
    if verb in "vgG" and precision is None:
        text = go_float(value)
        return (sign if not text.startswith("-") else "") + (text.upper() if verb == "G" else text)
    form = f"%{sign}{'#' if '#' in flags else ''}{'' if precision is None else f'.{precision}'}"
    return (form + ("g" if verb == "v" else verb)) % value


def _int(verb: str, value: int, flags: str) -> str:
    match verb:
        case "c":
            return chr(value) if 0 <= value < 0x110000 and not 0xD800 <= value < 0xE000 else "\ufffd"
        case "q":
            return f"'{_int('c', value, flags)}'"
        case "U":
            return f"U+{value:04X}"
        case "b":
            text = f"{value:b}"
        case "O":
            text = f"{value:#o}"
        case "o":
            text = f"{value:o}"
        case "x" | "X":
            text = f"{value:{'#' if '#' in flags else ''}{verb}}"
        case _:
            text = str(value)
    sign = "" if verb == "v" else "+" if "+" in flags else " " if " " in flags else ""
    return text if value < 0 else sign + text


def _padded(text: str, flags: str, width: int, argument: Value) -> str:
    if "-" in flags:
        return text.ljust(width)
    finite = not isinstance(argument, float) or math.isfinite(argument)
    if "0" in flags and isinstance(argument, int | float) and finite:
        return text.zfill(width)
    return text.rjust(width)


def print_(*values: Value) -> str:
    """A space between two of which neither is text."""
    text = ""
    for at, value in enumerate(values):
        apart = at > 0 and not isinstance(value, str) and not isinstance(values[at - 1], str)
        text += f"{' ' if apart else ''}{show(value)}"
    return text


def println(*values: Value) -> str:
    return " ".join(show(value) for value in values) + "\n"
