"""Bring the outbox to its receivers: a thread for each channel, so that one that hangs delays nobody else."""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Engine

from alerts import outbox, state
from alerts.attempt import Attempt, attempt, place
from alerts.breaker import Breaker, remembered
from alerts.message.context import Context
from alerts.notices import Notice
from alerts.notifier import Answer, Channel, Request
from alerts.post import post

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


def _nothing(_notice: Notice) -> Context | None:
    return None


class Delivery:
    """`start` and `stop` once each; `wake` when something new is in the outbox."""

    def __init__(
        self,
        engine: Engine,
        channels: Sequence[Channel],
        clock: Callable[[], float] = time.time,
        send: Callable[[Request, float], Answer] = post,
        fraction: Callable[[], float] = random.random,
        *,
        context: Callable[[Notice], Context | None] = _nothing,
    ) -> None:
        """`context`: what is known beyond the alerts, asked for in the channel's thread at each try."""
        self._engine = engine
        self._clock = clock
        self._send = send
        self._fraction = fraction
        self._context = context
        self._workers = {channel.name: _Worker(channel, self._work) for channel in channels}
        self._breakers = {channel.name: remembered(outbox.tries(engine, channel.name)) for channel in channels}
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
            worker.looked = self._clock()
            try:
                pause = self.deliver_next(worker.channel)
            except Exception as error:  # noqa: BLE001  the delivery boundary: a broken database must not end the thread
                log.error("channel=%s delivery stopped for now: %s", worker.channel.name, place(error))
                pause = IDLE_SECONDS
            if pause > 0:
                worker.awake.wait(min(pause, IDLE_SECONDS))

    def looked(self) -> dict[str, float]:
        """When each channel's worker last looked into the outbox, Unix seconds."""
        return {f"channel {name}": worker.looked for name, worker in self._workers.items()}

    def deliver_next(self, channel: Channel) -> float:
        """Try the channel's next message if it is due; seconds until there may be something to do again."""
        breaker = self._breakers[channel.name]
        message = state.next_message(self._engine, channel.name, probe=breaker.is_open, away=breaker.away)
        if message is None:
            return IDLE_SECONDS
        # A due time too far ahead was written before the clock was set back.
        early = (breaker.until if breaker.is_open else max(message.next_try, breaker.until)) - self._clock()
        if 0 < early <= LONGEST_RETRY_AFTER:
            return early
        self._try(channel, message)
        return 0.0

    def _try(self, channel: Channel, message: state.Message) -> None:
        stats = self.stats[channel.name]
        notice = self._notice(message)
        tried = attempt(channel, notice, self._clock(), self._send)
        now = self._clock()
        self._note(channel.name, tried, now)
        if tried.outcome == "done":
            state.sent(self._engine, message)
            stats.sent += 1
            if stats.last_error:
                log.info("channel=%s delivers again", channel.name)
        elif tried.outcome == "permanent" or now - message.created >= GIVE_UP_SECONDS:
            state.bury(self._engine, message, now, tried.error)
            stats.failed += 1
            log.error("channel=%s group=%s given up: %s", channel.name, message.group_key, tried.error)
        else:
            wait = retry_wait(message.attempts, self._fraction(), tried.retry_after)
            state.postpone(self._engine, message, now + wait, tried.error)
            stats.retries += 1
            if tried.error != stats.last_error:
                log.warning("channel=%s cannot deliver, retrying: %s", channel.name, tried.error)
        stats.last_error = tried.error

    def _notice(self, message: state.Message) -> Notice:
        """As it is told now: when, under which name, and with what is known beyond the alerts."""
        # The database gives the number of a message that is gone to the next one; not within the same cycle.
        name = f"{message.id}.{message.version}.{message.created:.3f}"
        notice = replace(message.notice, at=self._clock(), id=name)
        try:
            return replace(notice, context=self._context(notice))
        except Exception as error:  # noqa: BLE001  the delivery boundary: a message goes without what cannot be found out
            log.error("channel=%s message without its context: %s", message.channel, place(error))
            return notice

    def _note(self, name: str, tried: Attempt, now: float) -> None:
        """What a try says about the receiver."""
        before = self._breakers[name]
        if tried.outcome == "retry":
            wait = retry_wait(before.failures, self._fraction(), tried.retry_after)
            self._breakers[name] = before.failed(now, wait, tried.retry_after, tried.away)
        elif tried.outcome != "bug":
            self._breakers[name] = Breaker()
            if before.is_open:
                log.info("channel=%s answers again", name)
                outbox.hurry(self._engine, name, now)


class _Worker:
    def __init__(self, channel: Channel, work: Callable[["_Worker"], None]) -> None:
        self.channel = channel
        self.awake = threading.Event()
        self.stopped = False
        self.looked = 0.0
        """When it last looked into the outbox, Unix seconds."""
        self.thread = threading.Thread(target=work, args=(self,), name=f"deliver-{channel.name}", daemon=True)
