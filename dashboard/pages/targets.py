"""The targets: what is watched, how each read went, and what cannot be read, with the line that allows it."""

from dataclasses import dataclass

from flask import Blueprint, Response

from collectors.model import Finding, PartStatus, TargetStatus
from dashboard import trouble, units
from dashboard.asked import answer, remembering, view
from dashboard.moments import span
from dashboard.services import Services
from dashboard.shell import Shell, View, shell
from dashboard.tiers import TierRow, kept

LOOKS = {"ok": "ok", "absent": "ok", "waiting": "none", "unreachable": "crit", "timeout": "crit"}
"""Of a part, by its outcome; anything else is a read that was refused or not understood."""

blueprint = Blueprint("targets", __name__)


@dataclass(frozen=True)
class PartRow:
    name: str
    look: str
    words: str
    error: str
    interval: str
    duration: str
    last_success: float | None  # Unix seconds
    samples: int


@dataclass(frozen=True)
class TargetRow:
    state: str
    name: str
    words: str
    job: str
    instance: str
    host: str
    elsewhere: bool
    """Of another host, whose Raingauge reads it."""
    labels: tuple[tuple[str, str], ...]
    """Beside job, instance and host."""
    found: str
    remedy: str
    """Shown where a read is refused."""
    slug: str
    """Its page is /metrics/<job>/<slug> on the exporter's address."""
    samples: int
    parts: tuple[PartRow, ...]


@dataclass(frozen=True)
class TargetsPage:
    """What targets.html may use, and what the page returns as JSON."""

    shell: Shell
    targets: tuple[TargetRow, ...]
    """The worst first."""
    healthy: int
    samples: int
    findings: tuple[Finding, ...]
    blind: tuple[str, ...]
    kept: tuple[TierRow, ...]
    """What is kept of the history."""
    room: str
    damaged: tuple[str, ...]


def build(services: Services, asked: View) -> TargetsPage:
    statuses = trouble.ordered(services.watched.targets())
    holding = services.holding()
    rows = tuple(_target(status) for status in statuses)
    return TargetsPage(
        shell=shell(services, asked, "Targets"),
        targets=rows,
        healthy=sum(row.state == "ok" for row in rows),
        samples=sum(row.samples for row in rows),
        findings=tuple(services.watched.findings()),
        blind=tuple(services.watched.blind()),
        kept=kept(holding),
        room=f"{units.text(holding.used, 'bytes')} of {units.text(holding.most, 'bytes')}" if holding else "",
        damaged=holding.damaged if holding else (),
    )


def _target(status: TargetStatus) -> TargetRow:
    target = status.target
    refused = any(part.outcome in ("denied", "unsupported") for part in status.parts)
    return TargetRow(
        state=trouble.state(status),
        name=trouble.name(status),
        words=trouble.words(status),
        job=target.job,
        instance=target.instance,
        host=target.host,
        elsewhere=status.elsewhere,
        labels=tuple(target.extra),
        found=trouble.origin(status),
        remedy=status.remedy if refused else "",
        slug=status.slug,
        samples=sum(part.samples for part in status.parts),
        parts=tuple(_part(part) for part in status.parts),
    )


def _part(part: PartStatus) -> PartRow:
    return PartRow(
        name=part.part,
        look=LOOKS.get(part.outcome, "warn"),
        words=trouble.WORDS.get(part.outcome, part.outcome),
        error=part.error,
        interval=span(part.interval),
        duration=units.text(part.duration, "seconds") if part.duration is not None else "",
        last_success=part.last_success,
        samples=part.samples,
    )


@blueprint.get("/targets")
def targets() -> Response:
    return answer("targets.html", build(remembering(), view()))
