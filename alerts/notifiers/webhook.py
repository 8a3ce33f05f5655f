"""Webhook: a JSON body as Alertmanager sends it (version 4), so that what listens to Alertmanager listens to us.

Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

from pydantic import field_validator

from alerts.model import Alert, Labels
from alerts.notices import Notice, fingerprint
from alerts.notifier import Notifier, Request
from collectors.config import Config, Seconds, Secret, reveal

NEVER = "0001-01-01T00:00:00Z"


class Webhook(Config):
    url: Secret
    """Where to POST, http or https. Kept secret: many such addresses are the key themselves."""
    token: Secret | None = None
    """Sent as `Authorization: Bearer`."""
    token_file: Path | None = None
    """File with the token, instead of `token`; read at each message."""
    send_resolved: bool = True
    """Also tell when an alert is over."""
    timeout: Seconds = 10.0
    """How long to wait for the connection, and for the answer."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: Secret) -> Secret:
        at = urlsplit(url.reveal())
        if at.scheme not in ("http", "https") or not at.hostname:
            raise ValueError("expected an http:// or https:// address")
        return url


def render(notice: Notice, config: Webhook) -> Request:
    """OSError when `token_file` cannot be read."""
    return Request(config.url.reveal(), json=body(notice), bearer=reveal(config.token, config.token_file))


def body(notice: Notice) -> dict[str, Any]:
    return {
        "receiver": notice.receiver,
        "status": notice.status,
        "alerts": [_alert(alert, notice.external_url) for alert in notice.alerts],
        "groupLabels": dict(notice.group_labels),
        "commonLabels": _common([alert.labels for alert in notice.alerts]),
        "commonAnnotations": _common([alert.annotations for alert in notice.alerts]),
        "externalURL": notice.external_url,
        "version": "4",
        "groupKey": notice.group_key,
        "truncatedAlerts": 0,
    }


def _alert(alert: Alert, external_url: str) -> dict[str, Any]:
    return {
        "status": alert.state,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": stamp(alert.fired_at),
        "endsAt": stamp(alert.resolved_at if alert.state == "resolved" else None),
        "generatorURL": f"{external_url}/alerts?name={quote_plus(alert.name)}" if external_url else "",
        "fingerprint": fingerprint(alert.labels),
    }


def _common(all_labels: Sequence[Labels]) -> dict[str, str]:
    first, *others = all_labels
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def stamp(at: float | None) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    if at is None:
        return NEVER
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=round(at * 1000))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


NOTIFIER = Notifier("webhook", Webhook, render)
