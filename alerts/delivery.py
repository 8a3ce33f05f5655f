"""Bring the outbox to its receivers: a thread for each channel, so that one that hangs delays nobody else."""

import http.client
import logging
import random
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from alerts import state
from alerts.notifier import Channel, Request
from alerts.post import Answer, post, retry_after_seconds, verdict

log = logging.getLogger("raingauge.alerts.delivery")

GIVE_UP_SECONDS = 86400.0
LONGEST_WAIT = 60.0  # seconds
LONGEST_RETRY_AFTER = 3600.0  # seconds
IDLE_SECONDS = 5.0
"""How long a worker sleeps at most: the clock may be set, and another process may write to the outbox."""


@dataclass
class ChannelStats:
    """Counters since start."""

    sent: int = 0
    retries: int = 0
    failed: int = 0
    """Messages given up for good."""
    last_error: str = ""
    """"" after a success."""


def retry_wait(attempts: int, fraction: float, retry_after: float = 0.0) -> float:
    """Seconds until the next try: 0.5 s x 1.5^attempts, at most 60 s, times a random fraction (full jitter)."""
    longest = min(LONGEST_WAIT, 0.5 * 1.5 ** min(attempts, 50))
    return max(longest * fraction, min(retry_after, LONGEST_RETRY_AFTER))


class Delivery:
    """`start` and `stop` once each; `wake` when something new is in the outbox."""

    def __init__(
        self,
        engine: Engine,
        channels: Sequence[Channel],
        clock: Callable[[], float] = time.time,
        send: Callable[[Request, float], Answer] = post,
        fraction: Callable[[], float] = random.random,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._send = send
        self._fraction = fraction
        self._workers = {channel.name: _Worker(channel, self._work) for channel in channels}
        self.stats = {channel.name: ChannelStats() for channel in channels}

    def start(self) -> None:
        for worker in self._workers.values():
            worker.thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """A worker that hangs in a receiver is left behind: what it sends is still in the outbox."""
        for worker in self._workers.values():
            worker.stopped = True
            worker.awake.set()
        deadline = time.monotonic() + timeout
        for worker in self._workers.values():
            if worker.thread.is_alive():
                worker.thread.join(max(0.0, deadline - time.monotonic()))

    def wake(self) -> None:
        for worker in self._workers.values():
            worker.awake.set()

    def _work(self, worker: "_Worker") -> None:
        while not worker.stopped:
            worker.awake.clear()
            try:
                pause = self.deliver_next(worker.channel)
            except Exception as error:  # noqa: BLE001  the delivery boundary: a broken database must not end the thread
                log.error("channel=%s delivery stopped for now: %s", worker.channel.name, _place(error))
                pause = IDLE_SECONDS
            if pause > 0:
                worker.awake.wait(min(pause, IDLE_SECONDS))

    def deliver_next(self, channel: Channel) -> float:
        """Try the channel's next message if it is due; seconds until there may be something to do again."""
        message = state.next_message(self._engine, channel.name)
        if message is None:
            return IDLE_SECONDS
        # A due time too far ahead was written before the clock was set back.
        early = message.next_try - self._clock()
        if 0 < early <= LONGEST_RETRY_AFTER:
            return early
        self._try(channel, message)
        return 0.0

    def _try(self, channel: Channel, message: state.Message) -> None:
        stats = self.stats[channel.name]
        error, outcome, retry_after = self._attempt(channel, message)
        now = self._clock()
        if outcome == "done":
            state.sent(self._engine, message)
            stats.sent += 1
            if stats.last_error:
                log.info("channel=%s delivers again", channel.name)
        elif outcome == "permanent" or now - message.created >= GIVE_UP_SECONDS:
            state.bury(self._engine, message, now, error)
            stats.failed += 1
            log.error("channel=%s group=%s given up: %s", channel.name, message.group_key, error)
        else:
            wait = retry_wait(message.attempts, self._fraction(), retry_after)
            state.postpone(self._engine, message, now + wait, error)
            stats.retries += 1
            if error != stats.last_error:
                log.warning("channel=%s cannot deliver, retrying: %s", channel.name, error)
        stats.last_error = error

    def _attempt(self, channel: Channel, message: state.Message) -> tuple[str, str, float]:
        """What went wrong ("" if nothing), what it means, and how long the receiver wants us to wait, seconds."""
        try:
            request = channel.notifier.render(message.notice, channel.settings)
            answer = self._send(request, channel.settings.timeout)
        except OSError as error:
            return f"{type(error).__name__}: {error}", "retry", 0.0
        except http.client.HTTPException as error:
            return type(error).__name__, "retry", 0.0  # its text may hold the address
        except Exception as error:  # noqa: BLE001  the delivery boundary: a bug in one notifier stays there
            return _place(error), "retry", 0.0
        outcome = verdict(answer.status)
        wait = retry_after_seconds(answer.retry_after, self._clock()) if outcome == "retry" else 0.0
        return ("" if outcome == "done" else f"HTTP {answer.status}"), outcome, wait


class _Worker:
    def __init__(self, channel: Channel, work: Callable[["_Worker"], None]) -> None:
        self.channel = channel
        self.awake = threading.Event()
        self.stopped = False
        self.thread = threading.Thread(target=work, args=(self,), name=f"deliver-{channel.name}", daemon=True)


def _place(error: Exception) -> str:
    """Type and place without the text, which may hold a secret."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name} ({frame.filename}:{frame.lineno})"
