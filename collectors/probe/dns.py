"""A check of a name server: one question over UDP or TCP, and what is in the answer.

Source: https://www.rfc-editor.org/rfc/rfc1035
"""

import ipaddress
import socket
import struct
from typing import Any

from collectors.probe.attempt import Attempt, Failed
from collectors.probe.config import Dns, Probe
from collectors.probe.expectations import compiled

PHASES = ("resolve", "connect", "request")
PORT = 53
MOST_DATAGRAM = 65_535


def run(config: Probe, attempt: Attempt) -> None:
    assert config.dns is not None
    import dns.exception  # only for checks of name servers
    import dns.message
    import dns.rcode

    asked = config.dns
    attempt.more |= {"answered": False, "answer": 0, "authority": 0, "additional": 0, "serial": None}
    try:
        question = dns.message.make_query(asked.name, asked.type, use_edns=False)
        answer = _exchange(asked, attempt, question)
    except dns.exception.DNSException as error:
        raise Failed("protocol", f"expected a DNS message, found {type(error).__name__}: {error}") from error
    texts = [text for each in answer.answer for text in _texts(each)]
    attempt.more |= {
        "answered": True,
        "answer": sum(map(len, answer.answer)),
        "authority": sum(map(len, answer.authority)),
        "additional": sum(map(len, answer.additional)),
        "serial": _serial(answer) if asked.type == "SOA" else None,
    }
    judge(asked, dns.rcode.to_text(answer.rcode()), texts)


def judge(asked: Dns, code: str, texts: list[str]) -> None:
    """Pure: Failed when the answers, each as text, are not as they should be."""
    if code != asked.expect_code:
        raise Failed("status", f"expected {asked.expect_code}, found {code}")
    given = [_plain(text) for text in texts]
    for expected in asked.expect:
        if _plain(expected) not in given:
            raise Failed("body", f"expected {expected!r} among the answers, found {texts[:5]}")
    for pattern in asked.must_match:
        if not any(compiled(pattern).search(text) for text in texts):
            raise Failed("body", f"expected {pattern!r} to match an answer, found {texts[:5]}")
    for pattern in asked.must_not_match:
        if any(compiled(pattern).search(text) for text in texts):
            raise Failed("body", f"expected {pattern!r} to match no answer, found {texts[:5]}")


def server(text: str) -> tuple[str, int]:
    """`host`, `host:port`, `[v6]:port` or a bare address."""
    try:
        return str(ipaddress.ip_address(text.strip("[]"))), PORT
    except ValueError:
        host, _, port = text.rpartition(":")
        return (host.strip("[]"), int(port)) if host and port.isdecimal() else (text, PORT)


def _exchange(asked: Dns, attempt: Attempt, question: Any) -> Any:
    host, port = server(asked.server)
    wire = question.to_wire()
    over_tcp = asked.protocol == "tcp"
    kind = socket.SOCK_STREAM if over_tcp else socket.SOCK_DGRAM
    with attempt.connect(host, port, kind) as sock, attempt.phase("request"):
        sock.settimeout(attempt.left())
        sock.sendall(struct.pack(">H", len(wire)) + wire if over_tcp else wire)
        return _streamed(attempt, sock, question) if over_tcp else _datagram(attempt, sock, question)


def _streamed(attempt: Attempt, sock: socket.socket, question: Any) -> Any:
    import dns.message

    (length,) = struct.unpack(">H", _exactly(attempt, sock, 2))
    answer = dns.message.from_wire(_exactly(attempt, sock, length), ignore_trailing=True)
    if not question.is_response(answer):
        raise Failed("protocol", "expected the answer to our question, found another")
    return answer


def _exactly(attempt: Attempt, sock: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        sock.settimeout(attempt.left())
        piece = sock.recv(length - len(data))
        if not piece:
            raise Failed("protocol", f"expected {length} bytes, found the end after {len(data)}")
        data += piece
    return data


def _datagram(attempt: Attempt, sock: socket.socket, question: Any) -> Any:
    """The first that answers our question: anybody may send others."""
    import dns.exception
    import dns.message

    while True:
        sock.settimeout(attempt.left())
        try:
            answer = dns.message.from_wire(sock.recv(MOST_DATAGRAM), ignore_trailing=True)
        except dns.exception.DNSException:
            continue
        if question.is_response(answer):
            return answer


def _texts(records: Any) -> list[str]:
    return [str(record.to_text()) for record in records]


def _plain(text: str) -> str:
    """Names in lower case and without the dot at the end; texts without their quotes."""
    return " ".join(text.lower().replace('"', "").split()).rstrip(".")


def _serial(answer: Any) -> int | None:
    return next((int(record.serial) for each in answer.answer for record in each if hasattr(record, "serial")), None)
