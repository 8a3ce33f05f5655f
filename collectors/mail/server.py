"""Whether the daemon runs that delivers what is in the queue.

Its port is not tried: each try would be a line in the mail log. Source: https://www.postfix.org/master.8.html
"""

import re
from collections.abc import Iterable
from typing import TypedDict

from collectors.mail.config import Mail
from collectors.model import Gauge, Sample
from collectors.sources.processes import processes

UP = Gauge("mail_up", "1 when the daemon that delivers mail runs.")
FAMILIES = (UP,)
NAMES = {"postfix": "master", "exim": "exim"}
TITLES = {"postfix": re.compile(r"\S*/postfix/(s?bin/)?master\b"), "exim": re.compile(r"\S*\bexim4? .*-bd\b")}


class Payload(TypedDict):
    server: str
    titles: list[str]
    """Of processes that have the daemon's name."""


def read(config: Mail) -> Payload:
    titles = [process.title for process in processes(named=NAMES[config.server])]
    return {"server": config.server, "titles": titles}


def parse(payload: Payload) -> Iterable[Sample]:
    yield UP(any(is_daemon(payload["server"], title) for title in payload["titles"]))


def is_daemon(server: str, title: str) -> bool:
    return server in TITLES and bool(TITLES[server].match(title))
