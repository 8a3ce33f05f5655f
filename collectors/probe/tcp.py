"""A check of a TCP service: connect, TLS from the start or after STARTTLS, and what is said on the connection.

Source: https://www.rfc-editor.org/rfc/rfc3207
"""

import re
import socket
from collections.abc import Mapping

from collectors.probe.attempt import Attempt, Failed
from collectors.probe.config import Line, Probe, Tcp
from collectors.probe.expectations import compiled
from collectors.probe.judge import certificate
from collectors.probe.tls import Trust, secured
from collectors.sources.sockets import host_and_port

PHASES = ("connect", "tls")
STARTTLS: Mapping[str, tuple[Line, ...]] = {
    "": (),
    "smtp": (
        Line(expect="^220 ", send="EHLO raingauge"),
        Line(expect="^250[ -](?i:STARTTLS)", send="STARTTLS"),
        Line(expect="^220 ", starttls=True),
        Line(send="QUIT"),
    ),
    "imap": (
        Line(expect=r"^\* (OK|PREAUTH)", send="a STARTTLS"),
        Line(expect="^a OK", starttls=True),
        Line(send="b LOGOUT"),
    ),
    "pop3": (Line(expect=r"^\+OK", send="STLS"), Line(expect=r"^\+OK", starttls=True), Line(send="QUIT")),
}
MOST_LINE = 65_536
MOST_BYTES = 131_072
GROUP = re.compile(r"\$\{([0-9])\}")


def run(config: Probe, attempt: Attempt) -> None:
    assert config.tcp is not None
    attempt.more["regex"] = False
    with _Conversation(config, config.tcp, attempt) as conversation:
        if config.tcp.tls:
            conversation.secure()
        for line in (*STARTTLS[config.tcp.starttls], *config.tcp.talk):
            conversation.have(line)
    if config.certificate:
        certificate(config.certificate, attempt.tls)


class _Conversation:
    """Lines over one connection, each of which must come before the check's time is over."""

    def __init__(self, config: Probe, tcp: Tcp, attempt: Attempt) -> None:
        self._config, self._tcp, self._attempt = config, tcp, attempt
        host, port = host_and_port(tcp.address)
        self._name = tcp.server_name or host
        self._sock: socket.socket = attempt.connect(host, port)
        self._had: list[Line] = []
        self._rest = b""
        self._came = 0

    def __enter__(self) -> "_Conversation":
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def secure(self) -> None:
        """What was sent before the handshake cannot be vouched for, and is dropped."""
        self._rest = b""
        trust = Trust(self._config.verify_tls, self._config.ca_file)
        self._sock = secured(self._attempt, self._sock, self._name, trust, self._again)

    def _again(self) -> socket.socket:
        """A new connection on which the same was said."""
        other = _Conversation(self._config, self._tcp, self._attempt)
        try:
            for line in self._had:
                other.have(line.model_copy(update={"starttls": False}))
        except BaseException:
            other._sock.close()
            raise
        return other._sock

    def have(self, line: Line) -> None:
        self._attempt.doing = "talk"
        self._had.append(line)
        groups: tuple[str, ...] = ()
        if line.expect:
            groups = self._expected(line.expect)
        if line.send:
            text = GROUP.sub(lambda found: groups[int(found[1])] if int(found[1]) < len(groups) else "", line.send)
            self._sock.settimeout(self._attempt.left())
            self._sock.sendall(text.encode() + b"\r\n")
        if line.starttls:
            self.secure()

    def _expected(self, pattern: str) -> tuple[str, ...]:
        """The whole match and its groups; Failed when the connection ends before a line has it."""
        last = ""
        while (line := self._line()) is not None:
            if found := compiled(pattern).search(line):
                return (found[0], *(group or "" for group in found.groups()))
            last = line
        self._attempt.more["regex"] = True
        raise Failed("body", f"expected a line with {pattern!r}, found {last[:80]!r} before the end")

    def _line(self) -> str | None:
        """None at the end of what comes."""
        while b"\n" not in self._rest:
            if len(self._rest) > MOST_LINE or self._came > MOST_BYTES:
                raise Failed("protocol", "expected lines of text, found more than a line or an answer may have")
            self._sock.settimeout(self._attempt.left())
            data = self._sock.recv(4096)
            self._came += len(data)
            if not data:
                line, self._rest = self._rest, b""
                return line.decode(errors="replace") if line else None
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.rstrip(b"\r").decode(errors="replace")
