"""The sentence at the top of the overview: what is wrong, since when, what to do first; or that nothing is."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from alerts.model import Alert
from collectors.model import Finding, TargetStatus
from dashboard import trouble
from dashboard.alert_cards import card, headline
from dashboard.incident_cards import IncidentCard
from dashboard.layers import Cell, Layer
from dashboard.moments import Zone, ago, span
from dashboard.steps import Step, steps

SEVERITIES = ("critical", "warning")
LOOKS = ("crit", "warn", "info")
STOPPED = """\
Running: systemctl status raingauge
Why it ended: journalctl -u raingauge -n 50
Room to write: df -h"""


@dataclass(frozen=True)
class Verdict:
    state: str
    """crit, warn, info (somebody has it), none (we do not know) or ok."""
    lead: str
    why: str
    since: float | None  # Unix seconds
    steps: tuple[Step, ...]
    also: tuple[str, ...]
    """What else is to be known, a sentence each."""
    alert: str
    """The alert's name; "" when the verdict is none."""
    incident: str = ""
    """Path of the incident that it is about; "" when it is about none."""


@dataclass(frozen=True)
class Known:
    """What the verdict is made from."""

    alerts: Sequence[Alert]
    targets: Sequence[TargetStatus]
    findings: Sequence[Finding]
    freshness: str
    last_sample: float | None  # Unix seconds
    now: float  # Unix seconds
    zone: Zone
    layers: Sequence[Layer] = ()
    unreachable: str = ""
    """Why the history does not answer; "" when it does."""
    incidents: Sequence[IncidentCard] = ()
    """The open ones."""
    central: bool = False
    """Of other hosts than the one that the pages come from."""


def verdict(known: Known) -> Verdict:
    firing = [alert for alert in known.alerts if alert.state == "firing" and alert.severity in SEVERITIES]
    firing.sort(key=lambda alert: (SEVERITIES.index(alert.severity), alert.fired_at or alert.active_at))
    if known.unreachable:
        return _unreachable(known, firing)
    if known.freshness == "starting":
        return _starting(known)
    if known.freshness == "stale":
        return _stale(known, firing)
    if known.incidents:
        return _incidents(known)
    return _firing(known, firing) if firing else _quiet(known)


def _incidents(known: Known) -> Verdict:
    taken = [card for card in known.incidents if card.held]
    waiting = sorted((card for card in known.incidents if not card.held), key=_worst)
    return _incident(known, waiting, len(taken)) if waiting else _taken(known, taken)


def _worst(card: IncidentCard) -> tuple[int, float]:
    return LOOKS.index(card.look), card.since


def _incident(known: Known, waiting: Sequence[IncidentCard], taken: int) -> Verdict:
    worst, others = waiting[0], waiting[1:]
    where = f"On {worst.where}. " if worst.where else ""
    cause = f"First cause: {worst.cause}." if worst.cause else "No clear cause was found."
    also = [f"Also: {card.symptom}." for card in others[:2]]
    if len(others) > 2:
        also.append(f"{_count(len(others) - 2, 'more incident')}.")
    also += (
        [f"{_count(taken, 'other incident')} {'has' if taken == 1 else 'have'} been taken already."] if taken else []
    )
    lead = f"{worst.symptom}, for {span(known.now - worst.since)}"
    return Verdict(worst.look, lead, f"{where}{cause}", worst.since, (), tuple(also), "", worst.path)


def _taken(known: Known, taken: Sequence[IncidentCard]) -> Verdict:
    """What somebody has is no news, and still no health."""
    lead = f"{_count(len(taken), 'incident')}, and somebody has {'it' if len(taken) == 1 else 'them'}"
    also = [f"{card.held[:1].upper()}{card.held[1:]}." for card in taken[:3]]
    why = f"{taken[0].symptom}, for {span(known.now - taken[0].since)}."
    return Verdict("info", lead, why, taken[0].since, (), tuple(also), "", taken[0].path)


def _starting(known: Known) -> Verdict:
    return Verdict(
        "none", f"Starting: {'the first hosts are' if known.central else 'this host is'} being read for the first time",
        "The first charts are here within a few seconds. This page loads them by itself.",
        None, (), tuple(_unread(known)), "",
    )  # fmt: skip


