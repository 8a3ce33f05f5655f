"""Servers that misbehave, for every collector that asks one: an outcome with a reason, in bounded time and memory."""

import contextlib
import json
import stat
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.reading import Reading, read_part, trial
from collectors import registry
from collectors.config import Config
from collectors.sources.fastcgi import STDOUT, encode
from tests.agent.fakes import Script, part, running, watch
from tests.collectors.a_million import FINE, GREETING, LET_IN, packet
from tests.collectors.answering import answering, endless
from tests.collectors.captures import DATA
from tests.lab.ports import wait_until

SOON = 0.25
"""Seconds that a read may take."""
MOST_TAKEN = 100_000_000
"""Bytes that all parts of a target together take from a server that never stops, and do not keep."""
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"


def text_of(place: str) -> bytes:
    return (DATA / place).read_bytes()


def captured(place: str, key: str) -> bytes:
    return str(json.loads(text_of(place))[key]).encode()


@dataclass(frozen=True)
class Kind:
    name: str
    config: Callable[[int], dict[str, Any]]
    good: bytes
    """How a good answer begins."""
    before: bool = False
    """It speaks first."""


def at(port: int) -> dict[str, Any]:
    return {"address": "127.0.0.1", "port": port, "timeout": SOON}


def page(path: str) -> Callable[[int], dict[str, Any]]:
    return lambda port: {"url": f"http://127.0.0.1:{port}{path}", "timeout": SOON}


INFO = captured("redis/redis-7.0/payload.info.json", "info")
KINDS = (
    Kind("nginx", page("/stub_status"), PAGE + text_of("nginx/nginx-1.22/payload.status.txt")),
    Kind("nginx", lambda port: {**page("/s")(port), "status_json": f"http://127.0.0.1:{port}/json"},
         PAGE + text_of("nginx/nginx-vts-documented/payload.zones.txt")),
    Kind("apache", page("/server-status?auto"), PAGE + text_of("apache/apache-2.4-event/payload.status.txt")),
    Kind("solr", page("/solr"), PAGE + text_of("solr/solr-9-documented/payload.metrics.txt")),
    Kind("phpfpm", lambda port: {"address": f"127.0.0.1:{port}", "timeout": SOON},
         encode(STDOUT, b"Content-type: application/json\r\n\r\n{") ),
    Kind("memcached", at, captured("memcached/memcached-1.6/payload.stats.json", "stats")),
    Kind("redis", at, b"$2000000000\r\n" + INFO),
    Kind("mysql", at, GREETING + packet(2, FINE) + packet(1, FINE) * 6 + b"\xff\xff\xff\1", before=True),
    Kind("postgres", at, LET_IN + b"D" + struct.pack("!I", 1 << 30)),
    Kind("probe", page("/"), PAGE),
    Kind("probe", lambda port: {"tcp": {"address": f"127.0.0.1:{port}", "talk": [{"expect": "^x$"}]}, "timeout": SOON},
         b"220 ", before=True),
    Kind("probe", lambda port: {"fastcgi": {"address": f"127.0.0.1:{port}"}, "timeout": SOON}, encode(STDOUT, b"X")),
)  # fmt: skip
EVERY = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.name}{KINDS.index(kind)}")
ASK_NO_SERVER = {"host", "mail", "security", "weblog", "drupal"}
"""They read files, or what another collector's server says."""
RUN_A_PROGRAM = {"varnish"}


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "disable")  # else the fakes would have to know the question for TLS


def config_of(kind: Kind, port: int) -> Config:
    return registry.collector(kind.name).config.model_validate(kind.config(port))


def read(kind: Kind, port: int) -> list[Reading]:
    """Of the parts that ask the server."""
    readings = trial(registry.collector(kind.name), config_of(kind, port))
    return [reading for reading in readings if not reading.part.beside and reading.part.name not in ("pool", "memory")]


def check(kind: Kind, readings: list[Reading]) -> None:
    """None of them is well, and each says why."""
    for reading in readings:
        assert reading.bug is None, reading.part.name
        assert len(reading.error) < 600
    if kind.name == "probe":
        values = {sample.family.name: sample.value for reading in readings for sample in reading.samples}
        assert values["probe_success"] == 0
    else:
        assert {reading.outcome for reading in readings} <= {"unreachable", "denied", "unsupported", "parse", "absent"}
        assert any(reading.error for reading in readings)


def test_every_collector_that_asks_a_server_is_here() -> None:
    assert {kind.name for kind in KINDS} | ASK_NO_SERVER | RUN_A_PROGRAM == set(registry.MODULES)


@EVERY
def test_one_byte_at_a_time_is_ended(kind: Kind) -> None:
    with endless(kind.good, b"\1", 0.02, kind.before) as server:
        check(kind, read(kind, server.port))


