"""A runbook: what an alert means, how to confirm it and what to do; shipped with the rules, readable offline."""

import re
from dataclasses import dataclass

from flask import Blueprint, Response, abort

from alerts import runbooks
from dashboard.asked import answer, remembering, view
from dashboard.services import Services
from dashboard.shell import Shell, View, shell

OTHER = re.compile("`raingauge runbook ([A-Za-z0-9]+)`")
"""On a page the command that shows another runbook is a link to it."""

blueprint = Blueprint("runbook", __name__)


@dataclass(frozen=True)
class RunbookPage:
    """What runbook.html may use, and what the page returns as JSON."""

    shell: Shell
    name: str
    text: str
    """Markdown."""


def build(services: Services, asked: View, name: str) -> RunbookPage:
    text = OTHER.sub(r"[\1](\1)", runbooks.page(name))
    return RunbookPage(shell(services, asked, "Alerts"), name, text)


@blueprint.get("/runbooks/<name>")
def runbook(name: str) -> Response:
    if name not in runbooks.names():
        abort(404)
    return answer("runbook.html", build(remembering(), view(), name))
