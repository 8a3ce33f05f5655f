"""Whatever Apprise knows and we do not: `pip install 'raingauge[apprise]'`.

Source: https://github.com/caronc/apprise
It runs in a process of its own, which is ended when the time is over: its plugins wait and sleep as they like, and its
libraries cost no memory between two messages. The address goes through a pipe, never through arguments.
A chart that the receiver does not take is left out.
"""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Self

from pydantic import model_validator

from alerts.message.build import build
from alerts.message.text import text
from alerts.message.words import cut
from alerts.notices import Notice
from alerts.notifier import Answer, ChannelSettings, Notifier, one_of
from collectors.config import Secret, reveal

PROGRAM = """
import base64, json, sys, tempfile
try:
    import apprise
except ImportError:
    sys.exit(3)
asked = json.load(sys.stdin)
to = apprise.Apprise()
if not to.add(asked["url"]):
    sys.exit(4)
with tempfile.NamedTemporaryFile(suffix=".png") as chart:
    chart.write(base64.b64decode(asked["chart"]))
    chart.flush()
    done = to.notify(
        body=asked["body"], title=asked["title"], notify_type=asked["type"], body_format="text",
        attach=chart.name if asked["chart"] else None,
    )
sys.exit(0 if done else 5)
"""
REFUSED = 5
MEANINGS = {
    3: "the package apprise is not installed: pip install 'raingauge[apprise]'",
    4: "Apprise does not know such an address",
    5: "the receiver did not accept it",
}
TYPES = {"critical": "failure", "error": "failure", "warning": "warning"}
LONGEST = 8000


class Apprise(ChannelSettings):
    url: Secret | None = None
    """Apprise's address of the receiver, such as `tgram://TOKEN/CHAT`, which holds its keys."""
    url_file: Path | None = None
    """File with the address, instead of `url`; read at each message."""

    @model_validator(mode="after")
    def _an_address(self) -> Self:
        one_of(self.url, self.url_file, "url")
        return self


def request(notice: Notice, settings: Apprise) -> dict[str, str]:
    """What Apprise is asked. OSError when `url_file` cannot be read."""
    message = build(notice)
    kind = "success" if message.status == "resolved" else TYPES.get(message.severity, "info")
    body = cut(text(message), LONGEST)
    chart = base64.b64encode(message.context.chart_png if message.context else b"").decode()
    url = reveal(settings.url, settings.url_file) or ""
    return {"url": url, "title": message.title, "body": body, "type": kind, "chart": chart}


def send(notice: Notice, settings: Apprise) -> Answer:
    """TimeoutError when it is not done in time: the process is ended."""
    asked = request(notice, settings)
    try:
        code = _run(asked, settings.timeout)
    except TimeoutError:
        if not asked["chart"]:
            raise
        code = REFUSED
    if code == REFUSED and asked["chart"]:
        code = _run({**asked, "chart": ""}, settings.timeout)
    meaning = MEANINGS.get(code, "" if code == 0 else "Apprise failed")
    return Answer(code, text=meaning, protocol="Apprise", meaning="done" if code == 0 else "retry")


def _run(asked: dict[str, str], seconds: float) -> int:
    command = [sys.executable, "-P", "-c", PROGRAM]
    try:
        done = subprocess.run(  # noqa: S603  fixed text; the address comes through the pipe
            command, input=json.dumps(asked).encode(), timeout=seconds, check=False, cwd="/",
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"Apprise was not done within {seconds:g} s") from None
    return done.returncode


NOTIFIER = Notifier("apprise", Apprise, "Receivers of Apprise, for what has no key of its own here", send=send)
