"""The families that varnishstat's counters become.

Which counters there are is the server's own; those that only grow are named after it, what goes up and down is listed.
Source: https://varnish-cache.org/docs/trunk/reference/varnish-counters.html
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from collectors.errors import ParseError
from collectors.model import Counter, Family, Gauge, Sample

OF_BACKEND = ("backend", "server")
BOUNDS = {"backend": 50, "server": 50}
LARGEST = 2**63
"""A gauge above it has been counted down once too often."""

VERSION = Gauge(
    "varnish_version", "Always 1; the version as labels.", ("major", "minor", "patch", "revision", "version")
)
SESSIONS = Counter("varnish_main_sessions", "Client sessions by what became of them.", ("type",))
FETCHES = Counter("varnish_main_fetch", "Fetches from backends by kind of body.", ("type",))
BACKEND_UP = Gauge(
    "varnish_backend_up", "1 when the last probe of the backend was good; 0 without probes.", OF_BACKEND, bounds=BOUNDS
)

MAIN: dict[str, Family] = {
    "s_sess": Counter("varnish_main_sessions_total", "Client sessions."),
    "s_fetch": Counter("varnish_main_fetch_total", "Fetches from backends."),
    "uptime": Counter("varnish_main_uptime", "Seconds since the process that serves started."),
    "client_req": Counter("varnish_main_client_req", "Client requests that were understood."),
    "cache_hit": Counter("varnish_main_cache_hit", "Requests answered from the cache."),
    "cache_hitpass": Counter("varnish_main_cache_hitpass", "Requests for what is known not to be cached."),
    "cache_miss": Counter("varnish_main_cache_miss", "Requests for what had to be fetched."),
    "backend_conn": Counter("varnish_main_backend_conn", "Connections made to backends."),
    "backend_busy": Counter("varnish_main_backend_busy", "Fetches refused at a backend's limit of connections."),
    "backend_recycle": Counter("varnish_main_backend_recycle", "Connections kept for the next fetch."),
    "backend_reuse": Counter("varnish_main_backend_reuse", "Fetches over a connection that was kept."),
    "backend_unhealthy": Counter("varnish_main_backend_unhealthy", "Fetches not tried because the backend is sick."),
    "backend_req": Counter("varnish_main_backend_req", "Requests sent to backends."),
    "n_expired": Counter("varnish_main_n_expired", "Objects whose time was over."),
    "n_lru_nuked": Counter("varnish_main_n_lru_nuked", "Objects removed before their time for want of room."),
    "n_lru_moved": Counter("varnish_main_n_lru_moved", "Times that an object was marked as used lately."),
    "s_resp_hdrbytes": Counter("varnish_main_s_resp_hdrbytes", "Bytes of response heads sent."),
    "s_resp_bodybytes": Counter("varnish_main_s_resp_bodybytes", "Bytes of response bodies sent."),
    "threads_created": Counter("varnish_main_threads_created", "Worker threads started."),
    "threads_failed": Counter("varnish_main_threads_failed", "Worker threads that could not be started."),
    "threads_limited": Counter("varnish_main_threads_limited", "Times that more threads were wanted than are allowed."),
    "threads": Gauge("varnish_main_threads", "Worker threads now."),
    "thread_queue_len": Gauge("varnish_main_thread_queue_len", "Sessions that wait for a thread."),
    "pools": Gauge("varnish_main_pools", "Thread pools."),
    "bans": Gauge("varnish_main_bans", "Bans in the list."),
    "bans_completed": Gauge("varnish_main_bans_completed", "Bans in the list that need no test any more."),
    "bans_obj": Gauge("varnish_main_bans_obj", "Bans that test objects only."),
    "bans_req": Gauge("varnish_main_bans_req", "Bans that test requests."),
    "bans_persisted_bytes": Gauge("varnish_main_bans_persisted_bytes", "Bytes of bans in persistent storage."),
    "bans_persisted_fragmentation": Gauge("varnish_main_bans_persisted_fragmentation", "Bytes of it taken by bans that are no more."),
    "n_backend": Gauge("varnish_main_n_backend", "Backends."),
    "n_object": Gauge("varnish_main_n_object", "Objects in the cache."),
    "n_objectcore": Gauge("varnish_main_n_objectcore", "Heads of objects."),
    "n_objecthead": Gauge("varnish_main_n_objecthead", "Heads of addresses, each with its objects."),
    "n_pipe": Gauge("varnish_main_n_pipe", "Sessions that are piped through now."),
    "n_vampireobject": Gauge("varnish_main_n_vampireobject", "Objects in persistent storage that are not loaded yet."),
    "n_vcl": Gauge("varnish_main_n_vcl", "Loaded configurations."),
    "n_vcl_avail": Gauge("varnish_main_n_vcl_avail", "Loaded configurations that can be used."),
    "n_vcl_discard": Gauge("varnish_main_n_vcl_discard", "Configurations that wait to be unloaded."),
    "vmods": Gauge("varnish_main_vmods", "Loaded modules."),
}  # fmt: skip
BACKEND: dict[str, Family] = {
    "beresp_hdrbytes": Counter("varnish_backend_beresp_hdrbytes", "Bytes of response heads from the backend.", OF_BACKEND, bounds=BOUNDS),
    "beresp_bodybytes": Counter("varnish_backend_beresp_bodybytes", "Bytes of response bodies from the backend.", OF_BACKEND, bounds=BOUNDS),
    "conn": Gauge("varnish_backend_conn", "Connections to the backend now.", OF_BACKEND, bounds=BOUNDS),
    "happy": Gauge("varnish_backend_happy", "Its last 64 probes as bits, the last one lowest.", OF_BACKEND, bounds=BOUNDS),
}  # fmt: skip
LOCK: dict[str, Family] = {
    "creat": Counter("varnish_lock_created", "Locks of this kind made.", ("target",)),
    "destroy": Counter("varnish_lock_destroyed", "Locks of this kind destroyed.", ("target",)),
    "locks": Counter("varnish_lock_operations", "Times that a lock of this kind was taken.", ("target",)),
}
MEMPOOL: dict[str, Family] = {
    "live": Gauge("varnish_mempool_live", "Pieces of the pool in use.", ("id",)),
    "pool": Gauge("varnish_mempool_pool", "Pieces of the pool that wait to be used.", ("id",)),
    "sz_wanted": Gauge("varnish_mempool_sz_wanted", "Bytes asked for as a piece.", ("id",)),
    "sz_actual": Gauge("varnish_mempool_sz_actual", "Bytes of a piece that can be used.", ("id",)),
}
MALLOC: dict[str, Family] = {
    "g_alloc": Gauge("varnish_sma_g_alloc", "Pieces of the storage in use.", ("type",)),
    "g_bytes": Gauge("varnish_sma_g_bytes", "Bytes of the storage in use.", ("type",)),
    "g_space": Gauge("varnish_sma_g_space", "Bytes of the storage that are free; 0 without a limit.", ("type",)),
}


class Group(NamedTuple):
    listed: Mapping[str, Family]
    others: Family
    """Of counters that are not listed."""


GROUPS = {
    "MAIN": Group(MAIN, Counter("varnish_main_*", "MAIN.* of varnishstat.")),
    "MGT": Group(
        {}, Counter("varnish_mgt_*", "MGT.* of varnishstat, of the process that watches the one that serves.")
    ),
    "VBE": Group(BACKEND, Counter("varnish_backend_*", "VBE.*.* of varnishstat.", OF_BACKEND, bounds=BOUNDS)),
    "LCK": Group(LOCK, Counter("varnish_lck_*", "LCK.*.* of varnishstat.", ("id",))),
    "MEMPOOL": Group(MEMPOOL, Counter("varnish_mempool_*", "MEMPOOL.*.* of varnishstat.", ("id",))),
    "SMA": Group(MALLOC, Counter("varnish_sma_*", "SMA.*.* of varnishstat, storage in memory.", ("type",))),
    "SMF": Group({}, Counter("varnish_smf_*", "SMF.*.* of varnishstat, storage in a file.", ("type",))),
}
FILE_GAUGES = Gauge("varnish_smf_g_*", "SMF.*.g_* of varnishstat, storage in a file.", ("type",))
FAMILIES = (
    VERSION, SESSIONS, FETCHES, BACKEND_UP, FILE_GAUGES,
    *(family for group in GROUPS.values() for family in (*group.listed.values(), group.others)),
)  # fmt: skip

FIELD = re.compile(r"[a-z][a-z0-9_]{0,60}")
AUTOMATIC = re.compile(r"(boot|reload_[^.]*)\.")
UUID = re.compile(r"([0-9a-z]{8}(?:-[0-9a-z]{4}){3}-[0-9a-z]{12})(.*)")
PLACE = re.compile(r"(.*)\((.*)\)")
NUMBER = re.compile(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:.*?revision ([0-9a-f]+))?", re.ASCII)


def parse(payload: Mapping[str, str]) -> Iterable[Sample]:
    """Raise ParseError when it is nothing that varnishstat prints."""
    counters = _counters(payload["counters"])
    if found := NUMBER.search(payload["version"]):
        major, minor, patch, revision = (part or "" for part in found.groups())
        yield VERSION(1, major, minor, patch, revision, ".".join(filter(None, (major, minor, patch))))
    newest = _newest(counters)
    for name, counter in counters.items():
        value = counter.get("value")
        if type(value) is int and 0 <= value < 2**64 and (place := _place(name, newest)):
            group, field, labels = place
            yield from _samples(group, field, value, str(counter.get("flag")), labels)


@lru_cache(maxsize=5000)
def _place(name: str, newest: str) -> tuple[str, str, tuple[str, ...]] | None:
    """Group, field and labels of a counter; kept, as there are hundreds and they are the same each time."""
    group, _, rest = name.partition(".")
    ident, _, field = rest.rpartition(".")
    if group not in GROUPS or not FIELD.fullmatch(field):
        return None
    labels = _labels(group, ident.lower(), newest)
    return None if labels is None else (group, field, labels)


def _counters(text: str) -> dict[str, dict[str, Any]]:
    """From Varnish 6.5 on they are under `counters`; before, beside the time."""
    try:
        printed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ParseError(f"expected JSON of varnishstat, found {text[:80]!r}") from error
    inner = printed.get("counters", printed) if isinstance(printed, dict) else None
    found = {name: each for name, each in inner.items() if isinstance(each, dict)} if isinstance(inner, dict) else {}
    if not found.keys() & {"MGT.uptime", "MAIN.uptime"}:
        raise ParseError(f"expected counters of varnishstat, found {text[:80]!r}")
    return found


def _newest(counters: Iterable[str]) -> str:
    """The configuration loaded last, of those that Debian's scripts name: older ones have the same backends still."""
    names = {found[1] for name in counters if name.startswith("VBE.") and (found := AUTOMATIC.match(name, 4))}
    return max(names - {"boot"}, default="boot").lower()


