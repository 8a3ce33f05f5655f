"""Looks that are rarer than a follower's: the cursor holds when the last one was."""

import time
from typing import Any


def due(cursor: Any, seconds: float) -> bool:
    """Also when the clock was set back."""
    return cursor is None or not 0 <= time.time() - cursor["at"] < seconds
