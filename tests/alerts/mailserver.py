"""A small mail server that keeps what it is given: STARTTLS or TLS, a login, and answers as a test tells it."""

import base64
import socketserver
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.lab.background import Background


@dataclass(frozen=True)
class Received:
    sender: str
    recipients: tuple[str, ...]
    mail: EmailMessage
    raw: bytes
    login: tuple[str, ...]
    encrypted: bool


def certificate(folder: Path) -> Path:
    """Of 127.0.0.1, with its key, in one file; SSL_CERT_FILE makes it known."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "lab.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


class MailServer(Background, socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, pem: Path | None = None, *, tls: str = "none", answers: dict[str, str] | None = None) -> None:
        """`answers`: by the first word of a command, instead of what it would say."""
        super().__init__(("127.0.0.1", 0), _Session)
        self.tls = tls
        self.answers = answers or {}
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if pem:
            self.context.load_cert_chain(pem)
        self.port: int = self.server_address[1]
        self.received: list[Received] = []
        self.spoken: list[bytes] = []

    def handle_error(self, *_: object) -> None:
        """A client that goes away is no news."""


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    encrypted = False

    def handle(self) -> None:
        self.login: tuple[str, ...] = ()
        if self.server.tls == "tls":
            self._encrypt()
        self.sender = ""
        self.recipients: list[str] = []
        self._say("220 lab ESMTP")
        while line := self.rfile.readline():
            self.server.spoken.append(line)
            if not self._answer(line.decode().strip()):
                return

    def finish(self) -> None:
        super().finish()
        if self.encrypted:
            self.request.close()

    def _answer(self, line: str) -> bool:
        word, _, rest = line.partition(" ")
        word = word.upper()
        if word in self.server.answers:
            self._say(self.server.answers[word])
        elif word == "EHLO":
            offered = ["STARTTLS"] if self.server.tls == "starttls" and not self.encrypted else []
            lines = ["lab", *offered, "AUTH PLAIN", "8BITMIME"]
            self._say("\r\n".join(f"250{'-' if each != lines[-1] else ' '}{each}" for each in lines))
        elif word == "STARTTLS":
            self._say("220 go on")
            self._encrypt()
        elif word == "AUTH":
            self.login = tuple(base64.b64decode(rest.split()[1]).decode().split("\0")[1:])
            self._say("235 welcome")
        elif word == "MAIL":
            self.sender = rest.partition("<")[2].partition(">")[0]
            self._say("250 ok")
        elif word == "RCPT":
            self.recipients.append(rest.partition("<")[2].partition(">")[0])
            self._say("550 nobody of that name" if "nobody" in rest else "250 ok")
        elif word == "DATA":
            self._say("354 go on")
            self._take()
        else:
            self._say("221 bye" if word == "QUIT" else "250 ok")
        return word != "QUIT"

    def _take(self) -> None:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        raw = b"".join(lines)
        mail: Any = message_from_bytes(raw, policy=policy.default)
        self.server.received.append(
            Received(self.sender, tuple(self.recipients), mail, raw, self.login, self.encrypted)
        )
        self._say(self.server.answers.get("TAKEN", "250 queued as 7"))

    def _encrypt(self) -> None:
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        self.encrypted = True

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
