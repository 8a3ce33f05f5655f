"""Counters that go back: of a server that was restarted or told to begin anew, and of one that lies."""

import copy
import re
import socket
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.reading import trial
from collectors import registry
from collectors.errors import ParseError
from collectors.model import Part, Sample, Target
from history.database import open_database
from history.embedded import Embedded
from history.model import Vector
from history.store import Store
from tests.collectors.captures import captures
from tests.lab.apache import Apache
from tests.lab.memcached import Memcached
from tests.lab.postgresql import PASSWORD, PostgreSql
from tests.lab.servers import MariaDb, Nginx, PhpFpm, Redis, Server

SERVERS = ("nginx", "apache", "phpfpm", "mysql", "postgres", "redis", "memcached", "varnish", "solr")
COUNT = re.compile(r"(?:^|(?<=[\s:=,\"]))\d+(?=[\s,;\"}]|$)")
"""A number that stands alone in a text; not one in a name or in a version."""
TARGET = Target("lab", "lab:1", "lab")
COUNTED = ("counter", "untyped")
STEP = 10.0  # seconds
BEGIN = 1_790_000_000.0


def lowered(payload: Any, lower: Callable[[float], float]) -> Any:
    """The payload with every number in it put through `lower`."""
    if isinstance(payload, dict):
        return {key: lowered(inner, lower) for key, inner in payload.items()}
    if isinstance(payload, list):
        return [lowered(inner, lower) for inner in payload]
    if isinstance(payload, str):
        return COUNT.sub(lambda found: f"{lower(int(found[0])):.0f}", payload)
    if isinstance(payload, bool) or not isinstance(payload, int | float):
        return payload
    return type(payload)(lower(payload))


def counters(part: Part, payload: Any) -> list[Sample]:
    return [sample for sample in part.parse(copy.deepcopy(payload)) if sample.family.kind == "counter"]


PAYLOADS = [
    pytest.param(part, payload, id=f"{capture}-{part.name}")
    for capture in captures()
    if capture.collector.name in SERVERS
    for part, payload in capture.parts()
    if any(sample.value > 1 for sample in counters(part, payload))
]


@pytest.mark.parametrize(("part", "payload"), PAYLOADS)
@given(seed=st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_counter_is_below_zero_whatever_goes_back_alone(part: Part, payload: Any, seed: Any) -> None:
    try:
        found = counters(part, lowered(payload, lambda value: seed.choice((value, value // 2, 0))))
    except ParseError:
        return
    assert [sample for sample in found if sample.value < 0] == []


@dataclass(frozen=True)
class Case:
    """A server with something to count."""

    server: Server
    collector: str
    config: dict[str, Any]
    traffic: Callable[[], object]
    reset: Callable[[], object] | None = None
    """Counters begin anew, and it runs on."""

    def restart(self) -> None:
        self.server.stop()
        self.server.start()

    def read(self) -> list[Sample]:
        collector = registry.collector(self.collector)
        readings = trial(collector, collector.config.model_validate(self.config))
        assert {reading.bug for reading in readings} == {None}
        return [sample for reading in readings for sample in reading.samples]


def _say(port: int, words: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 5) as server:
        server.sendall(f"{words}\r\n".encode())
        return server.recv(1000)


def _redis(folder: Path) -> Case:
    server = Redis(folder)
    say = partial(_say, server.port)
    return Case(server, "redis", {"port": server.port}, lambda: say("PING"), lambda: say("CONFIG RESETSTAT"))


def _memcached(folder: Path) -> Case:
    server = Memcached(folder)
    say = partial(_say, server.port)
    return Case(server, "memcached", {"port": server.port}, lambda: say("get page"), lambda: say("stats reset"))


def _mysql(folder: Path) -> Case:
    server = MariaDb(folder)
    config = {"socket": server.socket, "user": server.user}
    return Case(server, "mysql", config, lambda: server.sql("SELECT 1"), lambda: server.sql("FLUSH STATUS"))


def _postgres(folder: Path) -> Case:
    server = PostgreSql(folder)
    config = {"address": "127.0.0.1", "port": server.port, "user": "lab", "password": PASSWORD}
    return Case(
        server, "postgres", config, lambda: server.sql("SELECT 1"), lambda: server.sql("SELECT pg_stat_reset()")
    )


def _nginx(folder: Path) -> Case:
    server = Nginx(folder)
    url = f"{server.url}/stub_status"
    return Case(server, "nginx", {"url": url}, lambda: urllib.request.urlopen(url, timeout=5).close())


def _apache(folder: Path) -> Case:
    server = Apache(folder)
    url = f"{server.url}/server-status?auto"
    return Case(server, "apache", {"url": url}, lambda: urllib.request.urlopen(url, timeout=5).close())


def _phpfpm(folder: Path) -> Case:
    server = PhpFpm(folder, "lab")
    config = {"address": f"unix:{server.socket}", "pool": "lab", "status_path": "/fpm-status"}
    case = Case(server, "phpfpm", config, lambda: None)
    return replace(case, traffic=case.read)


CASES = {
    "redis": _redis, "memcached": _memcached, "mysql": _mysql, "postgres": _postgres, "nginx": _nginx,
    "apache": _apache, "phpfpm": _phpfpm,
}  # fmt: skip


@pytest.mark.servers
@pytest.mark.parametrize("name", CASES)
def test_a_server_that_begins_anew_has_no_rate_but_that_of_what_it_counts_since(name: str, tmp_path: Path) -> None:
    case = CASES[name](tmp_path / "s")
    with case.server:
        busy = _read_after(case, 100)
        if case.reset:
            case.reset()
            anew = _read_after(case, 1)
            _check(busy, anew, tmp_path / "reset")
        case.restart()
        _check(busy, _read_after(case, 1), tmp_path / "restart")


def _read_after(case: Case, requests: int) -> list[Sample]:
    for _ in range(requests):
        case.traffic()
    return case.read()


def _check(busy: Sequence[Sample], anew: Sequence[Sample], folder: Path) -> None:
    before, after = _values(busy), _values(anew)
    assert any(after[key] < before[key] for key in before.keys() & after.keys())
    folder.mkdir()
    engine = open_database(folder)
    store = Store(engine)
    for tick, samples in enumerate([busy] * 3 + [anew] * 3):
        store.append(TARGET, BEGIN + tick * STEP, samples)
    for name in {name for name, _ in after}:
        found = Embedded(store).query(f"increase({name}[{6 * STEP:.0f}s])", BEGIN + 5 * STEP)
        assert isinstance(found, Vector)
        most = max(value for (other, _), value in after.items() if other == name)
        assert [point for point in found.points if not 0 <= point.value <= 1.5 * most] == []
    engine.dispose()


def _values(samples: Sequence[Sample]) -> dict[tuple[str, tuple[str, ...]], float]:
    return {(family.name, labels): value for family, labels, value in samples if family.kind in COUNTED}
