"""Varnish itself: found, read as Debian's exporter reads it, and what an account without rights is told."""

import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agent.exposition import render
from agent.reading import Reading, trial
from collectors.inventory import Inventory
from collectors.sources.processes import processes
from collectors.varnish import COLLECTOR, Varnish
from tests.collectors.beside import differences, page_of
from tests.collectors.official import families
from tests.lab.exporters import Exporter
from tests.lab.nobody import as_nobody
from tests.lab.ports import wait_until
from tests.lab.servers import Nginx
from tests.lab.varnish import Varnish as Server

pytestmark = pytest.mark.servers

VOLATILE = ("varnish_backend_happy", "varnish_mempool_live", "varnish_mempool_pool", "varnish_main_n_objectcore")
"""Gauges that go up and down while one reads."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("varnish")
    site = folder / "nginx"
    site.mkdir()
    (site / "index.html").write_text("hello")
    with (
        Nginx(site) as nginx,
        Server(folder / "varnish", nginx.port, probe=True, storage=f"file,{folder}/storage,16m") as server,
    ):
        folder.chmod(0o755)
        for number in range(100):
            with suppress(urllib.error.HTTPError), urllib.request.urlopen(f"{server.url}/?{number % 10}") as answer:
                answer.read()
        yield server


def read(server: Server) -> Reading:
    (reading,) = trial(COLLECTOR, Varnish(directory=str(server.state)))
    assert reading.outcome == "ok", reading.error
    return reading


def values(reading: Reading) -> dict[str, float]:
    return {",".join([sample.family.name, *sample.labels]): sample.value for sample in reading.samples}


def test_discovered_and_read(server: Server) -> None:
    assert server.process is not None
    known = [each for each in processes() if server.process.pid in (each.pid, each.parent)]
    (proposal,) = COLLECTOR.discover(Inventory("h", tuple(known)))
    assert proposal.config == Varnish(directory=str(server.state))
    found = values(read(server))
    # A thread adds its last requests to the whole when it has the next one.
    assert 90 <= found["varnish_main_client_req"] <= 100
    assert 5 <= found["varnish_main_cache_miss"] <= 10
    assert found["varnish_sma_g_bytes,s0"] + found["varnish_sma_g_space,s0"] == 16 << 20
    assert any(name.startswith(("varnish_version,7,", "varnish_version,6,")) for name in found)


def test_a_backend_is_up_while_its_probes_are_good(server: Server) -> None:
    up = "varnish_backend_up,default,unknown"
    wait_until(lambda: values(read(server))[up] == 1, 20, "the backend is up")
    server.administer("backend.list", "-p")
    assert values(read(server))["varnish_backend_happy,default,unknown"] > 0


def test_debians_exporter_says_the_same(server: Server, tmp_path: Path) -> None:
    name = "reload_20990101_000000_1"
    server.administer("vcl.load", name, str(server.configuration))
    server.administer("vcl.use", name)
    try:
        with Exporter(
            tmp_path, "prometheus-varnish-exporter", "-web.listen-address", "-n", str(server.state)
        ) as exporter:
            before = page_of(exporter.url)
            ours = render(read(server).samples).decode()
            after = page_of(exporter.url)
    finally:
        server.administer("vcl.use", "boot")
        server.administer("vcl.discard", name)
    assert differences(before, ours, after, VOLATILE) == {}
    theirs = {each for each in families(after) if each.startswith("varnish_")}
    assert theirs - families(ours).keys() == {"varnish_up"}  # the runner's
    assert families(ours).keys() - theirs == set()


def test_who_may_not_read_the_counters_is_denied(server: Server) -> None:
    config = Varnish(directory=str(server.state))
    trial(COLLECTOR, config)  # loads what nobody may not read
    found = as_nobody(lambda: ": ".join([(reading := trial(COLLECTOR, config)[0]).outcome, reading.error]))
    if os.geteuid() == 0:
        assert found == f"denied: varnishstat: no right to read {server.state}/_.vsm_mgt"


def test_one_that_is_down_is_unreachable_also_to_who_may_not_read(tmp_path: Path) -> None:
    with Server(tmp_path / "v", 9) as server:
        config = Varnish(directory=str(server.state))
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        found = as_nobody(lambda: trial(COLLECTOR, config)[0].outcome)
        assert found == "unreachable"
        # What is left to itself ends by itself once its parent is gone.
        wait_until(lambda: not [each for each in processes() if str(server.state) in each.title], 20, "its child ended")
