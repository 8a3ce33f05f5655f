"""JSON that a server sent and that may have any shape: what is missing or of another kind is None."""

import json
import math
import re
from typing import Any

from collectors.errors import ParseError

SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
"""Half a character, which no text can hold."""


def json_object(text: str, what: str) -> dict[str, Any]:
    """ParseError, which says that `what` was expected, for anything but one JSON object."""
    try:
        found = json.loads(SURROGATE.sub(r"\\ufffd", text))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ParseError(f"expected {what} as JSON, found {text[:80]!r}")
    return found


def inside(tree: Any, *keys: str) -> Any:
    """The value below these keys; None when it is not there."""
    for key in keys:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(key)
    return tree


def objects(tree: Any, *keys: str) -> dict[str, Any]:
    """The object below these keys; an empty one when it is not there."""
    found = inside(tree, *keys)
    return found if isinstance(found, dict) else {}


def number(value: Any, least: float = 0) -> float | None:
    """None for what is no finite number, and for one below `least`, by which a server says that it does not know."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) and found >= least else None
