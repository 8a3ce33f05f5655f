"""An HTTP server that answers from a table, and remembers what it was asked."""

import base64
import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    url: str = ""
    asked: list[str] = field(default_factory=list)
    """Paths with their queries."""
    accounts: set[str] = field(default_factory=set)
    """`user:password` as they came."""


@contextlib.contextmanager
def serving(pages: Mapping[str, str], account: str = "") -> Iterator[Served]:
    """`pages`: path -> body. `account`: 401 for whoever does not come as that `user:password`."""
    served = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            said = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
            served.accounts.add(said)
            body = pages.get(self.path.partition("?")[0])
            status = 401 if account and said != account else 404 if body is None else 200
            text = (body or "").encode() if status == 200 else b"no"
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        served.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield served
        finally:
            server.shutdown()
            thread.join(60)
