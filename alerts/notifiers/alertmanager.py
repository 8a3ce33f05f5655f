"""Alertmanager's API v2, told as Prometheus tells it: at each change, and again as long as it lasts.

Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml, POST /alerts
A 400 may have accepted the other alerts of the message; it is not repeated, the next message has them all again.
"""

import base64
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from alerts.message.links import generator_url
from alerts.message.words import stamp
from alerts.model import Alert
from alerts.notices import Notice
from alerts.notifier import ChannelSettings, Notifier, Request, SecretUrl
from collectors.config import Seconds, Secret, reveal

VALID_INTERVALS = 4
"""Intervals without a word after which Alertmanager takes a firing alert as over."""


class Alertmanager(ChannelSettings):
    url: SecretUrl
    """Its address, with its path prefix if it has one: `http://127.0.0.1:9093`."""
    username: str = ""
    """For basic authentication; with a password."""
    password: Secret | None = None
    """For basic authentication."""
    password_file: Path | None = None
    """File with the password, instead of `password`; read at each message."""
    token: Secret | None = None
    """Sent as `Authorization: Bearer`."""
    token_file: Path | None = None
    """File with the token, instead of `token`; read at each message."""
    resend: Annotated[Seconds, Field(ge=5, le=3600)] = 60.0
    """Time between two messages while nothing changes. After four of them in silence Alertmanager ends the alerts."""

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        has_password = self.password is not None or self.password_file is not None
        if bool(self.username) != has_password:
            raise ValueError("expected username and password together, found one of them")
        if has_password and (self.token is not None or self.token_file is not None):
            raise ValueError("expected a password or a token, found both")
        return self


def render(notice: Notice, settings: Alertmanager) -> Request:
    """OSError when a file of a secret cannot be read."""
    url = f"{settings.url.reveal().rstrip('/')}/api/v2/alerts"
    told = [alert for alert in notice.alerts if settings.send_resolved or alert.state == "firing"]
    body = [_alert(alert, notice, settings.resend) for alert in told]
    password = reveal(settings.password, settings.password_file)
    if password is None:
        return Request(url, body, reveal(settings.token, settings.token_file))
    basic = base64.b64encode(f"{settings.username}:{password}".encode()).decode()
    return Request(url, body, headers={"Authorization": f"Basic {basic}"})


def _alert(alert: Alert, notice: Notice, resend: float) -> dict[str, Any]:
    over = alert.resolved_at if alert.state == "resolved" else notice.at + VALID_INTERVALS * resend
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": stamp(alert.fired_at),
        "endsAt": stamp(over),
        "generatorURL": generator_url(alert, notice.external_url),
    }


def _resend(settings: Alertmanager) -> float:
    return settings.resend


ABOUT = "Alertmanagers, which group, silence and route by themselves"
NOTIFIER = Notifier("alertmanager", Alertmanager, ABOUT, render, resend=_resend)
