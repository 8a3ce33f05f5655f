"""What people do on pages: acknowledge and silence alerts, or all of an incident; end a silence; close an event; note.

Forms; each answer leads back to the page.
"""

from collections.abc import Sequence

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from alerts import silences
from alerts.desk import Desk
from alerts.desk import Standing as Known
from alerts.incidents import store
from alerts.incidents.model import Incident
from alerts.matchers import Matcher
from alerts.model import Alert
from alerts.notices import fingerprint
from alerts.silences import Silence, UnknownSilence
from dashboard import caller
from dashboard.login import who
from dashboard.services import services
from history import open_events

HOURS = (1, 4, 24)
"""How long a page offers to be silent."""
NAMES = ("alertname", "host", "instance", "site", "job")
"""Labels that a silence of a page takes from its alert: the others, a pool's name or a number, may change."""

blueprint = Blueprint("acting", __name__)


@blueprint.post("/alerts/<key>/acknowledge")
def acknowledge(key: str) -> ResponseReturnValue:
    desk = _desk()
    alert = _firing(desk, key).alert
    _acknowledge(desk, alert)
    return _back(key)


@blueprint.post("/alerts/<key>/silence")
def silence(key: str) -> ResponseReturnValue:
    desk = _desk()
    alert = _firing(desk, key).alert
    _silence(desk, alert)
    return _back(key)


@blueprint.post("/silences/<key>/end")
def end(key: str) -> ResponseReturnValue:
    desk = _desk()
    try:
        silences.expire(desk.engine, key, services().clock())
    except UnknownSilence:
        abort(404)
    caller.note(f"ended the silence {key}")
    return redirect(f"{url_for('alerts.alerts')}#silences", 303)


@blueprint.post("/events/close")
def close() -> ResponseReturnValue:
    """Of the security page; 404 for an event that is not open any more."""
    note = request.form.get("note", "").strip() or "closed on the dashboard"
    with _desk().engine.begin() as connection:
        if not open_events.close(connection, request.form.get("id", ""), services().clock(), who(), note):
            abort(404)
    caller.note(f"closed the event {request.form.get('id', '')[:100]}")
    return redirect(url_for("security.security", site=request.form.get("site") or None), 303)


@blueprint.post("/incidents/<int:number>/acknowledge")
def acknowledge_all(number: int) -> ResponseReturnValue:
    desk = _desk()
    for alert in firing(desk, _incident(desk, number)):
        _acknowledge(desk, alert)
    return _to_incident(number)


@blueprint.post("/incidents/<int:number>/silence")
def silence_all(number: int) -> ResponseReturnValue:
    desk = _desk()
    for alert in firing(desk, _incident(desk, number)):
        _silence(desk, alert)
    return _to_incident(number)


@blueprint.post("/incidents/<int:number>/notes")
def note(number: int) -> ResponseReturnValue:
    desk = _desk()
    text = request.form.get("text", "").strip()[: store.MOST_NOTE]
    if not text:
        return _to_incident(number)
    _incident(desk, number)
    with desk.engine.begin() as connection:
        store.add_note(connection, number, who(), text, services().clock())
    return _to_incident(number)


def firing(desk: Desk, incident: Incident) -> Sequence[Alert]:
    """Those of its alerts that fire now."""
    members = {fingerprint(member.labels) for member in incident.alerts if member.until is None}
    return [each.alert for each in desk.standings() if each.fingerprint in members]


def _incident(desk: Desk, number: int) -> Incident:
    with desk.engine.connect() as connection:
        return store.incident(connection, number) or abort(404)


def _to_incident(number: int) -> ResponseReturnValue:
    return redirect(f"{url_for('incident.incident', number=number)}#people", 303)


def _acknowledge(desk: Desk, alert: Alert) -> None:
    now, comment = services().clock(), request.form.get("comment", "").strip()[:500]
    silences.acknowledge(desk.engine, alert, who(), now=now, until=now + _seconds(), comment=comment)
    caller.note(f"acknowledged {alert.name}")


def _silence(desk: Desk, alert: Alert) -> None:
    now, comment = services().clock(), request.form.get("comment", "").strip()[:500] or "silenced on the dashboard"
    matchers = tuple(Matcher(name, "=", alert.labels[name]) for name in NAMES if alert.labels.get(name))
    silences.post(desk.engine, Silence(matchers, now, now + _seconds(), who(), comment), now)
    caller.note(f"silenced {', '.join(map(str, matchers))}")


def _desk() -> Desk:
    return services().desk or abort(404)


def _firing(desk: Desk, key: str) -> Known:
    """404 for an alert that does not fire any more."""
    return next((each for each in desk.standings() if each.fingerprint == key), None) or abort(404)


def _seconds() -> float:
    hours = request.form.get("hours", "")
    return 3600.0 * (int(hours) if hours in map(str, HOURS) else HOURS[1])


def _back(key: str) -> ResponseReturnValue:
    return redirect(f"{url_for('alerts.alerts')}#{key}", 303)
