"""Webhook: a JSON body as Alertmanager sends it (version 4), so that what listens to Alertmanager listens to us.

Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from alerts.message.links import generator_url
from alerts.message.words import stamp
from alerts.model import Alert, Labels
from alerts.notices import Notice, fingerprint
from alerts.notifier import ChannelSettings, Notifier, Request, SecretUrl
from collectors.config import Secret, reveal


class Webhook(ChannelSettings):
    url: SecretUrl
    """Where to POST, http or https. Kept secret: many such addresses are the key themselves."""
    token: Secret | None = None
    """Sent as `Authorization: Bearer`."""
    token_file: Path | None = None
    """File with the token, instead of `token`; read at each message."""


def render(notice: Notice, config: Webhook) -> Request:
    """OSError when `token_file` cannot be read."""
    bearer = reveal(config.token, config.token_file)
    return Request(config.url.reveal(), json=body(notice), bearer=bearer, headers={"Idempotency-Key": key(notice)})


def key(notice: Notice) -> str:
    """The same at each try of a message, after a restart too, so that a receiver can drop what it took already."""
    return sha256(f"{notice.group_key}\n{notice.id}".encode()).hexdigest()[:32]


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
        "notification_reason": notice.reason,
        "truncatedAlerts": 0,
    }


def _alert(alert: Alert, external_url: str) -> dict[str, Any]:
    return {
        "status": alert.state,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": stamp(alert.fired_at),
        "endsAt": stamp(alert.resolved_at if alert.state == "resolved" else None),
        "generatorURL": generator_url(alert, external_url),
        "fingerprint": fingerprint(alert.labels),
    }


def _common(all_labels: Sequence[Labels]) -> dict[str, str]:
    first, *others = all_labels
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


NOTIFIER = Notifier("webhook", Webhook, "Addresses that get each alert as Alertmanager sends it", render)
