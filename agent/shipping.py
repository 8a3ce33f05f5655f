"""Events sent off the host as they come: whoever takes the host over can delete what it knows, not what has left it.

The webhook is asked again until it takes them (at least once each); syslog over UDP is sent once and may be lost.
Source: https://www.rfc-editor.org/rfc/rfc5424
"""

import http.client
import json
import logging
import socket
import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from urllib.error import URLError
from urllib.request import Request, urlopen

from pydantic import Field, field_validator
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from agent.followers import Kept
from alerts.notifier import SecretUrl
from collectors.config import Config, Secret
from collectors.model import Event
from history.events import Events
from history.pseudonyms import pseudonymised

log = logging.getLogger("raingauge.shipping")

LOOK_SECONDS = 1.0
MOST_WAIT = 60.0
AT_ONCE = 200
TIMEOUT = 10.0  # seconds
MOST_BYTES = 8000
AUTHPRIV = 10
SEVERITIES = {"critical": 2, "warning": 4, "info": 6}


class Ship(Config):
    syslog: str = ""
    """host:port of a syslog server that takes RFC 5424 over UDP; it is sent each event of security and above info."""
    webhook: SecretUrl | None = None
    """Address that is POSTed the same events, as JSON `{"events": [...]}`, again until it answers with 2xx."""
    pseudonym_key: Secret | None = Field(None)
    """With it each address in what is sent is a pseudonym; the same key gives the same ones, networks stay together."""

    @field_validator("syslog")
    @classmethod
    def _place(cls, place: str) -> str:
        host, _, port = place.rpartition(":")
        if place and not (host and port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
            raise ValueError(f"expected host:port, such as logs.example:514, found {place!r}")
        return place


def is_shipped(event: Event) -> bool:
    return event.severity != "info" or event.kind.startswith("security.")


def syslog_line(event: Event) -> bytes:
    """One datagram; what an attacker wrote in it cannot begin another line."""
    at = datetime.fromtimestamp(event.last, UTC).isoformat(timespec="milliseconds")
    host = "".join(each for each in event.host if "!" <= each <= "~")[:255] or "-"
    head = f"<{AUTHPRIV * 8 + SEVERITIES[event.severity]}>1 {at} {host} raingauge - {event.kind[:32]} - ".encode()
    body = json.dumps(asdict(event), default=dict).encode()
    if len(body) > MOST_BYTES:
        body = json.dumps(asdict(replace(event, evidence=())), default=dict).encode()[:MOST_BYTES]
    return head + body


class Shipping:
    """`start` and `stop` once each; without a place to send to nothing happens."""

    def __init__(self, settings: Ship, engine: Engine) -> None:
        self._settings = settings
        self._events = Events(engine)
        self._kept = Kept(engine)
        self._said: dict[str, str] = {}
        self._stopping = threading.Event()
        ways = {"syslog": bool(settings.syslog), "webhook": settings.webhook is not None}
        self._threads = [
            threading.Thread(target=self._run, args=(way,), name=f"ship-{way}", daemon=True)
            for way, wanted in ways.items() if wanted
        ]  # fmt: skip

    def start(self) -> None:
        for each in self._threads:
            each.start()

    def stop(self) -> None:
        self._stopping.set()
        for each in self._threads:
            each.join(2 * LOOK_SECONDS)

    def _run(self, way: str) -> None:
        wait = LOOK_SECONDS
        while not self._stopping.wait(wait):
            try:
                done = self.step(way)
            except SQLAlchemyError as error:
                self._say(way, str(error)[:200])
                done = False
            wait = LOOK_SECONDS if done else min(2 * wait, MOST_WAIT)

    def step(self, way: str) -> bool:
        """Send what came since the last one that was taken; False: it has to be tried again."""
        place = ("shipping", way)
        known = self._kept.load(place).get("number")
        if known is None:  # what was before anybody wanted it stays here
            self._kept.save(place, {"number": str(self._events.newest())}, ())
            return True
        rows = self._events.events_after(int(known), AT_ONCE)
        chosen = [event for _, event in rows if is_shipped(event)]
        if self._settings.pseudonym_key is not None:
            key = self._settings.pseudonym_key.reveal().encode()
            chosen = [pseudonymised(event, key) for event in chosen]
        error = self._send(way, chosen) if chosen else ""
        self._say(way, error)
        if rows and not error:
            self._kept.save(place, {"number": str(rows[-1][0])}, ())
        return not error

    def _send(self, way: str, events: Sequence[Event]) -> str:
        """What went wrong, without the address, which may be a key; "" if nothing did."""
        try:
            return self._to_syslog(events) if way == "syslog" else self._to_webhook(events)
        except (URLError, OSError, http.client.HTTPException, ValueError) as error:
            status = getattr(error, "code", None)
            return f"it answers {status}" if status else f"it cannot be reached: {type(error).__name__}"

    def _to_syslog(self, events: Sequence[Event]) -> str:
        host, _, port = self._settings.syslog.rpartition(":")
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)
        with socket.socket(found[0][0], socket.SOCK_DGRAM) as sending:
            for event in events:
                sending.sendto(syslog_line(event), found[0][4])
        return ""

    def _to_webhook(self, events: Sequence[Event]) -> str:
        assert self._settings.webhook is not None
        body = json.dumps({"events": [asdict(event) for event in events]}, default=dict).encode()
        headers = {"User-Agent": "raingauge", "Content-Type": "application/json"}
        request = Request(self._settings.webhook.reveal(), body, headers)  # noqa: S310 # http is checked
        with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            return "" if 200 <= answer.status < 300 else f"it answers {answer.status}"

    def _say(self, way: str, error: str) -> None:
        if error != self._said.get(way, ""):
            log.warning("ship=%s error=%r", way, error) if error else log.info("ship=%s sent again", way)
        self._said[way] = error
