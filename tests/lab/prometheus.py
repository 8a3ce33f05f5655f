"""Debian's Prometheus with a private directory and a free port, to compare with and to be scraped by."""

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.lab.ports import free_port
from tests.lab.servers import Server


class Prometheus(Server):
    """`openmetrics`: samples of the past that it has from the start; `past`: a file of them."""

    def __init__(
        self,
        directory: Path,
        configuration: str = "",
        openmetrics: str = "",
        past: Path | None = None,
        options: Sequence[str] = (),
        port: int = 0,
    ) -> None:
        super().__init__(directory)
        self.port = port or free_port()
        self.address = ("127.0.0.1", self.port)
        self.url = f"http://127.0.0.1:{self.port}"
        (directory / "prometheus.yml").write_text(configuration)
        self._past = past
        self._options = options
        if openmetrics:
            self._past = directory / "samples.txt"
            self._past.write_text(openmetrics)

    def command(self) -> Sequence[str]:
        return ["prometheus", f"--web.listen-address=127.0.0.1:{self.port}", "--storage.tsdb.path=data",
                "--config.file=prometheus.yml", "--storage.tsdb.retention.time=100y", *self._options]  # fmt: skip

    def start(self) -> "Prometheus":
        if self._past is not None:
            subprocess.run(
                ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(self._past), "data"],
                cwd=self.directory, check=True, capture_output=True,
            )  # fmt: skip
            self._past = None
        return super().start()

    def _ready(self) -> bool:
        """It answers before it has read its data, but is not ready then."""
        return super()._ready() and ask(self.url, "query", query="1")[0] == 200


def ask(url: str, path: str, token: str = "", form: bool = False, **parameters: Any) -> tuple[int, Any]:
    """Status and answer of a Prometheus API, whoever serves it; (0, None) without one. `form`: by POST."""
    query = urllib.parse.urlencode(parameters, doseq=True)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    address = f"{url}/api/v1/{path}"
    request = urllib.request.Request(
        address if form else f"{address}?{query}", query.encode() if form else None, headers
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            text = error.read()
        return error.code, json.loads(text) if text.startswith(b"{") else None
    except OSError:
        return 0, None
