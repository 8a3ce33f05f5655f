"""What variables hold while settings are read, and how sure that is."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Key = str | int
Path = tuple[Key, ...]


@dataclass(frozen=True)
class Dynamic:
    """A value that only PHP could tell."""

    expression: str
    """As it stands in the file, shortened."""


Value = Any
"""None, bool, int, float, str, Dynamic, or a dict from keys to these: an array."""
UNKNOWN = Dynamic("")
DEEPEST = 60
LONGEST = 65_536  # characters


def key_of(value: Value) -> Key | None:
    """How PHP spells a key; None when we cannot know."""
    if value is None:
        return ""
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, str):
        whole = value.isascii() and value.removeprefix("-").isdigit() and len(value) < 20 and str(int(value)) == value
        return int(value) if whole and abs(int(value)) < 2**63 else value
    return None


def next_index(array: Mapping[Key, Value]) -> int | None:
    """Of `[]`; None where versions of PHP differ."""
    numbers = [key for key in array if isinstance(key, int)]
    highest = max(numbers, default=-1)
    return None if numbers and highest < 0 else highest + 1


class TooLong(Exception):
    """It goes on for longer than any settings file."""


def all_known(value: Value) -> bool:
    return all(map(all_known, value.values())) if isinstance(value, dict) else not isinstance(value, Dynamic)


class Memory:
    """TooLong when it would hold more than any settings file says."""

    def __init__(self, variables: Mapping[str, Value], room: int = 300_000) -> None:
        self._room = room
        self.variables: dict[Key, Value] = {name: self._copied(value) for name, value in variables.items()}
        self.constants: dict[str, Value] = {}
        self.conditional: set[Path] = set()
        """Places whose last assignment stands where we cannot tell whether it is reached."""
        self.doubt = 0
        """Above 0: we cannot tell whether this is reached."""
        self.dead = 0
        """Above 0: this is certainly not reached."""

    @contextmanager
    def when(self, reached: bool | None) -> Iterator[None]:
        """None: nobody knows."""
        self.dead += reached is False
        self.doubt += reached is None
        try:
            yield
        finally:
            self.dead -= reached is False
            self.doubt -= reached is None

    def pay(self, value: Value) -> None:
        """TooLong when too many values have been looked at."""
        waiting = [value]
        while waiting:
            self._room -= 1
            if self._room < 0:
                raise TooLong
            each = waiting.pop()
            if isinstance(each, dict):
                waiting.extend(each.values())

    def _copied(self, value: Value, depth: int = 0) -> Value:
        if depth > DEEPEST:
            return UNKNOWN
        return (
            {key: self._copied(inner, depth + 1) for key, inner in value.items()} if isinstance(value, dict) else value
        )

    def read(self, path: Path) -> Value:
        """None where nothing is set, UNKNOWN where we cannot be sure."""
        if path[0] not in self.variables or self._doubtful(path):
            return UNKNOWN
        return self._at(path)

    def _at(self, path: Path) -> Value:
        value: Value = self.variables
        for key in path:
            if isinstance(value, Dynamic):
                return UNKNOWN
            if not isinstance(value, dict):
                return None if value is None else UNKNOWN
            value = value.get(key)
        return value

    def _is_set(self, path: Path) -> bool:
        parent = self._at(path[:-1]) if len(path) > 1 else self.variables
        return isinstance(parent, dict) and path[-1] in parent

    def _doubtful(self, path: Path) -> bool:
        return any(path[: len(at)] == at or at[: len(path)] == path for at in self.conditional)

    def assign(self, path: Path, value: Value) -> None:
        if self.dead:
            return
        self.pay(value)
        value = self._copied(value)
        if self.doubt:
            before = self._at(path)
            same = self._is_set(path) and before == value and type(before) is type(value)
            if not (same and all_known(value)):
                self.conditional.add(path)
        else:
            self.conditional = {at for at in self.conditional if at[: len(path)] != path}
        self._put(path, value)

    def _put(self, path: Path, value: Value) -> None:
        array = self.variables
        for key in path[:-1]:
            inner = array.get(key)
            if inner is None:
                inner = array[key] = {}
            if not isinstance(inner, dict):
                array[key] = Dynamic(inner.expression if isinstance(inner, Dynamic) else "")
                return
            array = inner
        array[path[-1]] = value

    def append(self, path: Path, value: Value) -> None:
        array = self._at(path)
        self._room -= len(array) // 16 if isinstance(array, dict) else 0
        index = next_index(array) if isinstance(array, dict) else 0 if array is None else None
        if index is None or (self._doubtful(path) and not self.doubt):
            self.assign(path, UNKNOWN)
        else:
            self.assign((*path, index), value)

    def forget(self, path: Path, expression: str = "") -> None:
        """From now on we do not know it."""
        if not self.dead:
            self.conditional = {at for at in self.conditional if at[: len(path)] != path}
            self._put(path, Dynamic(expression))

    def forget_all(self) -> None:
        for name in list(self.variables):
            self.forget((name,))

    def unset(self, path: Path) -> None:
        parent = self._at(path[:-1]) if len(path) > 1 else self.variables
        if self.dead:
            return
        if self.doubt:
            self.conditional.add(path)
        elif isinstance(parent, dict):
            parent.pop(path[-1], None)
            if len(path) == 1:
                parent[path[-1]] = None
