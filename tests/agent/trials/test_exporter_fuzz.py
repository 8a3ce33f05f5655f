"""Whatever bytes come, the exporter answers HTTP or nothing, logs no bug, leaves no thread, serves the next client."""

import logging
import random
import re
import socket
import threading

import pytest

from agent.exporter import Exporter
from agent.pages import Pages
from tests.agent.test_exporter import Client, filled, serving
from tests.agent.test_exporter_clients import opened
from tests.agent.trials.dice import TRIALS, dice
from tests.lab.ports import wait_until

pytestmark = pytest.mark.trials

REQUESTS_A_TRIAL = 40
SEEDS = (
    b"GET /metrics HTTP/1.1\r\nHost: a:1\r\nAccept-Encoding: gzip\r\n\r\n",
    b"GET /metrics/redis/web1_6379?x=%ff HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\nGET /sd HTTP/1.1\r\n\r\n",
    b"HEAD / HTTP/1.0\r\n\r\n",
    b"POST /sd HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    b"GET /-/ready HTTP/1.1\r\nAuthorization: Basic AAAA\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
)
PIECES = (b"\r\n", b"\n", b"\0", b" ", b":", b"\xff", b"HTTP/1.1", b"/", b"%", b"GET ", b"Host: ", b"X: y\r\n" * 120)
ANSWER = re.compile(
    rb"HTTP/1\.[01] (100|200|400|401|404|408|414|431|501|503|505) "
    rb"|(\x1f\x8b|# HELP|\[|<!DOCTYPE|<!doctype|healthy|ready|not found|a scrape)"  # HTTP/0.9 has no head
)


def mutated(chance: random.Random) -> bytes:
    text = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randrange(5)):
        at = chance.randrange(len(text) + 1)
        match chance.randrange(5):
            case 0:
                text[at:at] = chance.choice(PIECES)
            case 1:
                del text[at : at + chance.randrange(1, 20)]
            case 2:
                text[at:at] = chance.randbytes(chance.randrange(1, 30))
            case 3:
                text[at:at] = text[chance.randrange(len(text) + 1) :]
            case 4:
                text[at:at] = b"a" * chance.choice((100, 10_000, 70_000))
    return bytes(text)


def answer(exporter: Exporter, request: bytes, chance: random.Random) -> bytes:
    with opened(exporter) as connection:
        try:
            at = chance.randrange(len(request) + 1)
            connection.sendall(request[:at])
            connection.sendall(request[at:])
            if chance.random() < 0.1:
                return b""  # gone without reading
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except OSError:
            return b""  # refused before all of it was sent


def test_any_bytes(caplog: pytest.LogCaptureFixture) -> None:
    chance = dice()
    before = threading.active_count()
    with serving(filled(Pages())) as exporter, caplog.at_level(logging.WARNING, "raingauge"):
        for _ in range(TRIALS):
            for _ in range(REQUESTS_A_TRIAL):
                request = mutated(chance)
                found = answer(exporter, request, chance)
                assert found == b"" or ANSWER.match(found), (request, found[:200])
            client = Client(exporter)
            assert client.ask("/metrics")[0] == 200
            client.connection.close()
        wait_until(lambda: threading.active_count() <= before + 2, 15, "no thread is left")
    assert caplog.records == []
