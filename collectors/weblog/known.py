"""What was worked out once for a text and is looked up from then on; bounded, whatever the texts are."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

MOST = 8192
LONGEST = 300
"""Characters of a text that is kept."""


class Known(dict[str, T], Generic[T]):
    def __init__(self, work_out: Callable[[str], T]) -> None:
        super().__init__()
        self._work_out = work_out

    def __missing__(self, text: str) -> T:
        found = self._work_out(text)
        if len(text) <= LONGEST:
            if len(self) >= MOST:
                self.clear()
            self[text] = found
        return found
