"""What users feel of an incident at one moment, in requests, and what most of them are about."""

import logging
from collections.abc import Sequence

from alerts.asked import points
from alerts.incidents.catalogue import Offender, filled, offenders
from alerts.incidents.gather import LEAD_SECONDS, is_here
from alerts.incidents.model import Incident
from alerts.message.incident import amount
from alerts.message.units import number
from history.model import Point, QueryError, Source

log = logging.getLogger("raingauge.alerts.incidents")

ALL = "sum by (host, site) (rate(web_requests_total[2m]))"
FAILING = 'sum by (host, site) (rate(web_requests_total{status="5xx"}[2m]))'
SLOW = (
    "sum by (host, site) (rate(web_request_duration_seconds_count[2m]))"
    ' - sum by (host, site) (rate(web_request_duration_seconds_bucket{le=~"2|2[.]0"}[2m]))'
)
SLOW_WORDS = "longer than 2 s"
MOST_OF_EACH = 2


def impact(incident: Incident, source: Source, now: float) -> str:
    """`12 of 40 requests a second to shop.example fail, 9 take longer than 2 s`; says so where it is unknown."""
    try:
        return _impact(incident, source, now)
    except (QueryError, ValueError) as error:
        log.debug("incident=%d impact not asked: %s", incident.id, error)
        return "unknown: the history did not answer"


def _impact(incident: Incident, source: Source, now: float) -> str:
    place = incident.site or incident.host
    at = f"to {place}" if place else "here"
    asked = _sum(incident, source, ALL, now)
    if asked is None:
        return f"unknown: no access log says how many requests {at} there are"
    if asked == 0:
        before = _sum(incident, source, ALL, incident.began - LEAD_SECONDS)
        usual = f", {number(before)} a second before" if before else ""
        return f"no request {at} in the last 2 min{usual}"
    failing, slow = _sum(incident, source, FAILING, now) or 0.0, _sum(incident, source, SLOW, now) or 0.0
    if failing == 0:
        said = f"none of {number(asked)} requests a second {at} fails"
    else:
        said = f"{number(failing)} of {number(asked)} requests a second {at} fail"
    return f"{said}, {number(slow)} take {SLOW_WORDS}" if slow > 0 else said


def most(incident: Incident, source: Source, now: float) -> tuple[str, ...]:
    """The top offenders in words, the largest of each kind first."""
    return tuple(words for one in offenders() for words in _largest(one, incident, source, now))


def _largest(offender: Offender, incident: Incident, source: Source, now: float) -> list[str]:
    try:
        asked = _points(incident, source, offender.expr, now)
    except (QueryError, ValueError) as error:
        log.debug("incident=%d offender not asked: %s", incident.id, error)
        return []
    found = [point for point in asked if point.value > offender.least]
    found.sort(key=lambda point: (-point.value, sorted(point.labels.items())))
    return [
        filled(offender.words, point.labels, value=amount(point.value, offender.unit)) for point in found[:MOST_OF_EACH]
    ]


def _sum(incident: Incident, source: Source, expr: str, now: float) -> float | None:
    """None: nothing is known. A site's requests are counted once for each host that serves it."""
    found = [point.value for point in _points(incident, source, expr, now)]
    return sum(found) if found else None


def _points(incident: Incident, source: Source, expr: str, now: float) -> Sequence[Point]:
    return [point for point in points(source.query(expr, now)) if is_here(incident, point.labels)]
