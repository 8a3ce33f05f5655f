"""A server of lines of text, as mail, IMAP and SSH servers speak: TLS from the start, on demand, or not at all."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

SMTP = {
    "": "220 mail.example ESMTP",
    "EHLO": "250-mail.example\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n250 HELP",
    "STARTTLS": "220 go ahead",
    "QUIT": "221 bye",
}
IMAP = {"": "* OK IMAP4rev1 ready", "a STARTTLS": "a OK begin", "b LOGOUT": "* BYE\r\nb OK bye"}
POP3 = {"": "+OK ready", "STLS": "+OK begin", "QUIT": "+OK bye"}
SSH = {"": "SSH-2.0-OpenSSH_9.2p1 Debian-2"}
UPGRADES = ("STARTTLS", "a STARTTLS", "STLS")


class Talking:
    """`says`: what is answered to a line that begins so; "" is said first. A line of UPGRADES is followed by TLS."""

    def __init__(self, says: Mapping[str, str], certificate: Path | None = None, tls: bool = False) -> None:
        self._says = says
        self._tls = tls
        self._context = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
        self.lines: list[str] = []

    def __enter__(self) -> Self:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join(60)
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:  # it is over
                return
            client.settimeout(5)
            with contextlib.suppress(OSError):  # a client that goes away is what is tested
                self._speak(client)
            client.close()

    def _speak(self, client: socket.socket) -> None:
        if self._tls and self._context:
            client = self._context.wrap_socket(client, server_side=True)
        try:
            if "" in self._says:
                client.sendall(f"{self._says['']}\r\n".encode())
            while line := self._line(client):
                self.lines.append(line)
                said = next((said for start, said in self._says.items() if start and line.startswith(start)), None)
                if said is not None:
                    client.sendall(f"{said}\r\n".encode())
                if line in UPGRADES and self._context:
                    client = self._context.wrap_socket(client, server_side=True)
        finally:
            client.close()

    @staticmethod
    def _line(client: socket.socket) -> str:
        line = b""
        while not line.endswith(b"\n") and (piece := client.recv(1)):
            line += piece
        return line.decode(errors="replace").rstrip("\r\n")
