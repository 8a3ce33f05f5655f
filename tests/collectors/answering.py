"""A server that says always the same, whatever it is asked."""

import contextlib
import itertools
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass


@contextlib.contextmanager
def answering(text: bytes, before: bool = True) -> Iterator[int]:
    """Its port. `before`: it speaks first, as MySQL and SSH do; else it answers what it gets. Then it hangs up."""

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:  # it is over
                return
            with client, contextlib.suppress(OSError):
                client.settimeout(5)
                if not before:
                    client.recv(1000)
                client.sendall(text)
                client.shutdown(socket.SHUT_WR)
                while client.recv(1000):
                    pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(60)


@dataclass
class Endless:
    port: int = 0
    sent: int = 0
    """Bytes, by all connections: what it was not taken from us is not sent."""


@contextlib.contextmanager
def endless(start: bytes, piece: bytes, pause: float, before: bool = True) -> Iterator[Endless]:
    """A server that begins well and never ends: a piece after each pause (seconds), until the other side hangs up."""
    over = threading.Event()
    found = Endless()

    def talk(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(30)
            if not before:
                client.recv(1000)
            for each in itertools.chain([start], itertools.repeat(piece)):
                if over.wait(pause):
                    return
                client.sendall(each)
                found.sent += len(each)

    def serve() -> None:
        with contextlib.suppress(OSError):  # it is over
            while True:
                client, _ = server.accept()
                threading.Thread(target=talk, args=[client], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        found.port = server.getsockname()[1]
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield found
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
