"""A channel's circuit breaker: after some failures in a row only one try at a time, until one works. Pure.

It is not stored. After a restart it is what the tries in the outbox say.
"""

from collections.abc import Iterable
from dataclasses import dataclass

OPENS_AFTER = 5
"""Failures in a row, of whichever messages."""


@dataclass(frozen=True)
class Breaker:
    failures: int = 0
    """In a row."""
    until: float = 0.0
    """Unix seconds before which nothing is tried."""
    away: bool = False
    """The last failure was of the receiver alone: all is tried in the order it came."""

    @property
    def is_open(self) -> bool:
        return self.failures >= OPENS_AFTER

    def failed(self, now: float, wait: float, asked: float = 0.0, away: bool = False) -> "Breaker":
        """`asked`: seconds that the receiver wants quiet, of all messages."""
        failures = self.failures + 1
        pause = wait if failures >= OPENS_AFTER else min(asked, wait)
        return Breaker(failures, now + pause if pause > 0 else 0.0, away)


def remembered(tries: Iterable[tuple[int, float]]) -> Breaker:
    """From the waiting messages' (attempts, next try). A message that alone is refused looks like a receiver that is
    away, at worst for the one minute until the next try."""
    failing = [(attempts, next_try) for attempts, next_try in tries if attempts > 0]
    failures = max((attempts for attempts, _ in failing), default=0)
    return Breaker(failures, min(at for _, at in failing) if failures >= OPENS_AFTER else 0.0)
