"""What the configuration file sets, for the settings' page: each key with its place, and never a secret."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from agent.configuration import Configuration
from alerts.message.redact import redact
from collectors.config import Secret
from dashboard.services import Written

HIDDEN = "set, not shown"


def written(configuration: Configuration) -> tuple[Written, ...]:
    """In the order of the model."""
    return tuple(
        Written(".".join(map(str, key)), _text(value), configuration.place(*key))
        for key, value in _set(configuration, ())
        if configuration.place()
    )


def _set(model: BaseModel, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name in type(model).model_fields:
        if name in model.model_fields_set:
            value = getattr(model, name)
            if isinstance(value, BaseModel):
                yield from _set(value, (*above, name))
            else:
                yield (*above, name), value


def _text(value: Any) -> str:
    """A list of more than plain values is only counted: its items have places and secrets of their own."""
    if isinstance(value, Secret):
        return HIDDEN
    if isinstance(value, tuple | list | dict):
        plain = not isinstance(value, dict) and all(isinstance(each, str | int | float) for each in value)
        many = f"{len(value)} {'entry' if len(value) == 1 else 'entries'}"
        return redact(", ".join(map(str, value))) if plain and value else many
    return redact("yes" if value is True else "no" if value is False else str(value))
