"""What a pool's logs have gained: its slow log, PHP-FPM's own log, and the log of PHP's errors.

Pools often share the first two; each target counts its own pool's entries.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from collectors.errors import Denied
from collectors.model import Event, Follower, Sample, State
from collectors.phpfpm import errorlog, php_errors, slowlog
from collectors.phpfpm.config import Phpfpm
from collectors.phpfpm.logtext import from_rows
from collectors.sources.tail import Cursor, read_new

REMEDY = "chgrp adm {path} && chmod 640 {path} && usermod --append --groups adm raingauge; and in logrotate's file for \
it: create 640 root adm"


def _read(path_of: Callable[[Phpfpm], str]) -> Callable[[Phpfpm, Cursor | None], tuple[Any, Any]]:
    def read(config: Phpfpm, cursor: Cursor | None) -> tuple[Any, Any]:
        path = path_of(config)
        try:
            piece, after = read_new(path, cursor)
        except Denied as error:
            raise Denied(f"{error}; {REMEDY.format(path=path)}") from error
        if piece is None:
            return None, after
        return {"pool": config.pool, "followed": cursor is not None, **piece}, after

    return read


def step_slow(state: State, piece: Any) -> tuple[State, Sequence[Event]]:
    before = cast("slowlog.State", state) if state else slowlog.start()
    return dict(slowlog.step(before, piece["text"], piece["pool"])[0]), ()


def slow_samples(state: State) -> Iterable[Sample]:
    return slowlog.samples(slowlog.Totals(from_rows(state.get("places", ())), from_rows(state.get("modules", ()))))


def step_log(state: State, piece: Any) -> tuple[State, Sequence[Event]]:
    before = cast("errorlog.State", state) if state else errorlog.start()
    return dict(errorlog.step(before, piece["text"], piece["pool"])[0]), ()


def log_samples(state: State) -> Iterable[Sample]:
    return errorlog.samples(from_rows(state.get("counts", ())))


FOLLOWERS = (
    Follower(
        "slowlog", slowlog.FAMILIES, _read(lambda config: config.slowlog), step_slow, slow_samples,
        wanted=lambda config: bool(config.slowlog), beside=True,
    ),
    Follower(
        "log", errorlog.FAMILIES, _read(lambda config: config.error_log), step_log, log_samples,
        wanted=lambda config: bool(config.error_log), beside=True,
    ),
    Follower(
        "errors", php_errors.FAMILIES, _read(lambda config: config.php_error_log), php_errors.step, php_errors.samples,
        wanted=lambda config: bool(config.php_error_log), beside=True,
    ),
)  # fmt: skip
