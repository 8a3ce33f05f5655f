"""A look that is dear enough to be had seldom, for followers, which look each second."""

from collections.abc import Callable
from time import time as clock
from typing import Any

from collectors.config import Config
from collectors.errors import Absent, CollectError

LOOK_SECONDS = 60.0
FAILED: dict[tuple[str, Config], tuple[float, Exception]] = {}
"""When something could not be read, and why: it is not asked each second who lets nobody in."""

Look = Callable[[Any, Any, float], tuple[Any, Any]]
"""(config, cursor, now) -> (what is new, the cursor after it, which holds `looked`)"""


def seldom(name: str, look: Look, seconds: float = LOOK_SECONDS) -> Callable[[Any, Any], tuple[Any, Any]]:
    """A follower's `read`, of which a look is had no sooner than so long after the one before."""

    def read(config: Config, cursor: Any) -> tuple[Any, Any]:
        now = clock()
        if cursor is not None and 0 <= now - cursor["looked"] < seconds:
            return None, cursor
        place = (name, config)
        failed = FAILED.get(place)
        if failed and 0 <= now - failed[0] < LOOK_SECONDS:
            raise failed[1].with_traceback(None)
        try:
            found = look(config, cursor, now)
        except (CollectError, Absent, OSError) as error:
            error.__cause__ = error.__context__ = None  # frames that would be kept with it
            FAILED[place] = (now, error.with_traceback(None))
            raise
        FAILED.pop(place, None)
        return found

    read.__module__ = look.__module__  # whose definition it is
    return read
