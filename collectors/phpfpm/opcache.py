"""OPcache, APCu and the realpath cache of a pool: they are in its memory, so a small script that runs in it tells.

Opt-in: the script is there once somebody has put it there, see docs/php.md.

Source: https://www.php.net/manual/en/function.opcache-get-status.php,
https://www.php.net/manual/en/function.apcu-cache-info.php
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from collectors.errors import Absent, Denied, ParseError, Unreachable, Unsupported
from collectors.model import Counter, Gauge, Sample
from collectors.phpfpm.asking import ask
from collectors.phpfpm.config import POOL, PROBE, Phpfpm
from collectors.phpfpm.pool import busy_workers, expect_listener

INFO = Gauge("php_info", "1; PHP's version and way of being called.", ("pool", "version", "sapi"))
MEMORY_LIMIT = Gauge("php_memory_limit_bytes", "memory_limit: what one request may use; absent if unlimited.", POOL)
REALPATH_USED = Gauge("php_realpath_cache_used_bytes", "Realpath cache of the worker that answered.", POOL)
REALPATH_LIMIT = Gauge("php_realpath_cache_limit_bytes", "Bytes that the realpath cache of a worker may take.", POOL)

ENABLED = Gauge("php_opcache_enabled", "1 when scripts are compiled once and kept.", POOL)
SETTING = Gauge("php_opcache_setting", "Directives of OPcache, each in its own unit.", ("pool", "name"))
SETTINGS = (
    "memory_consumption", "interned_strings_buffer", "max_accelerated_files", "max_wasted_percentage", "max_file_size",
    "validate_timestamps", "revalidate_freq", "save_comments", "enable_file_override", "file_cache_only",
    "huge_code_pages", "jit_buffer_size",
)  # fmt: skip
FROM_STATUS = {
    ("cache_full",): Gauge("php_opcache_full", "1 when no further script finds room.", POOL),
    ("restart_pending",): Gauge("php_opcache_restart_pending", "1 when the cache is to be emptied.", POOL),
    ("restart_in_progress",): Gauge("php_opcache_restart_in_progress", "1 while the cache is emptied.", POOL),
    ("memory_usage", "used_memory"): Gauge("php_opcache_memory_used_bytes", "Memory of compiled scripts in use.", POOL),
    ("memory_usage", "free_memory"): Gauge(
        "php_opcache_memory_free_bytes", "Memory for compiled scripts that is free.", POOL
    ),
    ("memory_usage", "wasted_memory"): Gauge(
        "php_opcache_memory_wasted_bytes", "Memory of outdated scripts, free again after a restart.", POOL
    ),
    ("interned_strings_usage", "used_memory"): Gauge(
        "php_opcache_interned_strings_used_bytes", "Memory of interned strings in use.", POOL
    ),
    ("interned_strings_usage", "free_memory"): Gauge(
        "php_opcache_interned_strings_free_bytes", "Memory for interned strings that is free.", POOL
    ),
    ("interned_strings_usage", "number_of_strings"): Gauge(
        "php_opcache_interned_strings", "Strings that all workers share.", POOL
    ),
    ("opcache_statistics", "num_cached_scripts"): Gauge("php_opcache_cached_scripts", "Scripts that are kept.", POOL),
    ("opcache_statistics", "num_cached_keys"): Gauge(
        "php_opcache_cached_keys", "Paths under which scripts are kept; one script may have several.", POOL
    ),
    ("opcache_statistics", "max_cached_keys"): Gauge("php_opcache_max_cached_keys", "Most paths that fit.", POOL),
    ("opcache_statistics", "hits"): Counter("php_opcache_hits_total", "Look-ups that found a compiled script.", POOL),
    ("opcache_statistics", "misses"): Counter(
        "php_opcache_misses_total", "Look-ups that found none: it had to be compiled.", POOL
    ),
    ("opcache_statistics", "oom_restarts"): Counter(
        "php_opcache_oom_restarts_total", "Times that the cache was emptied as its memory was used up.", POOL
    ),
    ("opcache_statistics", "hash_restarts"): Counter(
        "php_opcache_hash_restarts_total", "Times that the cache was emptied as it had no room for paths.", POOL
    ),
    ("opcache_statistics", "manual_restarts"): Counter(
        "php_opcache_manual_restarts_total", "Times that a program emptied the cache.", POOL
    ),
    ("opcache_statistics", "start_time"): Gauge(
        "php_opcache_start_timestamp_seconds", "When the cache was made, in Unix time.", POOL
    ),
    ("opcache_statistics", "last_restart_time"): Gauge(
        "php_opcache_last_restart_timestamp_seconds", "When the cache was last emptied, in Unix time.", POOL
    ),
    ("jit", "on"): Gauge("php_opcache_jit_enabled", "1 when hot code is compiled to the machine's.", POOL),
    ("jit", "buffer_size"): Gauge("php_opcache_jit_buffer_size_bytes", "Memory for machine code of hot scripts.", POOL),
    ("jit", "buffer_free"): Gauge("php_opcache_jit_buffer_free_bytes", "Memory for machine code that is free.", POOL),
}
ONLY_ONCE_IT_HAPPENED = ("last_restart_time",)

FROM_APCU = {
    "num_entries": Gauge("php_apcu_entries", "Entries in the user cache.", POOL),
    "num_hits": Counter("php_apcu_hits_total", "Look-ups that found an entry.", POOL),
    "num_misses": Counter("php_apcu_misses_total", "Look-ups that found none.", POOL),
    "num_inserts": Counter("php_apcu_inserts_total", "Entries that were made.", POOL),
    "expunges": Counter("php_apcu_expunges_total", "Times that the user cache was emptied to make room.", POOL),
}
APCU_SIZE = Gauge("php_apcu_memory_size_bytes", "Memory of the user cache.", POOL)
APCU_FREE = Gauge("php_apcu_memory_free_bytes", "Memory of the user cache that is free.", POOL)
APCU_FRAGMENTATION = Gauge(
    "php_apcu_fragmentation_ratio",
    "Share of the free memory that is not in the largest free block; absent past 10000 entries.",
    POOL,
)
FAMILIES = (
    INFO, MEMORY_LIMIT, REALPATH_USED, REALPATH_LIMIT, ENABLED, SETTING, *FROM_STATUS.values(), *FROM_APCU.values(),
    APCU_SIZE, APCU_FREE, APCU_FRAGMENTATION,
)  # fmt: skip

SIZE = re.compile(r"\s*([0-9]{1,15})\s*([kmg]?)\s*", re.IGNORECASE)
UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def read(config: Phpfpm) -> dict[str, Any]:
    """Absent when it is not installed. Unreachable when the pool is full: we do not stand in visitors' way."""
    expect_listener(config)
    script = config.opcache_probe
    if not script or (script == PROBE and not Path(script).is_file()):
        raise Absent("no probe is installed")
    what = f"run {script} in pool {config.pool} on {config.address}"
    if busy_workers(config) is not None:
        raise Unreachable(f"{what}: the pool is full")
    parameters = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/raingauge-probe", "SCRIPT_FILENAME": script,
                  "REQUEST_URI": "/raingauge-probe", "PROBE_FROM": "raingauge"}  # fmt: skip
    response = ask(config.address, parameters, config.timeout, what)
    if response.status == 403:
        raise Denied(f"{what}: denied; its name has to end in .php, and the pool's user needs the right to read it")
    if response.status != 200:
        raise Unsupported(f"{what}: found status {response.status}; is it there, and within open_basedir?")
    try:
        answer = json.loads(response.body)
    except ValueError as error:
        raise ParseError(f"{what}: expected our probe's JSON, found {response.body[:80]!r}") from error
    return {"pool": config.pool, "answer": answer}


