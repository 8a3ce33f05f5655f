"""A history that another server keeps: Prometheus, or whatever speaks its HTTP API.

VictoriaMetrics speaks a dialect: it has no strings, its scalars are vectors, its rates are not extrapolated.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import http.client
import math
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import numpy as np
import orjson

from history.address import Address
from history.model import Line, Matrix, Metadata, Point, QueryError, Scalar, Text, Vector

MOST_BYTES = 2**28
"""Of one answer."""
EVERYTHING = '{__name__=~".+"}'
KINDS: Mapping[str, Literal["bad_data", "execution", "timeout", "unavailable"]] = {
    "bad_data": "bad_data", "execution": "execution", "timeout": "timeout", "canceled": "timeout",
    "unavailable": "unavailable", "422": "execution", "400": "bad_data",
}  # fmt: skip
"""Theirs -> ours; VictoriaMetrics names errors by their status."""

PIECE_BYTES = 2**16
SOONER = 0.9
"""Of our patience: what we grant the server, so that a slow question ends there and is answered with its reason."""
REST = 10.0
"""Seconds that a server is left alone once it gave no answer at all: a page of many charts waits once, not for each."""

Parameters = Mapping[str, str | Sequence[str]]
Found = TypeVar("Found")


class Remote:
    """history.model.Source over HTTP. Any thread: each keeps a connection of its own."""

    def __init__(self, address: Address, seconds: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        """`seconds`: how long an answer may take; one that trickles in, twice as long."""
        self._address = address
        self._seconds = seconds
        self._clock = clock
        self._asked_again_at = -math.inf
        self._kept = threading.local()
        self._open: list[http.client.HTTPConnection] = []

    def close(self) -> None:
        """The connections of all threads."""
        while self._open:
            self._open.pop().close()

    def query(self, expr: str, at: float) -> Vector | Matrix | Scalar | Text:
        return self._ask(_result, "query", {"query": expr, "time": f"{at:.3f}", **self._limit()})

    def query_range(self, expr: str, start: float, end: float, step: float) -> Matrix:
        # VictoriaMetrics would round the start to the step; others do not know the word.
        span = {**_span(start, end), "step": f"{step:.3f}", "nocache": "1", **self._limit()}
        return self._ask(_matrix, "query_range", {"query": expr, **span})

    def series(self, matchers: Sequence[str], start: float, end: float) -> list[dict[str, str]]:
        return self._ask(_series, "series", {"match[]": list(matchers) or [EVERYTHING], **_span(start, end)})

    def label_names(self, matchers: Sequence[str], start: float, end: float) -> list[str]:
        return self._ask(_names, "labels", {"match[]": list(matchers), **_span(start, end)})

    def label_values(self, name: str, matchers: Sequence[str], start: float, end: float) -> list[str]:
        path = f"label/{quote(name, safe='')}/values"
        return self._ask(_names, path, {"match[]": list(matchers), **_span(start, end)}, method="GET")

    def metadata(self, metric: str | None = None) -> dict[str, list[Metadata]]:
        return self._ask(_metadata, "metadata", {"metric": metric} if metric else {}, method="GET")

    def _limit(self) -> dict[str, str]:
        return {"timeout": f"{self._seconds * SOONER:.3f}"}

    def _ask(
        self, read: Callable[[Any, tuple[str, ...]], Found], path: str, parameters: Parameters, method: str = "POST"
    ) -> Found:
        """What `read` makes of `data` and the warnings of the answer. QueryError for everything else."""
        data, warnings = self._success(path, parameters, method)
        try:
            return read(data, warnings)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            text = f"the history at {self._address} answers {path} with what we cannot read, such as a native histogram"
            raise QueryError("execution", text) from error

    def _success(self, path: str, parameters: Parameters, method: str) -> tuple[Any, tuple[str, ...]]:
        status, body = self._send(path, urlencode(parameters, doseq=True), method)
        try:
            answer = orjson.loads(body)
            if answer["status"] == "success":
                return answer.get("data"), (*answer.get("warnings", ()), *answer.get("infos", ()))
            kind = KINDS.get(str(answer.get("errorType")), "execution")
            raise QueryError(kind, str(answer.get("error")))
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            hint = {401: ", it wants other credentials", 403: ", it wants other credentials"}.get(status, "")
            raise QueryError(
                "unavailable", f"the history at {self._address} answers {status} and no JSON of Prometheus' API{hint}"
            ) from error

    def _send(self, path: str, form: str, method: str) -> tuple[int, bytes]:
        target = f"{urlsplit(self._address.url).path.rstrip('/')}/api/v1/{path}"
        headers = {"Accept": "application/json", **self._address.headers}
        body = None
        if method == "POST":
            body = form
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif form:
            target = f"{target}?{form}"
        if (rest := self._asked_again_at - self._clock()) > 0:
            text = f"the history at {self._address} did not answer lately; it is asked again in {rest:.0f} s"
            raise QueryError("timeout", text)
        for kept in (True, False):  # a kept connection may have been closed by the other side meanwhile
            connection = self._connection(kept=kept)
            try:
                connection.request(method, target, body, headers)
                answer = connection.getresponse()
                found = self._body(answer)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if isinstance(error, TimeoutError):
                    self._asked_again_at = self._clock() + REST
                    text = f"the history at {self._address} did not answer in {self._seconds:g} s"
                    raise QueryError("timeout", text) from error
                if kept:
                    continue
                why = getattr(error, "strerror", None) or str(error) or type(error).__name__
                raise QueryError("unavailable", f"the history at {self._address} cannot be reached: {why}") from error
            if len(found) > MOST_BYTES:
                connection.close()
                raise QueryError("execution", f"the answer has more than {MOST_BYTES:,} bytes; ask for less at a time")
            if 300 <= answer.status < 400:
                raise QueryError(
                    "unavailable", f"the history at {self._address} sends us elsewhere: set history.url to where it is"
                )
            return answer.status, found
        raise AssertionError("not reached")

    def _body(self, answer: http.client.HTTPResponse) -> bytes:
        """At most a piece more than MOST_BYTES. TimeoutError: a socket's timeout is for each piece, not for all."""
        until = time.monotonic() + self._seconds
        found = bytearray()
        with answer:
            while len(found) <= MOST_BYTES and (piece := answer.read1(PIECE_BYTES)):
                found += piece
                if time.monotonic() > until:
                    raise TimeoutError
        return bytes(found)

    def _connection(self, *, kept: bool) -> http.client.HTTPConnection:
        if kept and getattr(self._kept, "connection", None) is not None:
            connection: http.client.HTTPConnection = self._kept.connection
            return connection
        at = urlsplit(self._address.url)
        if at.scheme == "https":
            made: http.client.HTTPConnection = http.client.HTTPSConnection(
                at.hostname or "", at.port, timeout=self._seconds, context=ssl.create_default_context()
            )
        else:
            made = http.client.HTTPConnection(at.hostname or "", at.port, timeout=self._seconds)
        self._open = [each for each in self._open if each.sock is not None] + [made]
        self._kept.connection = made
        return made


