"""Security: what happened, how it is known, and what happened around it; attempts are counted, not told one by one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, request

from collectors.model import Event
from collectors.weblog.attacks.families import WORDS
from dashboard import trouble, units
from dashboard.asked import answer, remembering, view
from dashboard.host_facts import points
from dashboard.marks import state_of
from dashboard.services import Services
from dashboard.shell import Shell, View, shell
from dashboard.site_tables import Line, Table
from history.model import Source

KIND = "security."
UNSEEN = "Neither access logs nor logins are read on this host, so attacks are not seen."
MOST_EVENTS, MOST_AROUND, MOST_ROWS, MOST_EVIDENCE = 50, 8, 20, 6
AROUND_SECONDS = 900.0
RANK = {"critical": 0, "warning": 1, "info": 2}

blueprint = Blueprint("security", __name__)


@dataclass(frozen=True)
class Near:
    """Something that happened within a quarter of an hour of it."""

    t: float  # Unix seconds
    look: str
    title: str


@dataclass(frozen=True)
class Telling:
    id: str
    look: str
    """crit, warn or info."""
    kind: str
    title: str
    site: str
    first: float  # Unix seconds
    last: float  # Unix seconds
    count: int
    evidence: tuple[Mapping[str, str], ...]
    near: tuple[Near, ...]
    is_open: bool
    """It is an alert until somebody closes it."""


@dataclass(frozen=True)
class SecurityPage:
    """What security.html may use, and what the page returns as JSON."""

    shell: Shell
    site: str
    """Only events of this site are shown; "" for all."""
    sites: tuple[str, ...]
    """That events of the span name."""
    telling: tuple[Telling, ...]
    """Above info; open ones first, then the worst, then the newest."""
    waiting: int
    """Of them, and of those left out, that are open."""
    left_out: int
    unwatched: str
    """Why it means nothing that nothing was found; "" where it does."""
    noted: tuple[Near, ...]
    """Of info: context, and attempts that led nowhere."""
    attempts: Table


def build(services: Services, asked: View, site: str = "") -> SecurityPage:
    happened = services.events.events(asked.shown.start - AROUND_SECONDS, asked.shown.end)
    found = [each for each in happened if each.kind.startswith(KIND) and each.last >= asked.shown.start]
    mine = [each for each in found if site in ("", each.site)]
    telling = sorted((each for each in mine if RANK[each.severity] < RANK["info"]), key=_rank)
    at = asked.tick(services.interval) if asked.shown.live else asked.shown.end
    around_it = shell(services, asked, "Security")
    seeing = {each.target.job for each in services.watched.targets() if trouble.state(each) in ("ok", "warn")}
    return SecurityPage(
        shell=around_it,
        site=site,
        sites=tuple(sorted({each.site for each in found if each.site})),
        telling=tuple(_telling(each, happened) for each in telling[:MOST_EVENTS]),
        waiting=sum(each.state == "open" for each in telling),
        left_out=len(telling[MOST_EVENTS:]),
        unwatched=around_it.silent or ("" if {"web", "security"} & seeing else UNSEEN),
        noted=tuple(_near(each) for each in mine if each.severity == "info")[:MOST_ROWS],
        attempts=_attempts(services.source, site, asked.shown.seconds, at, read="web" in seeing),
    )


def _rank(event: Event) -> tuple[bool, int, float]:
    return event.state != "open", RANK[event.severity], -event.last


def _telling(event: Event, happened: Sequence[Event]) -> Telling:
    return Telling(
        event.id,
        state_of(event.severity),
        _words(event.kind.removeprefix(KIND)),
        event.title,
        event.site,
        event.first,
        event.last,
        event.count,
        event.evidence[-MOST_EVIDENCE:],
        tuple(_near(each) for each in around(event, happened)),
        event.state == "open",
    )


def _words(found: str) -> str:
    """Of the class of an attack, or of what changed on the host."""
    return WORDS.get(found, found.replace("_", " "))


def around(event: Event, happened: Iterable[Event]) -> list[Event]:
    """What else happened on the site or the host as a whole, the nearest first to be kept, in the order of time."""
    near = [
        each
        for each in happened
        if each.id != event.id
        and (not event.site or each.site in ("", event.site))
        and event.first - AROUND_SECONDS <= each.last
        and each.first <= event.last + AROUND_SECONDS
    ]
    near.sort(key=lambda each: abs(each.first - event.first))
    return sorted(near[:MOST_AROUND], key=lambda each: each.first)


def _near(event: Event) -> Near:
    return Near(event.first, state_of(event.severity), event.title)


def _attempts(source: Source, site: str, seconds: float, at: float, *, read: bool) -> Table:
    """By class: attempts, blocked, suspected success; and what the site's logins came to."""
    range_ = f"[{max(60, round(seconds))}s]"
    rows: dict[str, dict[str, float]] = {}
    for name, label in (("security_requests_total", "class"), ("security_logins_total", "")):
        by = f"{label}, outcome, site" if label else "result, site"
        for point in points(source, f"sum by ({by}) (increase({name}{range_}))", at):
            labels = point.labels
            if site in ("", labels.get("site")):
                row = rows.setdefault(_words(labels.get("class", "logins")), {})
                outcome = OUTCOMES.get(labels.get("outcome") or labels.get("result", ""), "")
                row[outcome] = row.get(outcome, 0.0) + point.value
    lines = [_line(name, of) for name, of in rows.items() if sum(of.values()) >= 1]
    lines.sort(key=lambda line: -(line.share or 0))
    highest = max((line.share or 0 for line in lines), default=1) or 1
    shown = tuple(Line(each.name, "", (each.share or 0) / highest, each.cells) for each in lines[:MOST_ROWS])
    title, lead = "Attempts", "requests that look like an attack"
    none = "No request looked like an attack in this time." if read else "No access log is read."
    head = ("Class", "led nowhere", "blocked", "may have succeeded")
    return Table("attempts", title, lead, head, shown, len(lines[MOST_ROWS:]), "" if shown else none)


OUTCOMES = {"attempt": "attempt", "failed": "attempt", "blocked": "blocked", "success_suspected": "success"}
"""Outcome of a request, or result of a login, to its column; a login that succeeded is none."""


def _line(name: str, of: Mapping[str, float]) -> Line:
    values = [float(round(of.get(column, 0.0))) for column in ("attempt", "blocked", "success")]
    return Line(name, "", sum(values), tuple(units.text(value, "count") for value in values))


@blueprint.get("/security")
def security() -> Response:
    return answer("security.html", build(remembering(), view("site"), request.args.get("site", "")))
