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
        Written(".".join(key), _text(value, configuration.given(*key)), configuration.place(*key))
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


def _text(value: Any, given: Any) -> str:
    """As the file says it. A list of more than plain values is only counted, as its items may have secrets."""
    if isinstance(value, Secret):
        return HIDDEN
    if isinstance(given, dict) or (isinstance(given, list) and any(isinstance(each, dict | list) for each in given)):
        return f"{len(given)} {'entry' if len(given) == 1 else 'entries'}"
    if isinstance(given, list):
        return redact(", ".join(map(str, given)))
    return redact("yes" if given is True else "no" if given is False else str(given))
