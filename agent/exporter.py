"""The HTTP server of the metrics: pages that are ready, the list of targets, and health.

Source: https://prometheus.io/docs/prometheus/latest/http_sd/
"""

import html
import io
import json
import logging
import re
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from agent.exposition import CONTENT_TYPE
from agent.pages import Page, Pages
from collectors.model import Target

log = logging.getLogger("raingauge.exporter")

SLOW_CLIENT_SECONDS = 10.0
IDLE_SECONDS = 330.0
"""Longer than Prometheus keeps a connection (5 min), so that no scrape meets one that we are just closing."""
MOST_CONNECTIONS = 200
"""Each has a thread and a file; what reads this host needs files, too."""
PACK_FROM_BYTES = 1024
LOOPBACK = re.compile(r"127\.|::1$|::ffff:127\.")
"""From there the bytes cost nothing; to pack them would cost more than to read several servers."""
REACHED_AS = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?")

Authorised = Callable[[str | None], bool]
"""(the Authorization header) -> may read."""

MOST_BODY_BYTES = 2**25
"""Of what is written to us."""
MOST_IGNORED_BYTES = 2**20
"""Of the body of a ping; who sends more may find the connection closed."""
NOTHING = b"not found; / lists what is here\n"
NEWER_WRITE = "io.prometheus.write.v2"
"""Remote write 2.0, which is another message; read as one of 1.0 it would be empty. Who is told 415 sends 1.0."""


@dataclass(frozen=True)
class Receiving:
    """Who takes remote write. `take` raises an exception with a `status` for what it does not take."""

    take: Callable[[bytes], None]
    authorised: Authorised


@dataclass(frozen=True)
class Doors:
    """What is answered when it is asked for; None where it is not."""

    probe: Callable[[str, str], tuple[int, str, bytes]] | None = None
    """(query, Prometheus' own limit in seconds or "") -> status, type, body of `/probe`."""
    ping: Callable[[str], tuple[int, bytes]] | None = None
    """(what follows `/ping/`) -> status, body; the key in it is the right to ask."""
    events: Callable[[str, str | None], tuple[int, str, bytes]] | None = None
    """(query, header Authorization) -> status, type, body of `/events`."""


def service_discovery(targets: list[Target], slug: Callable[[Target], str], address: str) -> bytes:
    """Every target in the form of HTTP service discovery; `address` is the exporter's own host:port."""
    groups = [
        {"targets": [address], "labels": {**target.labels, "__metrics_path__": f"/metrics/{target.job}/{slug(target)}"}}
        for target in targets
    ]
    return json.dumps(groups, indent=1).encode()


def takes_gzip(accept_encoding: str) -> bool:
    offers = (offer.partition(";") for offer in accept_encoding.lower().replace(" ", "").split(","))
    return any(name == "gzip" and not re.fullmatch(r"q=0(\.0*)?", weight) for name, _, weight in offers)


