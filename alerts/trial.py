"""A message that tries a channel: it says that it is a test and that nothing is wrong."""

from alerts.model import Alert
from alerts.notices import Notice
from alerts.notifier import Channel

TEST = "RaingaugeTest"


def trial(host: str, channel: Channel, external_url: str, now: float, *, resolved: bool = False) -> Notice:
    """`now` is Unix seconds."""
    labels = {"alertname": TEST, "host": host, "severity": "info", "channel": channel.name}
    annotations = {
        "summary": f"{host}: this is a test of the channel {channel.name}, nothing is wrong",
        "description": "Somebody asked for it. Alerts will look like this.",
    }
    began = now - 60
    alert = Alert(labels, annotations, "firing", 1.0, active_at=began, fired_at=began, last_true=now, seen=now)
    if resolved:
        alert = Alert(labels, annotations, "resolved", 1.0, active_at=began, fired_at=began, resolved_at=now)
    group = {name: labels[name] for name in ("alertname", "host")}
    return Notice(channel.name, group, (alert,), external_url, at=now, id=f"test.{now:.3f}")
