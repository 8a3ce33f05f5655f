"""So many expressions that people typed are evaluated at once: the other threads of the server stay for the pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from history.model import QueryError

AT_ONCE = 4
"""Half of agent.serving.THREADS."""
PATIENCE = 0.5  # seconds; enough for a burst of quick ones, and who waits holds a thread
slots = BoundedSemaphore(AT_ONCE)


@contextmanager
def slot() -> Iterator[None]:
    """QueryError where slow ones have all of them."""
    if not slots.acquire(timeout=PATIENCE):
        raise QueryError("timeout", f"{AT_ONCE} other queries are still being evaluated: try again in a moment")
    try:
        yield
    finally:
        slots.release()
