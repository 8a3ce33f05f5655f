"""Exact words for what is wrong with a configuration: file, line, key, what was expected and what was found."""

from collections.abc import Mapping
from types import UnionType
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from agent import yaml_lines
from collectors.config import Config

SECRET_KEYS = frozenset(
    {"api_key", "credentials", "database", "key", "password", "routing_key", "token", "topic", "url", "value"}
)
"""Keys whose found value is never shown: an address may hold a password or be a key itself."""


def problems(error: ValidationError, document: yaml_lines.Document, file: str, model: type[Config]) -> list[str]:
    """One line for each, in the order of the file's lines."""
    found = []
    for problem in error.errors(include_url=False, include_context=False):
        place = tuple(problem["loc"])
        line, key = document.line(place), ".".join(str(step) for step in place)
        words = _words(problem["type"], problem["msg"], place, problem["input"], model)
        found.append((line, f"{file}:{line}: {key}: {words}"))
    return [text for _, text in sorted(found)]


def _words(kind: str, message: str, place: tuple[int | str, ...], found: Any, model: type[Config]) -> str:
    match kind:
        case "extra_forbidden":
            return f"unknown key; expected one of {', '.join(_known(model, place[:-1]))}"
        case "missing":
            return "expected a value, found none"
        case "tuple_type":
            message = "expected a list"
        case "string_type":
            message = "expected text"
        case "string_too_short":
            message = "expected some text"
        case "bool_parsing" | "bool_type":
            message = "expected true or false"
        case _:
            message = message.removeprefix("Value error, ").replace("Input should be ", "expected ")
    if "found" in message:
        return message
    key = next((step for step in reversed(place) if isinstance(step, str)), "")
    return f"{message}, found {shown(key, found)}"


def shown(key: str, found: Any) -> str:
    """What was found, unless it may be a secret."""
    if key in SECRET_KEYS:
        return "something else"
    if isinstance(found, Mapping | list | tuple):
        return "a list" if isinstance(found, list | tuple) else "keys with values"
    return "nothing" if found is None else repr(found)


def _known(model: type[Config], place: tuple[int | str, ...]) -> list[str]:
    """The keys that may stand at a place."""
    here: Any = model
    for step in place:
        if isinstance(here, type) and issubclass(here, Config):
            here = _field(here, str(step)).annotation
        else:  # a position in tuple[X, ...], a name in dict[str, X]
            here = _inside(here)
        if isinstance(here, UnionType):  # X | None
            here = _inside(here)
    return [field.alias or name for name, field in here.model_fields.items()]


def _field(model: type[Config], key: str) -> FieldInfo:
    """Some are called otherwise in Python, where the key is a word of its own."""
    return next(field for name, field in model.model_fields.items() if key in (name, field.alias))


def _inside(annotation: Any) -> type[Config]:
    return next(part for part in annotation.__args__ if isinstance(part, type) and issubclass(part, Config))