def _labels(group: str, ident: str, newest: str) -> tuple[str, ...] | None:
    """None for a backend of a configuration that is no longer the newest."""
    if group in ("MAIN", "MGT"):
        return () if not ident else None
    if group != "VBE":
        return (ident,)
    if (found := AUTOMATIC.match(ident)) and found[1] != newest:
        return None
    if of_uuid := UUID.search(ident):
        return _backend(of_uuid[2]), of_uuid[1]
    if of_place := PLACE.search(ident):
        return _backend(of_place[1]), of_place[2].replace(",,", ":", 1)
    return _backend(ident), "unknown"


def _backend(name: str) -> str:
    return re.sub(r"^(boot\.|root:|reload_[^.]*\.)", "", name.strip("."))


def _samples(group: str, field: str, value: int, flag: str, labels: tuple[str, ...]) -> Iterator[Sample]:
    listed, others = GROUPS[group]
    if family := listed.get(field):
        if family.kind == "counter" or field == "happy" or value < LARGEST:
            yield family(value, *labels)
        if field == "happy":
            yield BACKEND_UP(value & 1, *labels)
    elif group == "MAIN" and field.startswith("sess_"):
        yield SESSIONS(value, field.removeprefix("sess_"))
    elif group == "MAIN" and field.startswith("fetch_"):
        yield FETCHES(value, field.removeprefix("fetch_"))
    elif flag in ("c", "a"):
        yield others.named(field)(value, *labels)
    elif group == "SMF" and field.startswith("g_") and value < LARGEST:
        yield FILE_GAUGES.named(field.removeprefix("g_"))(value, *labels)
