"""From states to the outbox: group, decide, write. In the caller's transaction, so that nothing is told unsaved."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from alerts import state
from alerts.model import Alert
from alerts.notices import GROUP_BY, Notice, Told, decide, fingerprint, group
from alerts.notifier import Channel
from alerts.pushing import push


def tell_channels(
    connection: Connection, channels: Sequence[Channel], alerts: Iterable[Alert], now: float, external_url: str = ""
) -> int:
    """Put into the outbox what each channel has to hear now; how many messages that is."""
    alerts = list(alerts)
    messages = 0
    for channel in channels:
        heard = [alert for alert in alerts if channel.hears(alert)]
        if channel.resend is not None:
            messages += push(connection, channel, heard, now, resend=channel.resend, external_url=external_url)
            continue
        groups = group(heard, GROUP_BY)
        told = state.told(connection, channel.name)
        for key, (labels, members) in groups.items():
            spoken_of = decide(members, told.get(key), now, channel.settings.send_resolved)
            if spoken_of:
                state.tell(connection, Notice(channel.name, labels, spoken_of, external_url), now)
                messages += 1
        for key, before in told.items():
            _settle(connection, channel, key, before, groups[key][1] if key in groups else [])
    return messages


def _settle(connection: Connection, channel: Channel, key: str, before: Told, members: Sequence[Alert]) -> None:
    """Forget what ended without a word, so that it is news when it comes again."""
    firing = {fingerprint(alert.labels) for alert in members if alert.state == "firing"}
    left = before.firing & firing
    if left == before.firing or state.told(connection, channel.name)[key] != before:
        return
    if left:
        state.remember(connection, channel.name, key, left, before.at)
    else:
        state.forget(connection, channel.name, key)
