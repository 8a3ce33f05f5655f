"""What is no PostgreSQL server, or one that says no in another language: an outcome, soon, and never a defect."""

import contextlib
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.reading import Reading, trial
from collectors.postgres import COLLECTOR
from collectors.postgres.config import Postgres
from tests.collectors.answering import answering
from tests.lab.ports import free_port


def read(**settings: Any) -> dict[str, Reading]:
    return {reading.part.name: reading for reading in trial(COLLECTOR, Postgres(**settings))}


def error(code: str) -> bytes:
    body = f"SIRGENDWAS\0VFATAL\0C{code}\0MZu viele Verbindungen\0\0".encode()
    return b"E" + struct.pack("!I", len(body) + 4) + body


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "parse"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "parse"),
        (b"-ERR unknown command\r\n", "parse"),
        (b"R" + struct.pack("!I", 1 << 30), "parse"),
        (b"R\0\0\0\x08\0\0\0\0" + b"\0" * 40, "parse"),
        (b"", "unreachable"),
        (b"E\0\0", "unreachable"),
        (error("53300"), "unreachable"),
        (error("57P03"), "unreachable"),
        (error("28000"), "denied"),
        (error("28P01"), "denied"),
        (error("3D000"), "denied"),
        (error("0A000"), "unsupported"),
    ],
)
def test_what_answers_as_no_postgresql_server_does_or_in_another_language(answer: bytes, outcome: str) -> None:
    with answering(answer, before=False) as port:
        found = read(port=port, timeout=0.5)
    assert {(reading.outcome, reading.bug) for reading in found.values()} == {(outcome, None)}


def test_a_server_that_never_answers_is_given_up() -> None:
    with answering(b"S", before=False) as port:  # TLS, it says, and then nothing
        reading = read(port=port, timeout=0.3)["status"]
    assert (reading.outcome, reading.bug) == ("unreachable", None)
    with silent() as port:
        reading = read(port=port, timeout=0.3)["status"]
    assert (reading.outcome, reading.bug) == ("unreachable", None)


@contextlib.contextmanager
def silent() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


LET_IN = message(b"R", b"\0\0\0\0") + message(b"S", b"server_version\x0015.4\0") + message(b"Z", b"I")
ONE_COLUMN = message(b"T", b"\0\x01" + b"a\0" + struct.pack("!IhIhih", 0, 0, 114, -1, -1, 0))


@pytest.mark.parametrize(
    "rows",
    [
        message(b"D", b"\0\x01\0\0\0\x02[]"),
        message(b"D", b"\0\x01\0\0\0\x02{]"),
        message(b"D", b"\0\x01\xff\xff\xff\xff"),
        message(b"D", b"\0\x01\0\0\x17\x70" + b"1" * 6000),
        message(b"H", b"\0\0\0"),
    ],
)
def test_rows_that_are_none_are_refused(rows: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "disable")  # a server that speaks first cannot do TLS
    with answering(LET_IN + ONE_COLUMN + rows + message(b"C", b"SELECT 1\0") + message(b"Z", b"I"), before=False) as at:
        found = read(port=at, timeout=0.5)
    assert {reading.bug for reading in found.values()} == {None}
    assert {reading.outcome for reading in found.values()} <= {"parse", "unreachable"}


def test_a_password_file_that_cannot_be_read_is_no_server_that_is_down(tmp_path: Path) -> None:
    gone = read(password_file=tmp_path / "gone", port=free_port())["status"]
    assert (gone.outcome, gone.error) == (
        "denied",
        f"read the password from {tmp_path}/gone: No such file or directory",
    )


@pytest.mark.parametrize("odd", ["", " ", "a\0b", "'", "\\", "x=y host=elsewhere", "\ud800", "\n", "stra\xdfe" * 200])
def test_odd_names_and_passwords_are_no_defect_and_lead_nowhere_else(odd: str) -> None:
    for name in ("user", "password", "database"):
        settings = {"address": "127.0.0.1", "port": free_port(), "timeout": 0.5, name: odd}
        reading = read(**settings)["status"]
        assert reading.bug is None
        assert reading.outcome in ("unreachable", "unsupported", "denied")


@pytest.mark.parametrize("address", ["", "/var/run/postgresql", "@abstract", "a,b", "a b"])
def test_an_address_that_libpq_would_take_for_something_else_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="address"):
        Postgres(address=address)


def test_a_name_that_no_host_can_have_is_unreachable() -> None:
    for address in ("x" * 100, "stra\xdfe" * 200, "nowhere.invalid"):
        reading = read(address=address, timeout=0.5)["status"]
        assert (reading.outcome, reading.bug) == ("unreachable", None)