def parse(payload: dict[str, Any]) -> Iterable[Sample]:
    """Raise ParseError on what our probe does not say."""
    try:
        return list(_samples(payload["answer"], payload["pool"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ParseError(f"expected the answer of our probe, found {payload!r:.80}: {error!r}") from error


def _samples(answer: Mapping[str, Any], pool: str) -> Iterable[Sample]:
    yield INFO(1, pool, str(answer["version"]), str(answer["sapi"]))
    if (limit := size(answer["memory_limit"])) is not None:
        yield MEMORY_LIMIT(limit, pool)
    yield REALPATH_USED(_number(answer["realpath_cache_size"]), pool)
    if (limit := size(answer["realpath_cache_limit"])) is not None:
        yield REALPATH_LIMIT(limit, pool)
    yield from _opcache(answer, pool)
    yield from _apcu(answer, pool)


def size(text: Any) -> int | None:
    """PHP's `128M` in bytes; None for `-1` and what is no size."""
    found = SIZE.fullmatch(str(text))
    return int(found[1]) * UNITS[found[2].lower()] if found else None


def _opcache(answer: Mapping[str, Any], pool: str) -> Iterable[Sample]:
    settings, status = answer["opcache_settings"] or {}, answer["opcache"]
    for name in SETTINGS:
        if (value := settings.get(f"opcache.{name}")) is not None:
            yield SETTING(_number(value), pool, name)
    if status is None:
        yield ENABLED(0, pool)
    elif status is False:
        if answer["opcache_enable"] in ("", "0"):  # else it is restricted, and we do not know
            yield ENABLED(0, pool)
    else:
        yield ENABLED(_number(status["opcache_enabled"]), pool)
        for (*groups, key), family in FROM_STATUS.items():
            value = (status.get(groups[0], {}) if groups else status).get(key)
            if value is not None and (value or key not in ONLY_ONCE_IT_HAPPENED):
                yield family(_number(value), pool)


def _apcu(answer: Mapping[str, Any], pool: str) -> Iterable[Sample]:
    counted, memory, free = (answer[key] for key in ("apcu", "apcu_memory", "apcu_free"))
    for key, family in FROM_APCU.items():
        if counted and (value := counted.get(key)) is not None:
            yield family(_number(value), pool)
    if memory:
        yield APCU_SIZE(_number(memory["num_seg"]) * _number(memory["seg_size"]), pool)
        yield APCU_FREE(_number(memory["avail_mem"]), pool)
    if free and free["sum"]:
        yield APCU_FRAGMENTATION(1 - _number(free["largest"]) / _number(free["sum"]), pool)


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"expected a number, found {value!r:.40}")
    return float(value)
