"""Alerts and channels for tests."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from alerts.model import Alert
from alerts.notifier import Channel
from alerts.notifiers.webhook import NOTIFIER, Webhook
from alerts.pipeline import tell_channels
from history.database import open_database

T = 1_700_000_000.0


def alert(name: str = "Broken", state: Any = "firing", host: str = "web1", **labels: str) -> Alert:
    return Alert(
        labels={"alertname": name, "host": host, "severity": "warning", **labels},
        annotations={"summary": f"{host} is broken"},
        state=state,
        value=1.0,
        active_at=T - 60,
        fired_at=None if state == "pending" else T,
        resolved_at=T + 30 if state == "resolved" else None,
    )


def webhook(url: str = "http://127.0.0.1:1/", name: str = "ops", **options: Any) -> Channel:
    return Channel(name, NOTIFIER, Webhook.model_validate({"url": url, **options}))


def database(state: Path) -> Engine:
    return open_database(state)


def tell(engine: Engine, channel: Channel, *alerts: Alert, now: float = T) -> int:
    with engine.begin() as connection:
        return tell_channels(connection, [channel], alerts, now)
