"""A ping of a PHP-FPM pool over FastCGI, past the web server: does PHP itself answer?

Source: https://www.php.net/manual/en/install.fpm.configuration.php
"""

import socket

from collectors.errors import Denied
from collectors.probe.attempt import Attempt, Failed
from collectors.probe.config import Fastcgi, Probe
from collectors.sources import fastcgi
from collectors.sources.sockets import host_and_port

PHASES = ("resolve", "connect", "processing")
MOST_BYTES = 65_536


def run(config: Probe, attempt: Attempt) -> None:
    assert config.fastcgi is not None
    asked = config.fastcgi
    attempt.more["status"] = 0
    try:
        with _connected(asked, attempt) as sock, attempt.phase("processing"):
            sock.settimeout(attempt.left())
            sock.sendall(fastcgi.request(_parameters(asked.ping_path)))
            response = _answered(attempt, sock)
    except PermissionError as error:
        raise Denied(f"connect to {asked.address}: permission denied") from error
    attempt.more["status"] = response.status
    if response.status != 200:
        raise Failed("status", f"expected status 200 at {asked.ping_path}, found {response.status}")
    if asked.expect and response.body.strip() != asked.expect:
        raise Failed("body", f"expected {asked.expect!r}, found {response.body[:80]!r}")


def _connected(asked: Fastcgi, attempt: Attempt) -> socket.socket:
    if not asked.address.startswith("unix:"):
        return attempt.connect(*host_and_port(asked.address))
    sock = socket.socket(socket.AF_UNIX)
    try:
        with attempt.phase("connect"):
            sock.settimeout(attempt.left())
            sock.connect(asked.address.removeprefix("unix:"))
    except BlockingIOError as error:
        sock.close()
        raise Failed("timeout", f"connect to {asked.address}: its queue is full") from error
    except BaseException:
        sock.close()
        raise
    return sock


def _answered(attempt: Attempt, sock: socket.socket) -> fastcgi.Response:
    response = fastcgi.Response()
    while not response.ended:
        sock.settimeout(attempt.left())
        data = sock.recv(1 << 16)
        if not data:
            raise Failed("protocol", "closed without an answer, as listen.allowed_clients does")
        response.feed(data)
        if len(response.output) > MOST_BYTES:
            raise Failed("protocol", f"expected a short answer, found more than {MOST_BYTES} bytes")
    return response


def _parameters(path: str) -> dict[str, str]:
    return {"REQUEST_METHOD": "GET", "SCRIPT_NAME": path, "SCRIPT_FILENAME": path, "REQUEST_URI": path}
