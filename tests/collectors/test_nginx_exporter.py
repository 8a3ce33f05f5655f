"""nginx beside Debian's nginx-prometheus-exporter: the same series, and values between two of its scrapes."""

from pathlib import Path

import pytest

from agent.exposition import render
from agent.reading import trial
from collectors.nginx import COLLECTOR, UP
from collectors.nginx.config import Nginx
from tests.collectors.exporters import NGINX_MOVING, NGINX_OF_ITSELF
from tests.collectors.official import families, series
from tests.lab.exporters import NginxExporter
from tests.lab.servers import Nginx as Server


@pytest.mark.servers
def test_same_series_and_values_between_two_of_its_scrapes(tmp_path: Path) -> None:
    with Server(tmp_path / "nginx") as server:
        url = f"{server.url}/stub_status"
        with NginxExporter(tmp_path / "exporter", f"-nginx.scrape-uri={url}") as exporter:
            before = exporter.page()
            reading = trial(COLLECTOR, Nginx(url=url))[0]
            after = exporter.page()
    page = render([*reading.samples, UP(1)]).decode()
    kinds, theirs = families(page), families(before)
    assert kinds.keys() == {name for name in theirs if name.startswith("nginx")} - NGINX_OF_ITSELF
    assert {name: kind for name, kind in kinds.items() if kind != theirs[name]} == {}
    low, high = series(before), series(after)
    for key, value in series(page).items():
        assert key[0] in NGINX_MOVING or low[key] <= value <= high[key], key
