"""The labelled lines of tests/data/attacks/logins.tsv, and how many of them are read right."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from collectors.security.authlines import fact
from collectors.security.syslog import entry

FILE = Path(__file__).parents[1] / "data" / "attacks" / "logins.tsv"
NOW = 1764000000.0  # 24 November 2025, 16:00 UTC


class Login(NamedTuple):
    at: float
    service: str
    result: str
    account: str
    source: str
    times: int


def labelled() -> Iterator[tuple[str, Login | None]]:
    """Line -> what it says; None: nothing of a login."""
    for row in FILE.read_text("utf-8").splitlines()[1:]:
        when, service, result, account, source, times, line = row.split("\t", 6)
        at = datetime.fromisoformat(when).timestamp()
        said = Login(at, service, result, account.strip("-"), source.strip("-"), int(times))
        yield line, None if service == "-" else said


def told(line: str) -> Login | None:
    found = entry(line, NOW, 0.0)
    said = fact(found) if found else None
    if found is None or said is None:
        return None
    return Login(found.at, said.service, said.result, said.account, said.source, found.times)


def row(line: str, now: float, zone: float) -> str:
    """All that is read of a line but the key, which is another in each capture; "": nothing."""
    found = entry(line, now, zone)
    said = fact(found) if found else None
    if found is None or said is None:
        return ""
    when = datetime.fromtimestamp(found.at, UTC).isoformat()
    read = (said.service, said.result, said.account, said.source, said.method, said.target)
    return "\t".join((when, *(each or "-" for each in read), str(found.times))) + "\n"


def wrong() -> list[tuple[str, Login | None, Login | None]]:
    return [(line, expected, told(line)) for line, expected in labelled() if told(line) != expected]
