"""What became of an alert on its way to people: who was told, who was not and why, what was decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alerts.desk import Desk
from alerts.desk import Standing as Known
from alerts.silences import SAID, Silence

MOST_DECISIONS = 8
SHOWN_SECONDS = 86400.0
"""Silences that ended within it are still shown."""


@dataclass(frozen=True)
class Told:
    receiver: str
    since: float | None  # Unix seconds; None: nobody was told yet
    words: str


@dataclass(frozen=True)
class Decided:
    t: float  # Unix seconds
    words: str


@dataclass(frozen=True)
class Standing:
    held_by: str
    """Why nobody is told; "" if they are."""
    told: tuple[Told, ...]
    decisions: tuple[Decided, ...]
    """The newest first."""


@dataclass(frozen=True)
class SilenceRow:
    id: str
    said: str
    """silenced, acknowledged or in maintenance."""
    state: str
    """active, pending or expired."""
    matchers: str
    author: str
    comment: str
    starts: float  # Unix seconds
    ends: float  # Unix seconds


def standings(desk: Desk | None) -> Mapping[str, Standing]:
    """Of firing alerts, by fingerprint."""
    if desk is None:
        return {}
    return {known.fingerprint: _standing(known, desk) for known in desk.standings()}


def _standing(known: Known, desk: Desk) -> Standing:
    receivers = tuple(dict.fromkeys((*known.receivers, *known.told)))
    decided = desk.decisions(known.fingerprint)[:MOST_DECISIONS]
    return Standing(
        known.held_by,
        tuple(_told(receiver, known) for receiver in receivers),
        tuple(Decided(each.at, f"{each.receiver} {each.decision}: {each.reason}") for each in decided),
    )


def _told(receiver: str, known: Known) -> Told:
    if receiver not in known.told:
        return Told(receiver, None, "not told yet" if not known.held_by else f"not told: {known.held_by}")
    words = "sent, no answer of the channel yet" if receiver in known.undelivered else "took the message"
    return Told(receiver, known.told[receiver], words)


def silences(desk: Desk | None, now: float) -> tuple[SilenceRow, ...]:
    """Active and to come, then those that ended within a day."""
    if desk is None:
        return ()
    rows = [_row(each, now) for each in desk.silences(ends_after=now - SHOWN_SECONDS)]
    return tuple(sorted(rows, key=lambda row: (row.state == "expired", row.ends)))


def _row(silence: Silence, now: float) -> SilenceRow:
    matchers: Sequence[str] = [str(each) for each in silence.matchers]
    return SilenceRow(
        silence.id, SAID[silence.kind], silence.state(now), ", ".join(matchers), silence.author, silence.comment,
        silence.starts, silence.ends,
    )  # fmt: skip
