"""A server that says always the same, whatever it is asked."""

import contextlib
import socket
import threading
from collections.abc import Iterator


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
            thread.join(5)
