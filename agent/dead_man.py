"""A ping to somebody outside, sent only while this process gets on with its work: its absence is the alert.

A process that lives but is stuck must miss its ping, so each ping asks what has got on since the last one.
"""

import http.client
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Annotated
from urllib.error import URLError
from urllib.request import Request, urlopen

from pydantic import Field

from alerts.notifier import SecretUrl
from collectors.config import Config, Seconds
from collectors.model import Counter, Gauge, Sample

log = logging.getLogger("raingauge.dead_man")

PINGS = Counter("raingauge_dead_man_pings_total", "Pings to the watch outside, by what became of them.", ("outcome",))
PROGRESS = Gauge(
    "raingauge_progress_timestamp_seconds", "When each thing that has to get on last did; a peer looks at it.", ("of",)
)
FAMILIES = (PINGS, PROGRESS)
OUTCOMES = ("sent", "withheld", "failed")
TIMEOUT = 10.0  # seconds

Progress = Callable[[], Mapping[str, float]]
"""What has to get on -> when it last did, Unix seconds."""


class DeadMan(Config):
    url: SecretUrl | None = None
    """Address that is sent an empty POST, such as a check of Healthchecks; its silence has to alert somebody."""
    interval: Annotated[Seconds, Field(ge=10, le=3600)] = 60.0
    """Time between two pings; what has not got on for three of them withholds the next."""


def stuck(progress: Mapping[str, float], now: float, interval: float) -> list[str]:
    """What has not got on. After the clock was set back nothing is."""
    return sorted(name for name, at in progress.items() if now - at > 3 * interval)


class Watch:
    """`start` and `stop` once each."""

    def __init__(self, settings: DeadMan, progress: Progress, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._progress = progress
        self._clock = clock
        self._said = ""
        self._counts = dict.fromkeys(OUTCOMES, 0)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dead-man", daemon=True)

    def start(self) -> None:
        if self._settings.url is not None:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def samples(self) -> list[Sample]:
        pings = self._counts.items() if self._settings.url else ()
        return [
            *(PINGS(count, outcome) for outcome, count in pings),
            *(PROGRESS(at, of) for of, at in self._progress().items() if at),
        ]

    def _run(self) -> None:
        while not self._stopping.wait(self._settings.interval):
            self.ping()

    def ping(self) -> None:
        behind = stuck(self._progress(), self._clock(), self._settings.interval)
        error = f"no progress of {', '.join(behind)}" if behind else self._send()
        self._counts["withheld" if behind else "failed" if error else "sent"] += 1
        if error != self._said:
            log.warning("dead_man=%s", error) if error else log.info("dead_man=sent again")
        self._said = error

    def _send(self) -> str:
        """What went wrong; "" if nothing did. It never holds the address, which may be a key."""
        assert self._settings.url is not None
        headers = {"User-Agent": "raingauge", "Content-Type": "application/json"}
        request = Request(self._settings.url.reveal(), b"{}", headers)  # noqa: S310 # http is checked
        try:
            with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                return "" if 200 <= answer.status < 300 else f"the watch answers {answer.status}"
        except (URLError, OSError, http.client.HTTPException, ValueError) as error:
            status = getattr(error, "code", None)
            return f"the watch answers {status}" if status else f"the watch cannot be reached: {type(error).__name__}"
