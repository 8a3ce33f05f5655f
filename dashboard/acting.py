"""What people do to alerts on pages: acknowledge, silence, end a silence. Forms; each answer leads back to the page."""

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from alerts import silences
from alerts.desk import Desk
from alerts.desk import Standing as Known
from alerts.matchers import Matcher
from alerts.silences import Silence, UnknownSilence
from dashboard.caller import note
from dashboard.login import who
from dashboard.services import services

HOURS = (1, 4, 24)
"""How long a page offers to be silent."""
NAMES = ("alertname", "host", "instance", "site", "job")
"""Labels that a silence of a page takes from its alert: the others, a pool's name or a number, may change."""

blueprint = Blueprint("acting", __name__)


@blueprint.post("/alerts/<key>/acknowledge")
def acknowledge(key: str) -> ResponseReturnValue:
    desk, now = _desk(), services().clock()
    alert, comment = _firing(desk, key).alert, request.form.get("comment", "").strip()
    silences.acknowledge(desk.engine, alert, who(), now=now, until=now + _seconds(), comment=comment[:500])
    note(f"acknowledged {alert.name}")
    return _back(key)


@blueprint.post("/alerts/<key>/silence")
def silence(key: str) -> ResponseReturnValue:
    desk, now = _desk(), services().clock()
    labels = _firing(desk, key).alert.labels
    matchers = tuple(Matcher(name, "=", labels[name]) for name in NAMES if labels.get(name))
    comment = request.form.get("comment", "").strip()[:500] or "silenced on the dashboard"
    silences.post(desk.engine, Silence(matchers, now, now + _seconds(), who(), comment), now)
    note(f"silenced {', '.join(map(str, matchers))}")
    return _back(key)


@blueprint.post("/silences/<key>/end")
def end(key: str) -> ResponseReturnValue:
    desk = _desk()
    try:
        silences.expire(desk.engine, key, services().clock())
    except UnknownSilence:
        abort(404)
    note(f"ended the silence {key}")
    return redirect(f"{url_for('alerts.alerts')}#silences", 303)


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
