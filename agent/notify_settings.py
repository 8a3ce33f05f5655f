"""The key `notify` of the configuration: a key for each notifier, beside routes and what they need."""

from typing import Any, Self

from pydantic import Field, create_model, model_validator

from alerts import registry as notifiers
from alerts.path.settings import RoutingSettings
from collectors.config import Config


class _EachNameOnce(RoutingSettings):
    @model_validator(mode="after")
    def _check_names(self) -> Self:
        kind_of: dict[str, str] = {}
        for kind in notifiers.MODULES:
            for name in getattr(self, kind):
                if name in kind_of:
                    raise ValueError(f"expected each name once, found {name!r} under {kind_of[name]} and {kind}")
                kind_of[name] = kind
        return self


def _notify_model() -> type[Config]:
    """A key for each notifier, with its channels by name."""
    fields: dict[str, Any] = {}
    for name in notifiers.MODULES:
        notifier = notifiers.notifier(name)
        settings: Any = notifier.config
        about = f"{notifier.about}, by a name of your choice."
        fields[name] = (dict[str, settings], Field(default_factory=dict, description=about))
    made: type[Config] = create_model("Notify", __base__=_EachNameOnce, **fields)
    return made


NotifySettings = _notify_model()
