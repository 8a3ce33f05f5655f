"""One kept HTTP connection, as Prometheus has to each target."""

import http.client
import json
import time
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit


class Kept:
    def __init__(self, url: str, token: str = "") -> None:
        at = urlsplit(url)
        self._connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=30)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **headers: str) -> bytes:
        """OSError for any answer but 200."""
        sent = {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        try:
            answer = self._asked(path, sent)
        except http.client.RemoteDisconnected:  # some servers keep a connection for a few seconds only
            self._connection.close()
            answer = self._asked(path, sent)
        body = answer.read()
        if answer.status != 200:
            raise OSError(f"GET {path}: expected 200, found {answer.status}: {body[:200]!r}")
        return body

    def _asked(self, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        self._connection.request("GET", path, headers=headers)
        return self._connection.getresponse()

    def json(self, path: str) -> Any:
        return json.loads(self.get(path, Accept="application/json"))

    def milliseconds(self, path: str, times: int, **headers: str) -> list[float]:
        """Of so many requests one after another, from the first byte sent to the last byte read."""
        found = []
        for _ in range(times):
            began = time.perf_counter()
            self.get(path, **headers)
            found.append((time.perf_counter() - began) * 1000)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._connection.close()
