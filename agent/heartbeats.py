"""`/ping/<key>` of the exporter: jobs that tell how they go, kept in the local database before they are answered.

Source: https://docs.python.org/3/library/http.server.html
"""

import hashlib
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Column, Engine, String, Table, Text, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from agent.ticking import Watch
from collectors import heartbeat
from collectors.heartbeat import Heartbeat, Kind, Ping, State
from history.database import METADATA, make_tables

log = logging.getLogger("raingauge.heartbeats")

BURST = 60
PER_SECOND = 1.0
"""Pings of one job that are taken: BURST at once, and so many each second after them."""
EXIT_CODE = re.compile(r"[0-9]{1,3}")
NOT_FOUND = (404, b"not found; / lists what is here\n")

state_table = Table(
    "heartbeat", METADATA,
    Column("name", String(100), primary_key=True),
    Column("state", Text, nullable=False),  # JSON
)  # fmt: skip


class Heartbeats:
    """Any thread. What a ping changed is in the database before it is answered."""

    def __init__(self, engine: Engine, jobs: Sequence[Heartbeat], clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._states: dict[str, State] = {}
        self._names: dict[bytes, str] = {}
        self._left: dict[str, tuple[float, float]] = {}
        self._collector = heartbeat.collector(self._read)
        make_tables(engine, [state_table])
        self.set_jobs(jobs)

    def set_jobs(self, jobs: Sequence[Heartbeat]) -> None:
        """Which jobs are waited for from now on. One whose key cannot be read is waited for, too: in vain."""
        names = {}
        for job in jobs:
            try:
                names[_digest(job.reveal())] = job.name
            except (OSError, ValueError) as error:
                log.error("heartbeat=%s key=unreadable error=%r", job.name, str(error))
        with self._lock:
            self._names = names
            self._jobs = tuple(jobs)
            for job in jobs:
                if job.name not in self._states:
                    self._states[job.name] = self._load(job.name)

    def watches(self) -> list[Watch]:
        return [Watch(self._collector, job) for job in self._jobs]

    def ping(self, path: str) -> tuple[int, bytes]:
        """`path`: what follows `/ping/`. Status and words; an unknown key learns nothing."""
        key, _, word = path.strip("/").partition("/")
        name, kind = self._names.get(_digest(key)), kind_of(word)
        if name is None or kind is None:
            return NOT_FOUND
        with self._lock:
            now = self._clock()
            if not self._may_come(name):
                return 429, b"too many pings of this job\n"
            state = heartbeat.take(self._states[name], Ping(now, kind))
            try:
                self._save(name, state)
            except SQLAlchemyError:
                log.exception("heartbeat=%s ping=%s save=failed", name, kind)
                return 503, b"could not be stored; try again\n"
            self._states[name] = state
        return 200, b"OK\n"

    def _may_come(self, name: str) -> bool:
        now = time.monotonic()
        left, since = self._left.get(name, (float(BURST), now))
        left = min(float(BURST), left + (now - since) * PER_SECOND)
        self._left[name] = (max(0.0, left - 1), now)
        return left >= 1

    def _read(self, job: Heartbeat) -> dict[str, Any]:
        with self._lock:
            now = self._clock()
            state = self._states[job.name]
            known = heartbeat.not_after(state, now)
            if known != state:
                self._save(job.name, known)
                self._states[job.name] = known
        return {"schedule": job.schedule, "state": heartbeat.stored(known), "now": now}

    def _load(self, name: str) -> State:
        """Of a job that is new, from now on."""
        with self._engine.connect() as connection:
            row = connection.execute(select(state_table.c.state).where(state_table.c.name == name)).first()
        if row is not None:
            try:
                return heartbeat.restored(json.loads(row.state))
            except (ValueError, KeyError, TypeError):
                log.error("heartbeat=%s state=unreadable it begins anew", name)
        state = State(since=self._clock())
        self._save(name, state)
        return state

    def _save(self, name: str, state: State) -> None:
        text = json.dumps(heartbeat.stored(state))
        with self._engine.begin() as connection:
            changed = connection.execute(update(state_table).where(state_table.c.name == name).values(state=text))
            if not changed.rowcount:
                connection.execute(insert(state_table).values(name=name, state=text))


def kind_of(word: str) -> Kind | None:
    """`start`, `fail`, an exit code, or nothing for success; None for anything else."""
    if word in ("", "success", "0"):
        return "success"
    if word in ("start", "fail"):
        return "start" if word == "start" else "fail"
    if not EXIT_CODE.fullmatch(word):
        return None
    return "fail" if int(word) else "success"


def _digest(key: str) -> bytes:
    """Looked up instead of the key, so that the time of an answer tells nothing about it."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()
