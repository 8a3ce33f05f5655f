"""A server of the standard library that answers in a thread of its own while the context lasts."""

import threading
from socketserver import TCPServer
from typing import Self


class Background(TCPServer):
    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()
