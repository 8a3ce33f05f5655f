"""Grafana's Prometheus plug-in as far as HTTP goes: how it asks, and how it reads what comes back.

Source: https://github.com/grafana/grafana, pkg/promlib/client and pkg/promlib/converter
"""

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from werkzeug.test import TestResponse

from tests.dashboard.world import World

ONLY_GET = ("api/v1/label/", "api/v1/metadata", "/api/v1/rules", "/api/v1/alerts", "/api/v1/status/buildinfo")
"""What the plug-in's back end never posts, letter for letter: of label values it posts those with a slash before."""
SECONDS = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True)
class Grafana:
    """pkg/promlib/client, with the method that the data source is set to and the token as a custom header."""

    world: World
    token: str
    method: str = "POST"

    def query(self, path: str, asked: Mapping[str, str]) -> TestResponse:
        """createQueryRequest."""
        if self.method == "POST":
            return self.send("POST", f"/{path}", "", urlencode(asked))
        return self.send("GET", f"/{path}", urlencode(asked), "")

    def resource(self, path: str, asked: Sequence[tuple[str, str]] = (), address: str = "") -> TestResponse:
        """QueryResource: a form if it may be posted, and again by GET if that is refused."""
        form = urlencode(asked)
        if self.method == "POST" and not path.startswith(ONLY_GET):
            answer = self.send("POST", path, address, form)
            if answer.status_code not in (400, 405):
                return answer
        return self.send("GET", path, urlencode(parse_qsl(address) + parse_qsl(form)), "")

    def send(self, method: str, path: str, address: str, form: str) -> TestResponse:
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
        return self.world.stranger().open(
            path if path.startswith("/") else f"/{path}", method=method, query_string=address, data=form,
            headers={"Authorization": f"Bearer {self.token}", "Accept-Encoding": "gzip",
                     "User-Agent": "Grafana/12.1.0", **kind},
        )  # fmt: skip


def read(answer: TestResponse) -> Any:
    """The whole answer; unpacked, as Go's client does by itself."""
    body = answer.get_data()
    found = json.loads(gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body)
    assert answer.mimetype == "application/json"
    return found


def data(answer: TestResponse) -> Any:
    found = read(answer)
    assert (answer.status_code, found["status"]) == (200, "success")
    return found["data"]


def frames(answer: TestResponse) -> Iterator[tuple[dict[str, str], list[tuple[float, float]]]]:
    """converter.ReadPrometheusStyleResult: (labels, points); it wants the type before the result."""
    found = data(answer)
    assert list(found)[:2] == ["resultType", "result"]
    for each in found["result"]:
        points = each["values"] if found["resultType"] == "matrix" else [each["value"]]
        assert all(isinstance(t, int | float) and isinstance(value, str) for t, value in points)
        yield each["metric"], [(t, float(value)) for t, value in points]


def go(t: float) -> str:
    """formatTime: strconv's 'f' with the fewest digits."""
    text = repr(t).removesuffix(".0")
    assert SECONDS.fullmatch(text)
    return text


def from_go(text: str) -> float:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", text)
    return datetime.fromisoformat(text).timestamp()
