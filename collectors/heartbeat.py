"""Heartbeats: jobs that say when they begin and end, and are missed when they do not.

A pure state machine: pings that came in by HTTP, the settings, and the time become samples. The agent keeps the state.
Source: https://crontab.guru/crontab.5.html
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from collectors.config import Config, Seconds, Secret, reveal
from collectors.errors import ParseError
from collectors.model import Collector, Counter, Gauge, Part, Sample

Kind = Literal["start", "success", "fail"]
KINDS: tuple[Kind, ...] = ("start", "success", "fail")
KEY = re.compile(r"[A-Za-z0-9_-]{16,200}")


def _key(secret: Secret) -> Secret:
    if not KEY.fullmatch(secret.reveal()):
        raise ValueError("expected a key of 16 to 200 letters, digits, - and _, such as `openssl rand -hex 16` prints")
    return secret


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"expected a time zone such as UTC or Europe/Berlin, found {name!r}") from error
    return name


def _cron(text: str) -> str:
    from cronsim import CronSim, CronSimError

    try:
        CronSim(text, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ValueError(f"expected a cron expression such as 0 3 * * *: {error}") from error
    return text


class Schedule(Config):
    """When a job comes, and how long it runs."""

    period: Annotated[Seconds, Field(ge=1)] | None = None
    """How often the job comes."""
    cron: Annotated[str, AfterValidator(_cron)] | None = None
    """When the job comes, as crontab has it, instead."""
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """Time zone of `cron`."""
    grace: Annotated[Seconds, Field(ge=0)] = 300.0
    """How much later than expected is still in time."""
    longest: Annotated[Seconds, Field(gt=0)] | None = None
    """How long a run may take that told its start."""

    @model_validator(mode="after")
    def _one_schedule(self) -> Self:
        if (self.period is None) == (self.cron is None):
            raise ValueError("expected period or cron")
        return self


class Heartbeat(Schedule):
    name: str = Field(min_length=1, max_length=100)
    """What the job is called; the `instance` of its series."""
    key: Annotated[Secret, AfterValidator(_key)] | None = None
    """Who knows it may ping: the job asks for `/ping/<key>` of the exporter. At least 16 letters, digits, - and _."""
    key_file: Path | None = None
    """File that holds the key instead."""

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if (self.key is None) == (self.key_file is None):
            raise ValueError("expected key or key_file")
        return self

    @property
    def schedule(self) -> dict[str, Any]:
        """As plain data."""
        return self.model_dump(include=set(Schedule.model_fields))

    def reveal(self) -> str:
        """OSError when the file cannot be read, ValueError when it holds no key."""
        text = reveal(self.key, self.key_file) or ""
        return _key(Secret(text)).reveal()


SUCCESS = Gauge("heartbeat_last_success_timestamp_seconds", "When the job last told success, in Unix time.")
PING = Gauge("heartbeat_last_ping_timestamp_seconds", "When the job last told anything, in Unix time.")
DUE = Gauge("heartbeat_next_due_timestamp_seconds", "Until when the job must tell something, grace included.")
RUNNING = Gauge("heartbeat_running", "1 when the job has told its start and not yet its end.")
DURATION = Gauge("heartbeat_run_duration_seconds", "How long the last run took that told both its start and its end.")
OVERDUE = Gauge("heartbeat_overdue", "1 when the job did not come in time.")
TOO_LONG = Gauge("heartbeat_running_too_long", "1 when the run that is under way takes longer than it may.")
FAILED = Gauge("heartbeat_failed", "1 when the job told that it failed, until it tells success.")
PINGS = Counter("heartbeat_pings_total", "What the job told.", ("kind",))
FAMILIES = (SUCCESS, PING, DUE, RUNNING, DURATION, OVERDUE, TOO_LONG, FAILED, PINGS)


class Ping(NamedTuple):
    at: float  # Unix seconds
    kind: Kind


class State(NamedTuple):
    """What is known of one job; plain data, kept over restarts. Times are Unix seconds."""

    since: float
    """When we began to wait for it."""
    last_ping: float | None = None
    last_success: float | None = None
    started: float | None = None
    """Of the run that is under way."""
    duration: float | None = None  # seconds
    failed: bool = False
    counts: tuple[int, ...] = (0,) * len(KINDS)
    """By KINDS."""


def take(state: State, ping: Ping) -> State:
    """The state after a ping. A clock that was set back makes no run of less than no time."""
    at = KINDS.index(ping.kind)
    counts = tuple(count + (place == at) for place, count in enumerate(state.counts))
    state = state._replace(last_ping=ping.at, counts=counts)
    if ping.kind == "start":
        return state._replace(started=ping.at)
    if state.started is not None:
        state = state._replace(duration=max(0.0, ping.at - state.started), started=None)
    if ping.kind == "success":
        return state._replace(last_success=ping.at, failed=False)
    return state._replace(failed=True)


def not_after(state: State, now: float) -> State:
    """After the clock was set back nothing has happened later than now: else a job would not be missed for long."""

    def earlier(at: float | None) -> float | None:
        return None if at is None else min(at, now)

    return state._replace(
        since=min(state.since, now), last_ping=earlier(state.last_ping), last_success=earlier(state.last_success),
        started=earlier(state.started),
    )  # fmt: skip


def due(config: Schedule, after: float) -> float:
    """Until when the next ping must have come, Unix seconds; grace included."""
    if config.period is not None:
        return after + config.period + config.grace
    from cronsim import CronSim  # only for those with cron

    moment = datetime.fromtimestamp(after, ZoneInfo(config.timezone))
    return next(CronSim(config.cron or "", moment)).timestamp() + config.grace


def step(config: Schedule, state: State, pings: Sequence[Ping], now: float) -> tuple[State, list[Sample]]:
    for ping in pings:
        state = take(state, ping)
    state = not_after(state, now)
    return state, list(samples(config, state, now))


def samples(config: Schedule, state: State, now: float) -> Iterable[Sample]:
    """What holds at that time. A run that may still go on is in time, however long ago the last ping was."""
    if state.last_success is not None:
        yield SUCCESS(state.last_success)
    if state.last_ping is not None:
        yield PING(state.last_ping)
    if state.duration is not None:
        yield DURATION(state.duration)
    until = due(config, state.since if state.last_ping is None else state.last_ping)
    runs_until = None
    if state.started is not None and config.longest is not None:
        runs_until = state.started + config.longest
    too_long = runs_until is not None and now > runs_until
    fresh = runs_until is not None and not too_long
    yield DUE(max(until, runs_until) if runs_until is not None and fresh else until)
    yield RUNNING(state.started is not None)
    yield OVERDUE(now > until and not fresh)
    yield TOO_LONG(too_long)
    yield FAILED(state.failed)
    for kind, count in zip(KINDS, state.counts, strict=True):
        yield PINGS(count, kind)


def parse(payload: Mapping[str, Any]) -> list[Sample]:
    """`payload`: schedule, state and time. ParseError where it is something else."""
    try:
        return list(samples(Schedule.model_validate(payload["schedule"]), restored(payload["state"]), payload["now"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ParseError(f"expected the state of a heartbeat: {error!r}") from error


def stored(state: State) -> dict[str, Any]:
    return {**state._asdict(), "counts": list(state.counts)}


def restored(data: Mapping[str, Any]) -> State:
    return State(**{**data, "counts": tuple(data["counts"])})


def collector(read: Callable[[Heartbeat], dict[str, Any]]) -> Collector:
    """`read`: whoever takes the pings gives what `parse` needs."""
    return Collector(
        "heartbeat", "heartbeat", Heartbeat,
        parts=(Part("pings", FAMILIES, read, parse),),
        instance=lambda config, _host: config.name,
        discover=lambda _inventory: (),
        grants="None: the job comes to us.",
    )  # fmt: skip
