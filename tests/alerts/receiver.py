"""A real HTTP server that answers as a test tells it, also not at all, and keeps what it was sent."""

import json
import queue
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.lab.background import Background


class Receiver(Background, ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *answers: int, retry_after: str = "") -> None:
        """The statuses of the first answers; 200 to all after them."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.retry_after = retry_after
        self.bodies: queue.Queue[dict[str, Any]] = queue.Queue()
        self.headers: list[dict[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook?key=s3cret"

    def body(self) -> dict[str, Any]:
        return self.bodies.get(timeout=60)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.headers.append(dict(self.headers))
        status = self.server.answers.pop(0) if self.server.answers else 200
        self.server.bodies.put({"answered": status, "key": self.headers.get("Idempotency-Key", ""), **body})
        self.send_response(status)
        if self.server.retry_after:
            self.send_header("Retry-After", self.server.retry_after)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class BlackHole:
    """Accepts connections (the kernel does) and never answers."""

    def __enter__(self) -> Self:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(16)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
