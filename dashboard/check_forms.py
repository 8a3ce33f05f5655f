"""What people do to checks on their page: add one, remove one that was added."""

from flask import Blueprint, abort, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from collectors.config import seconds
from dashboard.added_checks import AddedCheck
from dashboard.asked import answer, remembering, view
from dashboard.caller import note
from dashboard.pages import checks
from dashboard.pages.checks import CheckFields
from dashboard.services import services

blueprint = Blueprint("check_forms", __name__)


@blueprint.post("/checks")
def add() -> ResponseReturnValue:
    look_again = services().look_again or abort(404)
    names = ("name", "url", "interval", "expect_status", "pattern")
    sent = CheckFields(**{name: request.form.get(name, "").strip() for name in names})
    try:
        services().checks.add(_check(sent))
    except ValueError as error:
        page = checks.build(remembering(), view(), str(error), sent)
        return make_response(answer("checks.html", page), 400)
    note(f"check {sent.name} of {sent.url} added")
    look_again()
    return redirect(f"{url_for('checks.page')}#checks", 303)


@blueprint.post("/checks/remove")
def remove() -> ResponseReturnValue:
    look_again = services().look_again or abort(404)
    if not services().checks.remove(request.form.get("name", "")):
        abort(404)
    note(f"check {request.form.get('name', '')} removed")
    look_again()
    return redirect(f"{url_for('checks.page')}#checks", 303)


def _check(sent: CheckFields) -> AddedCheck:
    status = sent.expect_status
    if status and not (status.isdecimal() and len(status) == 3):
        raise ValueError(f"expected a status such as 200, found {status!r}")
    text = sent.interval
    interval = float(text) if text.isdecimal() and len(text) < 6 else seconds(text)
    return AddedCheck(sent.name, sent.url, float(interval), int(status) if status else None, sent.pattern)
