"""Whether the clock that people read still goes with the one that nobody sets."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from collectors.model import Event

LEAST_SECONDS = 30.0
PASSING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the host sleeps; where there is none, a sleep is told as a clock that was set."""


@dataclass(frozen=True)
class Jump:
    seconds: float
    """Positive: the clock was set on, or the host slept."""
    slept: bool

    def event(self, host: str, now: float) -> Event:
        words = "The host slept for" if self.slept else f"The clock was set {'on' if self.seconds > 0 else 'back'} by"
        return Event(
            id=f"clock_jump:{host}:{now:.0f}", kind="clock_jump", severity="info", host=host, site="", first=now,
            last=now, count=1, title=f"{words} {abs(self.seconds):.0f} s", dedup_key=f"clock_jump:{host}",
            state="closed", source="alerts",
        )  # fmt: skip


class Jumps:
    """`running` stands still while the host sleeps, `passing` does not; neither is ever set."""

    def __init__(
        self,
        running: Callable[[], float] = time.monotonic,
        passing: Callable[[], float] = lambda: time.clock_gettime(PASSING),
    ) -> None:
        self._running = running
        self._passing = passing
        self._last: tuple[float, float, float] | None = None

    def since_last(self, now: float) -> Jump | None:
        """Since it was asked last; `now` is Unix seconds."""
        here = (now, self._running(), self._passing())
        before, self._last = self._last or here, here
        wall, running, passing = (after - earlier for after, earlier in zip(here, before, strict=True))
        if abs(wall - running) <= LEAST_SECONDS:
            return None
        return Jump(wall - running, slept=abs(wall - passing) <= LEAST_SECONDS)