def _span(start: float, end: float) -> dict[str, str]:
    return {"start": f"{start:.3f}", "end": f"{end:.3f}"}


def _result(data: Any, warnings: tuple[str, ...]) -> Vector | Matrix | Scalar | Text:
    kind, found = data["resultType"], data["result"]
    if kind == "vector":
        points = (Point(each["metric"], float(each["value"][0]), float(each["value"][1])) for each in found)
        return Vector(tuple(points), warnings)
    if kind == "matrix":
        return Matrix(tuple(_line(each) for each in found), warnings)
    if kind == "scalar":
        return Scalar(float(found[0]), float(found[1]), warnings)
    if kind == "string":
        return Text(float(found[0]), str(found[1]), warnings)
    raise ValueError(kind)


def _matrix(data: Any, warnings: tuple[str, ...]) -> Matrix:
    found = _result(data, warnings)
    if not isinstance(found, Matrix):
        raise TypeError
    return found


def _series(data: Any, _: tuple[str, ...]) -> list[dict[str, str]]:
    return sorted(data or (), key=lambda labels: sorted(labels.items()))


def _names(data: Any, _: tuple[str, ...]) -> list[str]:
    return list(data or ())  # some write an empty list as null


def _metadata(data: Any, _: tuple[str, ...]) -> dict[str, list[Metadata]]:
    return {
        name: [Metadata(each.get("type", "unknown"), each.get("help", ""), each.get("unit", "")) for each in known]
        for name, known in (data or {}).items()
    }


def _line(each: Any) -> Line:
    pairs = each["values"]
    times = np.array([t for t, _ in pairs], dtype=np.float64)
    return Line(each["metric"], times, np.fromiter((float(value) for _, value in pairs), np.float64, len(pairs)))