def netloc(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or a page waits 40 ms for the acknowledgement of its own headers
    server_version = "raingauge"
    sys_version = ""
    pages: Pages
    authorised: Authorised | None
    receiving: Receiving | None
    doors: Doors
    rfile: io.BufferedReader
    patience = SLOW_CLIENT_SECONDS
    """Until the next request begins: long for who may read and has read."""

    def handle_one_request(self) -> None:
        self.connection.settimeout(self.patience)
        try:
            self.rfile.peek(1)
        except TimeoutError:
            self.close_connection = True
            return
        self.connection.settimeout(SLOW_CLIENT_SECONDS)
        super().handle_one_request()

    def do_GET(self) -> None:
        if "Content-Length" in self.headers or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # a body that nobody reads must not pass for the next request
        path = self.path.split("?", 1)[0]
        if path == "/-/healthy":
            self._send("text/plain", b"healthy\n")
        elif path == "/-/ready":
            ready = self.pages.ready
            self._send("text/plain", b"ready\n" if ready else b"no tick yet\n", HTTPStatus.OK if ready else 503)
        elif path.startswith("/ping/"):
            self._ping(path)
        elif self.authorised and not self.authorised(self.headers.get("Authorization")):
            self._send("text/plain", b"a scrape token is needed\n", 401)
        else:
            self.patience = IDLE_SECONDS
            self._page(path)

    def do_POST(self) -> None:
        """Remote write, for who shows a token of the scope write."""
        self.close_connection = True  # until the body is read it must not pass for the next request
        length = self.headers.get("Content-Length", "")
        if self.path.startswith("/ping/"):
            self.rfile.read(min(int(length), MOST_IGNORED_BYTES) if length.isdecimal() else 0)
            self._ping(self.path.split("?", 1)[0])
        elif self.receiving is None or self.path.split("?", 1)[0] != "/api/v1/write":
            self._send("text/plain", NOTHING, 404)
        elif not self.receiving.authorised(self.headers.get("Authorization")):
            self._send("text/plain", b"a token of `raingauge token create --scope write` is needed\n", 401)
        elif NEWER_WRITE in self.headers.get("Content-Type", ""):
            self._send("text/plain", b"expected remote write 1.0, prometheus.WriteRequest; found 2.0\n", 415)
        elif not length.isdecimal() or int(length) > MOST_BODY_BYTES:
            self._send("text/plain", f"expected a body of at most {MOST_BODY_BYTES} bytes\n".encode(), 413)
        else:
            body = self.rfile.read(int(length))
            self.close_connection = False
            self.patience = IDLE_SECONDS
            self._take(body)

    def _take(self, body: bytes) -> None:
        assert self.receiving is not None
        try:
            self.receiving.take(body)
        except Exception as error:  # the boundary to history
            status = getattr(error, "status", 500)
            if status == 500:
                log.exception("receive=failed")
            self._send("text/plain", f"{error}\n".encode(), status)
        else:
            self._send("text/plain", b"", 204)

    def _ping(self, path: str) -> None:
        status, body = self.doors.ping(path.removeprefix("/ping/")) if self.doors.ping else (404, NOTHING)
        self._send("text/plain", body, status)

    def _probe(self, probe: Callable[[str, str], tuple[int, str, bytes]]) -> None:
        status, kind, body = probe(
            self.path.partition("?")[2], self.headers.get("X-Prometheus-Scrape-Timeout-Seconds", "")
        )
        self._send(kind, body, status)

    do_HEAD = do_GET  # noqa: N815 # the name that http.server asks for

    def _page(self, path: str) -> None:
        match path.strip("/").split("/"):
            case ["metrics"]:
                self._metrics(self.pages.metrics)
            case ["metrics", job, slug] if found := self.pages.target_page(job, slug):
                self._metrics(found)
            case ["sd"]:
                body = service_discovery(self.pages.targets(), self.pages.slug, self._address())
                self._send("application/json", body)
            case ["probe"] if self.doors.probe:
                self._probe(self.doors.probe)
            case ["events"] if self.doors.events:
                status, kind, body = self.doors.events(self.path.partition("?")[2], self.headers.get("Authorization"))
                self._send(kind, body, status)
            case [""]:
                self._send("text/html; charset=utf-8", self._index())
            case _:
                self._send("text/plain", NOTHING, 404)

    def _address(self) -> str:
        """As whom the client has reached us, which is not always what we listen on."""
        host = self.headers.get("Host", "")
        return host if REACHED_AS.fullmatch(host) else netloc(*self.connection.getsockname()[:2])

    def _index(self) -> bytes:
        paths = [f"/metrics/{target.job}/{self.pages.slug(target)}" for target in self.pages.targets()]
        links = "".join(
            f'<li><a href="{html.escape(p)}">{html.escape(p)}</a></li>' for p in ["/metrics", "/sd", *paths]
        )
        return f'<!doctype html><html lang="en"><title>Raingauge</title><h1>Raingauge</h1><ul>{links}</ul>'.encode()

    def _metrics(self, page: Page) -> None:
        far = not LOOPBACK.match(self.client_address[0])
        if far and takes_gzip(self.headers.get("Accept-Encoding", "")) and len(page.text) >= PACK_FROM_BYTES:
            self._send(CONTENT_TYPE, page.packed, encoding="gzip")
        else:
            self._send(CONTENT_TYPE, page.text)

    def _send(self, kind: str, body: bytes, status: int = 200, encoding: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Vary", "Accept-Encoding")
        if encoding:
            self.send_header("Content-Encoding", encoding)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Bearer realm="raingauge", Basic realm="raingauge"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        if not getattr(self, "path", "").startswith("/ping/"):  # it holds the key
            log.debug(format, *args)


class Server(ThreadingMixIn, TCPServer):
    """Not HTTPServer, which asks DNS for its own name before it serves."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str, port: int, handler: type[Handler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), handler)
        self._free = threading.Semaphore(MOST_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            log.debug("client=%s refused connections=%d", client_address[0], MOST_CONNECTIONS)
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread to be had
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def end(self) -> None:
        """Of `serve_forever` without an interval: what it waits for is woken first."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.shutdown()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        if isinstance(sys.exc_info()[1], OSError):
            log.debug("client=%s gone", client_address[0])
        else:
            log.exception("client=%s reason=bug", client_address[0])


class Exporter:
    """Listens from the start, serves from `start` on. `port` 0 takes a free one. OSError if the address is taken."""

    def __init__(
        self,
        host: str,
        port: int,
        pages: Pages,
        authorised: Authorised | None = None,
        *,
        receiving: Receiving | None = None,
        doors: Doors = Doors(),  # frozen
    ) -> None:
        check = staticmethod(authorised) if authorised else None
        bound = {"pages": pages, "authorised": check, "receiving": receiving, "doors": doors}
        handler = type("BoundHandler", (Handler,), bound)
        self._server = Server(host, port, handler)
        # Without an interval: it would wake twice a second to ask whether it shall stop.
        self._thread = threading.Thread(target=self._server.serve_forever, args=[None], name="exporter", daemon=True)

    @property
    def url(self) -> str:
        return f"http://{netloc(*self._server.socket.getsockname()[:2])}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.end()
        self._server.server_close()
