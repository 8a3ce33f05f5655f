"""One plain HTTP GET of a status page.

http.client and not httpx: a client of the latter costs 20 ms of CPU to make.
"""

import base64
import http.client
import io
import socket
import ssl
import string
import time
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from collectors.errors import Denied, ParseError, Unreachable, Unsupported

MOST_BYTES = 4_000_000
USER_AGENT = "raingauge"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def http_get(url: str, timeout: float, host: str = "", login: tuple[str, str] | None = None) -> str:
    """The body of a 200 answer; `host` is sent as Host header instead of the one of the address.

    `login` is (user, password) for basic authentication. Denied for 401 and 403, Unsupported for another status,
    Unreachable without one.
    """
    at = urlsplit(url)
    url = at._replace(netloc=at.netloc.rpartition("@")[2], query="", fragment="").geturl()  # it may hold secrets
    if at.scheme not in ("http", "https") or not at.hostname:
        raise Unsupported(f"expected an http or https address, found {url!r}")
    path = quote(f"{at.path or '/'}?{at.query}" if at.query else at.path or "/", safe=string.punctuation)
    headers = {"User-Agent": USER_AGENT, **({"Host": host} if host else {}), **(_basic(*login) if login else {})}
    connection = _connection(at.scheme, at.hostname, at.port, timeout, secret=login is not None)
    connection.response_class = partial(_Answer, until=time.monotonic() + timeout)  # type: ignore[assignment]
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read(MOST_BYTES + 1)
        if answer.length and len(body) <= MOST_BYTES:
            raise http.client.IncompleteRead(body, answer.length)
    except OSError as error:
        raise Unreachable(f"GET {url}: {error}") from error
    except http.client.HTTPException as error:
        raise ParseError(f"GET {url}: expected HTTP, found {error!r}") from error
    finally:
        connection.close()
    if len(body) > MOST_BYTES:
        raise ParseError(f"GET {url}: expected at most {MOST_BYTES} bytes, found more")
    if answer.status in (401, 403):
        raise Denied(f"GET {url}: status {answer.status}")
    if answer.status != 200:
        raise Unsupported(f"GET {url}: expected status 200, found {answer.status}")
    return body.decode(errors="replace")


class _Answer(http.client.HTTPResponse):
    """The time is for all of it: http.client's own is for each piece, and a page may come byte by byte."""

    def __init__(self, sock: socket.socket, *arguments: Any, until: float, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = io.BufferedReader(_Until(sock, self.fp, until))


class _Until(io.RawIOBase):
    def __init__(self, sock: socket.socket, file: io.BufferedIOBase, until: float) -> None:
        self._sock, self._file, self._until = sock, file, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def _basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def _connection(scheme: str, name: str, port: int | None, timeout: float, secret: bool) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(name, port, timeout=timeout)
    context = ssl.create_default_context()
    # A status page on this host often has another name's certificate; a password goes to no stranger elsewhere.
    if not secret or name in LOOPBACK:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(name, port, timeout=timeout, context=context)
