"""The families of the whole server, from `stats` and `stats settings`.

Source: https://github.com/memcached/memcached/blob/master/doc/protocol.txt
"""

import math
from collections.abc import Iterable, Iterator, Mapping

from collectors.errors import ParseError
from collectors.memcached.protocol import stats
from collectors.model import Counter, Family, Gauge, Sample

FIELDS: dict[str, Family] = {
    "uptime": Counter("memcached_uptime_seconds", "Seconds since the server started."),
    "time": Gauge("memcached_time_seconds", "The server's clock, in Unix time."),
    "rusage_user": Counter("memcached_process_user_cpu_seconds_total", "Processor time in the server's own code."),
    "rusage_system": Counter("memcached_process_system_cpu_seconds_total", "Processor time in the kernel."),
    "bytes": Gauge("memcached_current_bytes", "Bytes of the items stored now."),
    "limit_maxbytes": Gauge("memcached_limit_bytes", "Most bytes that it may store."),
    "curr_items": Gauge("memcached_current_items", "Items stored now."),
    "total_items": Counter("memcached_items_total", "Items stored so far."),
    "evictions": Counter("memcached_items_evicted_total", "Items removed before their time for want of memory."),
    "reclaimed": Counter("memcached_items_reclaimed_total", "Items stored in the place of one whose time was over."),
    "store_too_large": Counter("memcached_item_too_large_total", "Items refused because they are too large."),
    "store_no_memory": Counter("memcached_item_no_memory_total", "Items refused for want of memory."),
    "direct_reclaims": Counter("memcached_direct_reclaims_total", "Times that a client had to free memory itself."),
    "bytes_read": Counter("memcached_read_bytes_total", "Bytes received from clients."),
    "bytes_written": Counter("memcached_written_bytes_total", "Bytes sent to clients."),
    "curr_connections": Gauge("memcached_current_connections", "Client connections open now."),
    "total_connections": Counter("memcached_connections_total", "Client connections accepted."),
    "rejected_connections": Counter("memcached_connections_rejected_total", "Clients refused at the limit of connections."),
    "conn_yields": Counter("memcached_connections_yielded_total", "Times that a connection with many requests had to wait."),
    "listen_disabled_num": Counter("memcached_connections_listener_disabled_total", "Times that it stopped accepting connections, at the limit."),
    "accepting_conns": Gauge("memcached_accepting_connections", "1 while it accepts connections."),
    "lru_crawler_starts": Counter("memcached_lru_crawler_starts_total", "Rounds of the crawler that looks for items whose time is over."),
    "crawler_reclaimed": Counter("memcached_lru_crawler_reclaimed_total", "Items that the crawler removed."),
    "crawler_items_checked": Counter("memcached_lru_crawler_items_checked_total", "Items that the crawler looked at."),
    "moves_to_cold": Counter("memcached_lru_crawler_moves_to_cold_total", "Items moved to the cold queue."),
    "moves_to_warm": Counter("memcached_lru_crawler_moves_to_warm_total", "Items moved to the warm queue."),
    "moves_within_lru": Counter("memcached_lru_crawler_moves_within_lru_total", "Items moved to the front of their queue."),
}  # fmt: skip
SETTINGS: dict[str, Family] = {
    "maxconns": Gauge("memcached_max_connections", "Most client connections."),
    "lru_crawler": Gauge("memcached_lru_crawler_enabled", "1 if the crawler is on."),
    "lru_crawler_sleep": Gauge("memcached_lru_crawler_sleep", "Microseconds that the crawler waits between items."),
    "lru_crawler_tocrawl": Gauge("memcached_lru_crawler_to_crawl", "Most items of a queue that it looks at; 0: all."),
    "lru_maintainer_thread": Gauge("memcached_lru_crawler_maintainer_thread", "1 if a thread keeps the queues in order."),
    "hot_lru_pct": Gauge("memcached_lru_crawler_hot_percent", "Most of the memory for the hot queue, in percent."),
    "warm_lru_pct": Gauge("memcached_lru_crawler_warm_percent", "Most of the memory for the warm queue, in percent."),
    "hot_max_factor": Gauge("memcached_lru_crawler_hot_max_factor", "Oldest item of the hot queue, by the age of the cold one's."),
    "warm_max_factor": Gauge("memcached_lru_crawler_warm_max_factor", "Oldest item of the warm queue, by the age of the cold one's."),
}  # fmt: skip
VERSION = Gauge("memcached_version", "Always 1; the server's version as label.", ("version",))
COMMANDS = Counter("memcached_commands_total", "Commands by what came of them.", ("command", "status"))
COMMAND_FIELDS = {
    **{f"{command}_hits": (command, "hit") for command in ("get", "delete", "incr", "decr", "cas", "touch")},
    **{f"{command}_misses": (command, "miss") for command in ("get", "delete", "incr", "decr", "cas", "touch")},
    "cas_badval": ("cas", "badval"),
    "cmd_flush": ("flush", "hit"),
}
CAS = ("cas_misses", "cas_hits", "cas_badval")
WORDS = {"yes": 1.0, "no": 0.0}
FAMILIES = (*FIELDS.values(), *SETTINGS.values(), VERSION, COMMANDS)


def parse(payload: Mapping[str, str]) -> Iterable[Sample]:
    """Raise ParseError when it is no `stats` with a version."""
    fields = stats(payload["stats"])
    if not (version := fields.get("version")):
        raise ParseError(f"expected stats with a version, found {payload['stats'][:80]!r}")
    yield VERSION(1, version)
    yield from _samples(FIELDS, fields)
    yield from _samples(SETTINGS, stats(payload["stats settings"]))
    yield from _commands(fields)


def _samples(families: Mapping[str, Family], fields: Mapping[str, str]) -> Iterator[Sample]:
    for name, family in families.items():
        if (value := number(fields.get(name, ""))) is not None:
            yield family(value)


def _commands(fields: Mapping[str, str]) -> Iterator[Sample]:
    for name, labels in COMMAND_FIELDS.items():
        if (value := number(fields.get(name, ""))) is not None:
            yield COMMANDS(value, *labels)
    sets = number(fields.get("cmd_set", ""))
    if sets is not None:  # the server counts cas among them
        yield COMMANDS(max(0, sets - sum(number(fields.get(name, "")) or 0 for name in CAS)), "set", "hit")


def number(text: str) -> float | None:
    """None for what is no number that a server counts."""
    if text in WORDS:
        return WORDS[text]
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < math.inf else None