def _unreachable(known: Known, firing: Sequence[Alert]) -> Verdict:
    also = [f"{_count(len(firing), 'alert')} fired when it was last read."] if firing else []
    why = f"{known.unreachable}. Rules are not evaluated and nothing can be charted."
    return Verdict(
        "none", "The history does not answer: whether all is well, nobody knows", why, None, (), tuple(also), ""
    )


def _stale(known: Known, firing: Sequence[Alert]) -> Verdict:
    last = known.last_sample
    when = f"The last sample is from {known.zone.full(last)}. " if last else ""
    lead = f"Nothing has been measured for {span(known.now - last)}" if last else "Nothing has been measured for a day"
    also = [f"{_count(len(firing), 'alert')} fired when the last sample came."] if firing else []
    why = f"{when}What is shown below is the past; whether it is still true, nobody knows."
    return Verdict("none", lead, why, None, steps(STOPPED), tuple(also), "")


def _firing(known: Known, firing: Sequence[Alert]) -> Verdict:
    worst, others = card(firing[0]), firing[1:]
    also = [f"Also: {headline(alert)}." for alert in others[:2]]
    if len(others) > 2:
        also.append(f"{_count(len(others) - 2, 'more alert')} on the alerts page.")
    if worst.missing_since is not None:
        also.insert(0, f"Its data has been missing for {span(known.now - worst.missing_since)}: it may be over.")
    why = f"{worst.where}, for {span(known.now - worst.since)}. {worst.description}".strip()
    return Verdict(worst.look, worst.summary, why, worst.since, worst.steps, tuple(also), worst.name)


def _quiet(known: Known) -> Verdict:
    bad = [status for status in trouble.ordered(known.targets) if trouble.failing(status)]
    pending = [alert for alert in known.alerts if alert.state == "pending" and alert.severity in SEVERITIES]
    also = [f"{trouble.name(status)} {trouble.words(status)}." for status in bad[:3]]
    also += [f"Pending: {headline(alert)}." for alert in pending[:2]]
    also += _context(known)
    last = f"Last check {ago(known.now - known.last_sample)}" if known.last_sample else "Last check unknown"
    watched = [status for status in known.targets if status not in bad]
    checked = f"{last}. {_count(len(watched), 'target')} watched"
    why = f"{checked}, no alert is firing."
    odd = _odd(known, {status.slug for status in bad})
    also = [*(f"{name}: {cell.value}, {cell.note}.".replace(", .", ".") for name, cell in odd[:3]), *also]
    if bad:
        rest = f"{len(odd)} more {_are(len(odd))} not healthy" if odd else "everything else is healthy"
        lead = f"{_count(len(bad), 'target')} cannot be read; {rest}"
        return Verdict("warn", lead, why, None, (), tuple(also), "")
    if odd:
        degraded = any(cell.state != "none" for _, cell in odd)
        how = "not healthy" if degraded else "without data"
        lead = f"No alert is firing, but {_count(len(odd), 'target')} {_are(len(odd))} {how}"
        return Verdict("warn" if degraded else "none", lead, why, None, (), (*also, *_unread(known)), "")
    if pending:
        lead = f"No alert is firing, {len(pending)} {_are(len(pending))} pending"
        return Verdict("warn", lead, f"{checked}.", None, (), (*also, *_unread(known)), pending[0].name)
    return Verdict("ok", "Everything that is watched is healthy", why, None, (), (*also, *_unread(known)), "")


def _odd(known: Known, said: Container[str]) -> list[tuple[str, Cell]]:
    """What the layers show as other than healthy, with its name, beside the targets that were said already."""
    return [
        (f"{layer.name} {cell.target}".rstrip(), cell)
        for layer in known.layers
        for cell in layer.cells
        if cell.state != "ok" and not cell.pending and cell.slug not in said
    ]


def _context(known: Known) -> Iterable[str]:
    for alert in known.alerts:
        if alert.state == "firing" and alert.severity not in SEVERITIES:
            yield f"{headline(alert)}."


def _unread(known: Known) -> Iterable[str]:
    if known.findings:
        things = _count(len(known.findings), "thing")
        yield f"{things} on this host cannot be read yet; below is the line that allows it."


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
