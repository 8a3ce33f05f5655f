"""Where we are in the tokens, and what the variables there stand for."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from collectors.inventory.php.memory import UNKNOWN, Key, Memory, Path, TooLong, Value, key_of
from collectors.inventory.php.tokens import Token, tokens

BY_WEB_SERVER = re.compile(
    r"(HTTP|REQUEST|SERVER|REMOTE|SCRIPT|PATH|PHP|CONTENT|GATEWAY|REDIRECT|ORIG|AUTH|DOCUMENT|FCGI|QUERY)_.*|HTTPS|USER"
    r"|HOME|argv|argc"
)


class NotRead(Exception):
    """It is written in a way that we do not read: skip the statement."""


@dataclass
class World:
    """What there is beside the text itself."""

    texts: Mapping[str, str]
    environment: Mapping[str, str]
    complete: bool
    """A name that is not in the environment is certainly not set."""
    inside: Callable[[str], bool]
    """Whether a file belongs to the site."""
    steps: int
    """How many tokens may still be read."""
    wanted: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    included: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    """Variables that functions may change, whenever they are called."""


@dataclass(frozen=True)
class Place:
    """What an assignment may go to: a path, or something that is not one."""

    path: Path | None
    root: str = ""
    """The variable that it is in, whatever follows."""
    append: bool = False


class Cursor:
    def __init__(self, path: str, memory: Memory, world: World, depth: int) -> None:
        self.path = path
        self.text = world.texts[path]
        self.tokens = tokens(self.text)
        self.memory = memory
        self.world = world
        self.depth = depth
        """How many files include this one."""
        self.at = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def next(self) -> Token:
        self.world.steps -= 1
        if self.world.steps < 0:
            raise TooLong
        token = self.tokens[self.at]
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def sees(self, *texts: str) -> bool:
        return self.token.kind in ("mark", "name") and self.token.text in texts

    def takes(self, *texts: str) -> bool:
        if self.sees(*texts):
            self.next()
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.takes(text):
            raise NotRead

    @property
    def following(self) -> Token:
        return self.tokens[min(self.at + 1, len(self.tokens) - 1)]

    def place(self) -> Place:
        """A variable with its keys."""
        if self.takes("$"):
            return self._named()
        root = self.next().text
        path: list[Key] | None = [root]
        while self.takes("["):
            if self.takes("]"):
                return Place(tuple(path) if path else None, root, append=True)
            key = key_of(self.expression())
            self.expect("]")
            path = [*path, key] if path is not None and key is not None else None
        if path and path[0] == "GLOBALS":
            path = path[1:] or None
        return Place(tuple(path) if path else None, root)

    def _named(self) -> Place:
        """A variable whose name is in another one."""
        if self.takes("{"):
            name = self.expression()
            self.expect("}")
        elif self.token.kind != "variable":
            raise NotRead
        else:
            inner = self.place()
            name = self.read(inner.path) if inner.path else UNKNOWN
        return Place((name,), name) if isinstance(name, str) and name.isidentifier() else Place(None, "")

    def read(self, path: Path) -> Value:
        name, keys = path[0], path[1:]
        if name in ("_ENV", "_SERVER") and len(keys) == 1 and name not in self.memory.variables:
            variable = str(keys[0])
            if name == "_SERVER" and BY_WEB_SERVER.fullmatch(variable):
                return UNKNOWN
            return self.world.environment.get(variable, None if self.world.complete else UNKNOWN)
        return UNKNOWN if str(name).startswith("_") and str(name).isupper() else self.memory.read(path)

    def forget(self, place: Place, expression: str = "") -> None:
        if place.path is not None:
            self.memory.forget(place.path, expression)
        elif place.root and place.root != "GLOBALS":
            self.memory.forget((place.root,), expression)
        else:
            self.memory.forget_all()

    def store(self, place: Place, value: Value) -> None:
        if place.path is None:
            self.forget(place)
        elif place.append:
            self.memory.append(place.path, value)
        else:
            self.memory.assign(place.path, value)

    def expression(self, least: int = 0) -> Value:
        raise NotImplementedError
