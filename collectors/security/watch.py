"""Folders in which something has just changed, by inotify: a look comes at once and not at its usual time.

Without the library, or where the kernel gives no more watches, the usual time is all there is.
Source: https://man7.org/linux/man-pages/man7/inotify.7.html
"""

from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any

MOST_FOLDERS = 2000
DEBOUNCE, STEP, TIMEOUT = 50, 10, 1  # milliseconds
_watches: dict[str, tuple[tuple[str, ...], Any]] = {}
"""Of whom -> its folders, and what watches them."""


def touched(who: str, folders: Iterable[str]) -> set[str]:
    """Those of the folders in which something changed since `who` asked last. Never blocks for long."""
    wanted = tuple(sorted(set(folders)))[:MOST_FOLDERS]
    known, watch = _watches.get(who, ((), None))
    if wanted != known:
        watch = _start(wanted)
        _watches[who] = wanted, watch
    paths = {path for _, path in next(watch, ())} if watch is not None else set()
    return {*(str(PurePath(path).parent) for path in paths), *paths} & set(wanted)


def _start(folders: tuple[str, ...]) -> Iterator[Any] | None:
    if not folders:
        return None
    try:
        from watchfiles import watch
    except ImportError:
        return None
    found: Iterator[Any] = watch(
        *folders, watch_filter=None, debounce=DEBOUNCE, step=STEP, rust_timeout=TIMEOUT, yield_on_timeout=True,
        recursive=False, ignore_permission_denied=True,
    )  # fmt: skip
    try:
        next(found)
    except OSError:  # no more watches, or a folder has just gone
        return None
    return found
