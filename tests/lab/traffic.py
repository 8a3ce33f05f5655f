"""A bounded traffic generator: so many requests a second, for so long, and never more."""

import http.client
import random
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

MOST_REQUESTS = 100_000


class Traffic:
    """Asks `paths` of the site in turn from one thread until it is left, its time is over or MOST_REQUESTS are made."""

    def __init__(
        self, url: str, per_second: float = 10, seconds: float = 300, paths: tuple[str, ...] = ("/",), agent: str = ""
    ) -> None:
        self._at = urlsplit(url)
        self._pause = 1 / per_second
        self._count = min(int(per_second * seconds), MOST_REQUESTS)
        self._paths = paths
        self._headers = {"User-Agent": agent} if agent else {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lab-traffic", daemon=True)
        self.answers = 0

    def _run(self) -> None:
        choose = random.Random(1)
        for _ in range(self._count):
            if self._over.wait(choose.uniform(0.5, 1.5) * self._pause):
                return
            connection = http.client.HTTPConnection(self._at.hostname or "", self._at.port, timeout=60)
            try:
                connection.request("GET", choose.choice(self._paths), headers=self._headers)
                connection.getresponse().read()
                self.answers += 1
            except (OSError, http.client.HTTPException):
                pass  # a server that was killed on purpose
            finally:
                connection.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(15)
