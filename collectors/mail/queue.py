"""What waits in the queue, counted by its files.

Postfix writes into a file's times when it will try again, and Exim writes files anew; so a message's age is that of its
file's making, or in its name. Source: https://www.postfix.org/QSHAPE_README.html
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypedDict

from collectors.errors import Absent, Denied
from collectors.mail.config import Mail
from collectors.model import Gauge, Sample
from collectors.sources.spool import File, born, files

QUEUES = ("maildrop", "incoming", "active", "deferred", "hold", "corrupt")
"""Postfix's."""
MOST = 100_000
MOST_HEADERS = 1000
FROZEN = b"\n-frozen "
ID = re.compile(r"([0-9A-Za-z]{6})-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}-[HD]")
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

MESSAGES = Gauge("mail_queue_messages", f"Messages that wait, by queue; {MOST} stands for more.", ("queue",))
BYTES = Gauge("mail_queue_bytes", "Bytes of the messages that wait, by queue.", ("queue",))
OLDEST = Gauge(
    "mail_queue_oldest_timestamp_seconds", "When the oldest message of the queue came in, in Unix time.", ("queue",)
)
FROZEN_MESSAGES = Gauge("mail_queue_frozen_messages", "Messages that Exim has given up on, and keeps.")
FAMILIES = (MESSAGES, BYTES, OLDEST, FROZEN_MESSAGES)


class Queue(TypedDict):
    messages: int
    bytes: int
    oldest: float | None
    """Unix seconds; None: empty, or not known."""


class Payload(TypedDict):
    queues: dict[str, Queue]
    frozen: int | None


def read(config: Mail) -> Payload:
    if config.server == "exim":
        return _exim(Path(config.spool))
    found = {}
    for name in QUEUES:
        try:
            found[name] = _counted(islice(files(Path(config.spool, name)), MOST))
        except Absent:  # `corrupt` and `hold` may be missing
            continue
    if not found:
        raise Absent(f"{config.spool} has no queue of Postfix")
    return {"queues": found, "frozen": None}


def _counted(found: Iterable[File]) -> Queue:
    messages = total = 0
    oldest = None
    for file in found:
        messages += 1
        total += file.size
        if (since := born(file.path)) is not None:
            oldest = min(since, oldest or since)
    return {"messages": messages, "bytes": total, "oldest": oldest}


def _exim(spool: Path) -> Payload:
    """Two files a message: -H has its envelope, -D its body."""
    messages = total = 0
    oldest = None
    headers = []
    for file in islice(files(spool / "input"), 2 * MOST):
        if not (named := ID.fullmatch(file.name)):
            continue
        total += file.size
        if file.name.endswith("-H"):
            messages += 1
            oldest = min(since := _since(named[1]), oldest or since)
            headers.append(file.path)
    frozen = None if messages > MOST_HEADERS else _frozen(headers)
    return {"queues": {"input": {"messages": min(messages, MOST), "bytes": total, "oldest": oldest}}, "frozen": frozen}


def _since(text: str) -> float:
    """The first part of a message's name: Unix seconds in base 62."""
    seconds = 0
    for digit in text:
        seconds = seconds * len(DIGITS) + DIGITS.index(digit)
    return float(seconds)


def _frozen(headers: Iterable[str]) -> int | None:
    """None where we may not read them."""
    try:
        return sum(FROZEN in start for start in map(_start, headers))
    except Denied:
        return None


def _start(path: str) -> bytes:
    """The lines that tell are before the addresses."""
    try:
        with Path(path).open("rb") as file:
            return file.read(2000)
    except FileNotFoundError:  # delivered meanwhile
        return b""
    except PermissionError as error:
        raise Denied(f"{path}: permission denied") from error


def parse(payload: Payload) -> Iterator[Sample]:
    for name, queue in payload["queues"].items():
        yield MESSAGES(queue["messages"], name)
        yield BYTES(queue["bytes"], name)
        if queue["oldest"] is not None:
            yield OLDEST(queue["oldest"], name)
    if payload["frozen"] is not None:
        yield FROZEN_MESSAGES(payload["frozen"])
