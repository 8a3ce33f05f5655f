"""What whoever knows more than the alerts may add to a message: everything is optional."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    text: str
    url: str


@dataclass(frozen=True)
class Context:
    number: str = ""
    """The number against normal, for the first line: `p95 4.2 s, usual 0.6 s`."""
    symptom: str = ""
    """What users notice, in words."""
    impact: str = ""
    """What users feel as a number: `12 of 40 requests a second fail`; says so where it is unknown."""
    causes: tuple[str, ...] = ()
    """Likely causes, the likeliest first, each with its number; none is told as `no clear cause`."""
    changes: tuple[str, ...] = ()
    """Deploys, restarts, upgrades of the last hour."""
    offenders: tuple[str, ...] = ()
    """What most of it is about, each with its number."""
    evidence: tuple[str, ...] = ()
    """Lines of logs or lists, the most telling first."""
    series: tuple[float, ...] = ()
    """Recent values at equal steps, for the sparkline; NaN where there is none."""
    links: tuple[Link, ...] = ()
    chart_png: bytes = b""
    movers: tuple[str, ...] = ()
    """The series that moved most, each with its number and that of before."""
    command: str = ""
    """To run next."""
    incident: int | None = None
    """What the alerts are part of: messages with the same one are one thread where a channel has threads."""
    incident_title: str = ""
    """The same for each of them."""
