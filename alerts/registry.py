"""Every notifier by name, in the order of the reference."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from alerts.notifier import Channel, Notifier

MODULES = {
    name: f"alerts.notifiers.{name}"
    for name in (
        "webhook", "alertmanager", "email", "slack", "mattermost", "teams", "pagerduty", "opsgenie", "ntfy", "apprise",
    )
}  # fmt: skip


def notifier(name: str) -> Notifier:
    """KeyError for a name that is not in MODULES."""
    found: Notifier = import_module(MODULES[name]).NOTIFIER
    return found


def channels(notify: Any) -> Iterator[Channel]:
    """Of the configuration's `notify`: a mapping of names to settings for each notifier."""
    for kind in MODULES:
        settings: Mapping[str, Any] = getattr(notify, kind)
        yield from (Channel(name, notifier(kind), each) for name, each in settings.items())
