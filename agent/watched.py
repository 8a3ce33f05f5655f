"""One target of the runner: its ticks, the thread that reads it, and what was logged of it last."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from agent.followers import Followed
from agent.reading import Reading, failed
from agent.ticking import PartState, Ticking
from agent.worker import Worker
from collectors.model import Sample

log = logging.getLogger("raingauge.runner")

STUCK_SECONDS = 0.2
"""A worker so long in one read gives the parts that wait behind it to a new one."""


class Watched:
    def __init__(
        self,
        ticking: Ticking,
        answered: threading.Condition,
        clock: Callable[[], float],
        followed: Sequence[Followed] = (),
    ) -> None:
        self.ticking = ticking
        self._followed = followed
        self.lock = threading.Lock()
        """Guards `ticking`."""
        self.pending: list[PartState] = []
        """What the tick under way waits for."""
        self.last_stamp = 0.0  # Unix seconds
        self.left = False
        self._open = False
        self._publishing = threading.Lock()
        self._answered = answered
        self._clock = clock
        self._worker: Worker | None = None
        self._said: dict[str, str] = {}
        self._slowed: dict[str, int] = {}

    def follow(self) -> None:
        """Begin to look at the sources of the collector's followers."""
        for each in self._followed:
            each.start()

    def begin(self, now: float) -> bool:
        """Ask for what is due. False if another tick of this target is under way, or it was left."""
        with self.lock:
            if self._open or self.left:
                return False
            self._open = True
            waiting = self._worker.waiting() if self._worker else []
            due = self.ticking.begin(now)
            self.pending = [*waiting, *due]
            self._hand_out(due)
            return True

    def relieve(self) -> None:
        """Leave the worker to the read that it is stuck in; a new one takes the parts behind it."""
        with self.lock:
            if self._worker and self._worker.stuck(STUCK_SECONDS):
                stuck, self._worker = self._worker, None
                self._hand_out(stuck.leave())

    def close(self, stamp: float) -> tuple[tuple[Sample, ...], bool | None]:
        """What the tick publishes; call it within `publishing`."""
        with self.lock:
            self._open, self.pending = False, []
            closed = self.ticking.close(stamp)
            self._log_changes(stamp)
        return closed

    @contextmanager
    def publishing(self) -> Iterator[bool]:
        """Nothing of it is published meanwhile by anybody else. False: it was left, and nothing may be any more."""
        with self._publishing:
            yield not self.left

    def leave(self) -> None:
        """No tick waits for it any more; the worker ends after the read that it is in."""
        with self.lock:
            self.left, self.pending = True, []
            if self._worker:
                self._worker.leave()
        for each in self._followed:
            each.stop()
        with self._answered:
            self._answered.notify_all()

    def _hand_out(self, states: Sequence[PartState]) -> None:
        if not states:
            return
        try:
            self._worker = self._worker or Worker(self.ticking.watch, self._take)
        except RuntimeError as error:  # no thread to be had
            for state in states:
                self._answer(state, failed(state.part, error))
        else:
            self._worker.read(states)

    def _take(self, state: PartState, reading: Reading) -> None:
        with self.lock:
            self._answer(state, reading)
            complete = not self.pending
        if complete:  # a tick that waits for dozens of parts is not woken for each
            with self._answered:
                self._answered.notify_all()

    def _answer(self, state: PartState, reading: Reading) -> None:
        self.ticking.answer(state, reading, self._clock())
        if state in self.pending:
            self.pending.remove(state)

    def _log_changes(self, now: float) -> None:
        """The first failure, a changed reason, the recovery; not each cycle, and one line where parts fail together."""
        changed = [state for state in self.ticking.parts if self._is_news(state)]
        if not changed:
            return
        target, statuses = self.ticking.target, {status.part: status for status in self.ticking.statuses(now)}
        where = f"job={target.job} instance={target.instance}"
        together: dict[tuple[str, str], list[PartState]] = {}
        for state in changed:
            status = statuses[state.part.name]
            if state.slowed != self._slowed.get(status.part, 1):
                self._slowed[status.part] = state.slowed
                words = "over budget, read more rarely" if state.slowed > 1 else "within budget again"
                log.warning("%s part=%s interval=%gs cost: %s", where, status.part, status.interval, words)
            before = self._said.get(status.part, "ok")
            if _differs(before, status.outcome):
                self._said[status.part] = status.outcome
                together.setdefault((before, status.outcome), []).append(state)
        for (before, outcome), states in together.items():
            parts = ",".join(state.part.name for state in states)
            if outcome in ("ok", "absent"):
                log.info("%s part=%s recovered=%s", where, parts, before)
            else:
                first = states[0]
                bug = first.last.bug if first.last and outcome == "bug" else None
                error = statuses[first.part.name].error
                log.warning("%s part=%s reason=%s error=%r", where, parts, outcome, error, exc_info=bug)

    def _is_news(self, state: PartState) -> bool:
        name = state.part.name
        return state.slowed != self._slowed.get(name, 1) or _differs(self._said.get(name, "ok"), state.outcome)


def _differs(before: str, outcome: str) -> bool:
    return outcome not in ("waiting", before) and {outcome, before} != {"ok", "absent"}
