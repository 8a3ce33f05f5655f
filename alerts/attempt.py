"""One try to send a notice to one channel: what the receiver answered or what went wrong, and never a secret."""

import errno
import http.client
import socket
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from alerts.message.redact import HIDDEN, redact
from alerts.message.words import cut
from alerts.notices import Notice
from alerts.notifier import Answer, Channel, Request, Settings
from alerts.post import post, retry_after_seconds
from collectors.config import Secret

Outcome = Literal["done", "retry", "permanent", "bug"]
"""retry: the receiver is ill or away; bug: ours, which says nothing about the receiver."""
UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH)
NOBODY_THERE = (429, 502, 503, 504)
"""What a proxy answers, or a receiver that is shut."""
SHORTEST = 4
"""Characters of a part of an address that may be a key."""


@dataclass(frozen=True)
class Attempt:
    outcome: Outcome
    words: str
    """What the receiver answered, or what went wrong."""
    retry_after: float = 0.0
    """Seconds that the receiver wants us to wait."""
    away: bool = False
    """No receiver is there at all, whatever the message: nothing is learned by trying another one."""

    @property
    def error(self) -> str:
        return "" if self.outcome == "done" else self.words


def attempt(channel: Channel, notice: Notice, now: float, send: Callable[[Request, float], Answer] = post) -> Attempt:
    try:
        answer = _sent(channel, notice, send)
    except OSError as error:
        away = isinstance(error, ConnectionRefusedError | socket.gaierror) or error.errno in UNREACHABLE
        return Attempt("retry", hidden(f"{type(error).__name__}: {error}", channel.settings), away=away)
    except http.client.HTTPException as error:
        return Attempt("retry", type(error).__name__)  # its text may hold the address
    except Exception as error:  # noqa: BLE001  the delivery boundary: a bug in one notifier stays there
        return Attempt("bug", place(error))
    wait = retry_after_seconds(answer.retry_after, now) if answer.verdict == "retry" else 0.0
    return Attempt(answer.verdict, hidden(str(answer), channel.settings), wait, answer.status in NOBODY_THERE)


def _sent(channel: Channel, notice: Notice, send: Callable[[Request, float], Answer]) -> Answer:
    notifier, settings = channel.notifier, channel.settings
    if notifier.send is not None:
        return notifier.send(notice, settings)
    assert notifier.render is not None
    request = notifier.render(notice, settings)
    if request.plain is None:
        return send(request, settings.timeout)
    try:
        answer = send(request, settings.timeout)
    except (BrokenPipeError, ConnectionResetError, TimeoutError):  # one that is too large may be cut off, or wait
        return send(request.plain, settings.timeout)
    return answer if answer.verdict == "done" else send(request.plain, settings.timeout)


def hidden(text: str, settings: Settings) -> str:
    """Without the channel's secrets, and without what looks like one."""
    for secret in sorted(set(_secrets(settings)), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return cut(" ".join(redact(text).split()), 200)


def _secrets(settings: Settings) -> Iterator[str]:
    """Each as it is, and the parts of those that are addresses."""
    for name, value in vars(settings).items():
        text = value.reveal() if isinstance(value, Secret) else _content(value) if name.endswith("_file") else ""
        if not text:
            continue
        yield text
        if "://" in text:
            at = urlsplit(text)
            parts = [*at.path.split("/"), *at.query.replace("=", "&").split("&"), at.username or "", at.password or ""]
            yield from (word for part in parts for word in (part, unquote(part)) if len(word) >= SHORTEST)


def _content(file: Path | None) -> str:
    try:
        return file.read_text().strip() if file is not None else ""
    except (OSError, UnicodeDecodeError):
        return ""


def place(error: Exception) -> str:
    """Type and place without the text, which may hold a secret."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name} ({frame.filename}:{frame.lineno})"
