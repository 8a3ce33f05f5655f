"""For a receiver that forgets what it is not told again: the whole state, at each change and every so often.

As Prometheus tells Alertmanager: firing alerts as long as they fire, resolved ones for 15 minutes more. It groups,
silences and repeats by itself, so nothing of that happens here.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from alerts import state
from alerts.model import Alert
from alerts.notices import Notice, Told, fingerprint, group_key
from alerts.notifier import Channel

RESOLVED_SECONDS = 900.0
WHOLE = group_key({})
"""The one group that all alerts are in."""


def push(
    connection: Connection, channel: Channel, alerts: Iterable[Alert], now: float, *, resend: float, external_url: str
) -> int:
    """Put the state into the outbox if it is time; how many messages that is. `resend`: seconds."""
    told = state.told(connection, channel.name).get(WHOLE)
    spoken_of = current(alerts, told, now)
    words = {f"{fingerprint(alert.labels)} {alert.state}" for alert in spoken_of}
    if not spoken_of:
        if told is not None:
            state.withdraw(connection, channel.name, WHOLE)
        return 0
    if told is not None and words <= told.firing and 0 <= now - told.at < resend:
        return 0
    state.tell(connection, Notice(channel.name, {}, tuple(spoken_of), external_url), now)
    state.remember(connection, channel.name, WHOLE, words, now)
    return 1


def current(alerts: Iterable[Alert], told: Told | None, now: float) -> Sequence[Alert]:
    """What fires, and what ended lately; while the receiver is away, whatever ended meanwhile."""
    away = told is not None and told.waiting
    # Where two rules give the same labels, the one that fires counts.
    by_print = {fingerprint(alert.labels): alert for alert in sorted(alerts, key=lambda a: a.state == "firing")}
    return [
        alert
        for alert in by_print.values()
        if alert.state == "firing"
        or (alert.resolved_at is not None and (away or now - alert.resolved_at <= RESOLVED_SECONDS))
    ]