@EVERY
def test_a_head_that_comes_one_byte_at_a_time_is_ended(kind: Kind) -> None:
    with endless(kind.good[:3], kind.good[3:4] or b"\1", 0.02, kind.before) as server:
        check(kind, read(kind, server.port))


@EVERY
def test_what_never_stops_is_not_taken(kind: Kind) -> None:
    piece = (
        encode(STDOUT, bytes(65_000)) if "fastcgi" in str(kind.config(1)) or kind.name == "phpfpm" else b"x" * 65_536
    )
    with endless(kind.good, piece, 0, kind.before) as server:
        readings = read(kind, server.port)
        assert server.sent < MOST_TAKEN
    if not (kind.name == "probe" and kind.good == PAGE):  # a check takes of a page what it has to look at
        check(kind, readings)


@EVERY
@given(data=st.data())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_cut_off_or_spoilt_is_an_outcome(kind: Kind, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(kind.good)), "cut")
    rest = data.draw(st.binary(max_size=200), "rest")
    with answering(kind.good[:cut] + rest, kind.before) as port:
        for reading in read(kind, port):
            assert reading.bug is None
            assert len(reading.error) < 600


@EVERY
@pytest.mark.parametrize(
    "words",
    [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff\xfe\0", b"-ERR no\r\n", b"\x16\x03\1"],
)
def test_another_protocol_is_told_as_such(kind: Kind, words: bytes) -> None:
    with answering(words, kind.before) as port:
        check(kind, read(kind, port))


def test_a_host_full_of_them_delays_no_neighbour() -> None:
    with contextlib.ExitStack() as servers:
        watches = []
        for number, kind in enumerate(KINDS):
            server = servers.enter_context(endless(kind.good, b"\1", 0.02, kind.before))
            collector = registry.collector(kind.name)
            watches.append(watch(*collector.parts_of(config_of(kind, server.port)), name=f"bad-{number}"))
        good = watch(part(Script([2.0]), interval=1), name="good")
        with running(*watches, good) as run:
            run.tick(1)
            wait_until(lambda: run.of("web:good").get("fake_value") == 2, 5, "the good one is read")


MANY = 60_000


def lines(form: str, count: int = MANY) -> str:
    return "".join(form.replace("N", str(number)) for number in range(count))


def varnish(count: int) -> dict[str, str]:
    counter = {"flag": "b", "format": "b", "value": 1, "description": ""}
    counters = {f"VBE.boot.b{number}.happy": counter for number in range(count)}
    return {"counters": json.dumps({"version": 1, "counters": counters}), "version": "varnishstat (varnish-7.1.1)"}


@pytest.mark.parametrize(
    ("name", "part_name", "payload"),
    [
        ("redis", "info", {"info": "redis_version:7\r\n" + lines("dbN:keys=1,expires=0,avg_ttl=0\r\n"), "config": {}}),
        ("redis", "info", {"info": "redis_version:7\r\n" + lines("cmdstat_cN:calls=1,usec=2\r\n"), "config": {}}),
        ("memcached", "slabs", {"stats items": "", "stats slabs": lines("STAT N:chunk_size 9\r\n")}),
        ("varnish", "counters", varnish(MANY)),
        ("nginx", "zones", json.dumps({"serverZones": {f"z{n}": {"inBytes": 1, "outBytes": 1} for n in range(MANY)}})),
        ("apache", "status", lines("ProxyBalancer[0]Worker[N]Name: http://h\n")),
        ("phpfpm", "status", None),
    ],
)  # fmt: skip
def test_a_great_many_of_anything_is_refused_or_summed_up(name: str, part_name: str, payload: Any) -> None:
    (found,) = (each for each in registry.collector(name).parts if each.name == part_name)
    if name == "phpfpm":
        payload = json.loads(text_of("phpfpm/php-8.2-tcp/payload.status.json"))
        payload["status"]["processes"] *= MANY // 10
    reading = read_part(replace(found, read=lambda _: payload), None)
    assert (reading.outcome, reading.bug) in (("ok", None), ("parse", None))
    assert len(reading.samples) < 1000 or reading.outcome == "parse"


@pytest.fixture
def varnishstat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A program of that name that does what is given."""

    def write(script: str) -> None:
        file = tmp_path / "varnishstat"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return write


@pytest.mark.parametrize(
    "script",
    ["exit 0", "echo nonsense", "printf '\\377\\376{'", "echo '{\"version\": 1, \"coun'", "yes", "sleep 60",
     "while sleep 0.02; do printf x; done", "kill -9 $$", "echo '[]'", "echo '{\"counters\": 7}'"],
)  # fmt: skip
def test_a_program_that_misbehaves_is_ended(script: str, varnishstat: Callable[[str], None]) -> None:
    varnishstat(script)
    (reading,) = trial(
        registry.collector("varnish"), registry.collector("varnish").config.model_validate({"timeout": SOON})
    )
    assert reading.bug is None
    assert reading.outcome in ("unreachable", "parse", "unsupported")
    assert reading.error
