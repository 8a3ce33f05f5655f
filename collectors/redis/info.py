"""The families that INFO gives, and how they are read from its text; one field a row.

Source: https://redis.io/docs/latest/commands/info/
"""

import math
import re
from collections.abc import Iterable
from typing import TypedDict

from collectors.errors import ParseError
from collectors.model import LABEL_BOUND, Counter, Family, Gauge, Sample

# Field of INFO -> family, with the factor to the family's unit.
FIELDS: dict[str, tuple[Family, float]] = {
    "uptime_in_seconds": (Gauge("redis_uptime_in_seconds", "Seconds since the server started."), 1),
    "connected_clients": (Gauge("redis_connected_clients", "Client connections open now."), 1),
    "blocked_clients": (Gauge("redis_blocked_clients", "Clients that wait in a blocking command."), 1),
    "maxclients": (Gauge("redis_max_clients", "Most clients that may connect, from INFO."), 1),
    "client_recent_max_input_buffer": (Gauge("redis_client_recent_max_input_buffer_bytes", "Largest input buffer of a client."), 1),
    "client_recent_max_output_buffer": (Gauge("redis_client_recent_max_output_buffer_bytes", "Largest output buffer of a client."), 1),
    "used_memory": (Gauge("redis_memory_used_bytes", "Memory that the allocator gave out."), 1),
    "used_memory_rss": (Gauge("redis_memory_used_rss_bytes", "Resident memory of the server."), 1),
    "used_memory_peak": (Gauge("redis_memory_used_peak_bytes", "Most memory used so far."), 1),
    "used_memory_lua": (Gauge("redis_memory_used_lua_bytes", "Memory of the Lua engine."), 1),
    "used_memory_dataset": (Gauge("redis_memory_used_dataset_bytes", "Memory of the data itself."), 1),
    "used_memory_overhead": (Gauge("redis_memory_used_overhead_bytes", "Memory of the server's own structures."), 1),
    "used_memory_scripts": (Gauge("redis_memory_used_scripts_bytes", "Memory of cached scripts."), 1),
    "used_memory_startup": (Gauge("redis_memory_used_startup_bytes", "Memory used right after the start."), 1),
    "maxmemory": (Gauge("redis_memory_max_bytes", "Memory limit; 0 without one."), 1),
    "total_system_memory": (Gauge("redis_total_system_memory_bytes", "Memory of the host as the server sees it."), 1),
    "mem_fragmentation_ratio": (Gauge("redis_mem_fragmentation_ratio", "Resident over used memory."), 1),
    "mem_fragmentation_bytes": (Gauge("redis_mem_fragmentation_bytes", "Resident less used memory."), 1),
    "mem_clients_normal": (Gauge("redis_mem_clients_normal", "Bytes of memory of normal clients."), 1),
    "mem_clients_slaves": (Gauge("redis_mem_clients_slaves", "Bytes of memory of replicas' connections."), 1),
    "loading": (Gauge("redis_loading_dump_file", "1 while the server loads its data."), 1),
    "rdb_changes_since_last_save": (Gauge("redis_rdb_changes_since_last_save", "Changes since the last save to disk."), 1),
    "rdb_bgsave_in_progress": (Gauge("redis_rdb_bgsave_in_progress", "1 while a background save runs."), 1),
    "rdb_last_save_time": (Gauge("redis_rdb_last_save_timestamp_seconds", "When the data was last saved, in Unix time."), 1),
    "rdb_last_bgsave_status": (Gauge("redis_rdb_last_bgsave_status", "1 if the last background save succeeded."), 1),
    "rdb_last_bgsave_time_sec": (Gauge("redis_rdb_last_bgsave_duration_sec", "Seconds that the last background save took."), 1),
    "rdb_current_bgsave_time_sec": (Gauge("redis_rdb_current_bgsave_duration_sec", "Seconds that the running save has taken."), 1),
    "rdb_last_cow_size": (Gauge("redis_rdb_last_cow_size_bytes", "Memory copied during the last background save."), 1),
    "aof_enabled": (Gauge("redis_aof_enabled", "1 if the append-only file is on."), 1),
    "aof_rewrite_in_progress": (Gauge("redis_aof_rewrite_in_progress", "1 while the append-only file is rewritten."), 1),
    "aof_last_bgrewrite_status": (Gauge("redis_aof_last_bgrewrite_status", "1 if the last rewrite succeeded."), 1),
    "aof_last_write_status": (Gauge("redis_aof_last_write_status", "1 if the last write to the append-only file succeeded."), 1),
    "aof_last_cow_size": (Gauge("redis_aof_last_cow_size_bytes", "Memory copied during the last rewrite."), 1),
    "total_connections_received": (Counter("redis_connections_received_total", "Connections accepted."), 1),
    "rejected_connections": (Counter("redis_rejected_connections_total", "Connections refused because of maxclients."), 1),
    "total_commands_processed": (Counter("redis_commands_processed_total", "Commands processed."), 1),
    "total_net_input_bytes": (Counter("redis_net_input_bytes_total", "Bytes read from clients."), 1),
    "total_net_output_bytes": (Counter("redis_net_output_bytes_total", "Bytes sent to clients."), 1),
    "keyspace_hits": (Counter("redis_keyspace_hits_total", "Lookups that found their key."), 1),
    "keyspace_misses": (Counter("redis_keyspace_misses_total", "Lookups that did not find their key."), 1),
    "expired_keys": (Counter("redis_expired_keys_total", "Keys removed because their time was over."), 1),
    "evicted_keys": (Counter("redis_evicted_keys_total", "Keys removed for want of memory."), 1),
    "evicted_clients": (Counter("redis_evicted_clients_total", "Clients disconnected for want of memory."), 1),
    "total_error_replies": (Counter("redis_total_error_replies", "Replies that were errors; a counter without _total."), 1),
    "total_reads_processed": (Counter("redis_total_reads_processed", "Read events; a counter without _total."), 1),
    "total_writes_processed": (Counter("redis_total_writes_processed", "Write events; a counter without _total."), 1),
    "io_threaded_reads_processed": (Counter("redis_io_threaded_reads_processed", "Reads by I/O threads; a counter without _total."), 1),
    "io_threaded_writes_processed": (Counter("redis_io_threaded_writes_processed", "Writes by I/O threads; a counter without _total."), 1),
    "io_threads_active": (Gauge("redis_io_threads_active", "1 if I/O threads are at work."), 1),
    "pubsub_channels": (Gauge("redis_pubsub_channels", "Channels with a subscriber."), 1),
    "latest_fork_usec": (Gauge("redis_latest_fork_seconds", "How long the last fork took."), 1e-6),
    "sync_full": (Gauge("redis_replica_resyncs_full", "Full synchronisations with replicas."), 1),
    "sync_partial_ok": (Gauge("redis_replica_partial_resync_accepted", "Partial synchronisations accepted."), 1),
    "sync_partial_err": (Gauge("redis_replica_partial_resync_denied", "Partial synchronisations refused."), 1),
    "connected_slaves": (Gauge("redis_connected_slaves", "Replicas connected now."), 1),
    "master_repl_offset": (Gauge("redis_master_repl_offset", "Offset of the replication stream."), 1),
    "repl_backlog_size": (Gauge("redis_replication_backlog_bytes", "Size of the replication backlog."), 1),
    "repl_backlog_first_byte_offset": (Gauge("redis_repl_backlog_first_byte_offset", "Offset of the backlog's first byte."), 1),
    "repl_backlog_histlen": (Gauge("redis_repl_backlog_history_bytes", "Data in the replication backlog."), 1),
    "used_cpu_sys": (Counter("redis_cpu_sys_seconds_total", "System CPU time of the server."), 1),
    "used_cpu_user": (Counter("redis_cpu_user_seconds_total", "User CPU time of the server."), 1),
}  # fmt: skip
REPLICA_FIELDS: dict[str, Family] = {
    "master_link_status": Gauge("redis_master_link_up", "1 if the link to the primary is up.", ("master_host", "master_port")),
    "master_last_io_seconds_ago": Gauge("redis_master_last_io_seconds_ago", "Seconds since the primary was heard.", ("master_host", "master_port")),
    "master_sync_in_progress": Gauge("redis_master_sync_in_progress", "1 while the primary sends all its data.", ("master_host", "master_port")),
}  # fmt: skip
INFO_FIELDS = ("role", "redis_version", "redis_build_id", "redis_mode", "os", "maxmemory_policy", "tcp_port", "run_id",
               "process_id", "master_replid", "valkey_version")  # fmt: skip
INSTANCE = Gauge("redis_instance_info", "1; facts of the server are its labels.", INFO_FIELDS)
KEYS = Gauge("redis_db_keys", "Keys of the database.", ("db",))
EXPIRING = Gauge("redis_db_keys_expiring", "Keys of the database that expire.", ("db",))
AVERAGE_TTL = Gauge("redis_db_avg_ttl_seconds", "Average time to live of the database's expiring keys.", ("db",))
CALLS = Counter("redis_commands_total", "Calls by command.", ("cmd",), bounds={"cmd": 300})
DURATION = Counter("redis_commands_duration_seconds_total", "Time spent by command.", ("cmd",), bounds={"cmd": 300})
ERRORS = Counter("redis_errors_total", "Error replies by kind.", ("err",))
MAXCLIENTS = Gauge("redis_config_maxclients", "maxclients, from CONFIG GET.")
MAXMEMORY = Gauge("redis_config_maxmemory", "maxmemory in bytes, from CONFIG GET.")
FAMILIES = (*(family for family, _ in FIELDS.values()), *REPLICA_FIELDS.values(), INSTANCE, KEYS, EXPIRING, AVERAGE_TTL,
            CALLS, DURATION, ERRORS, MAXCLIENTS, MAXMEMORY)  # fmt: skip

SIGNED = {"mem_fragmentation_bytes"}
"""Less than zero when a part of the memory is swapped out."""
WORDS = {"ok": 1.0, "up": 1.0, "yes": 1.0, "err": 0.0, "down": 0.0, "no": 0.0, "fail": 0.0}


class Payload(TypedDict):
    info: str
    config: dict[str, str]
    """maxclients, maxmemory, databases; empty where CONFIG GET is refused."""


def parse(payload: Payload) -> Iterable[Sample]:
    fields = dict(line.split(":", 1) for line in payload["info"].splitlines() if ":" in line and line[0] != "#")
    if "redis_version" not in fields:
        raise ParseError(f"expected INFO with redis_version, found {payload['info'][:80]!r}")
    for name, (family, factor) in FIELDS.items():
        value = number(fields.get(name, ""), least=-math.inf if name in SIGNED else 0)
        if value is not None:
            yield family(value * factor)
    fields.setdefault("redis_mode", fields.get("server_mode", ""))  # Valkey's word
    yield INSTANCE(1, *(fields.get(name, "") for name in INFO_FIELDS))
    yield from _replica(fields)
    yield from _databases(fields, payload["config"])
    yield from _commands(fields)
    for family, name in ((MAXCLIENTS, "maxclients"), (MAXMEMORY, "maxmemory")):
        value = number(payload["config"].get(name, ""))
        if value is not None:
            yield family(value)


def number(text: str, least: float = 0) -> float | None:
    """None for text that is no number, and for a negative, by which the server says that it does not know."""
    if text in WORDS:
        return WORDS[text]
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value >= least else None


def _replica(fields: dict[str, str]) -> Iterable[Sample]:
    if fields.get("role") != "slave":
        return
    labels = (fields.get("master_host", ""), fields.get("master_port", ""))
    for name, family in REPLICA_FIELDS.items():
        value = number(fields.get(name, ""))
        if value is not None:
            yield family(value, *labels)


def _pairs(text: str) -> dict[str, float]:
    """`keys=3,expires=1` -> numbers; what is no number is left out."""
    pairs = (pair.partition("=") for pair in text.split(","))
    return {name: value for name, _, found in pairs if (value := number(found)) is not None}


def _databases(fields: dict[str, str], config: dict[str, str]) -> Iterable[Sample]:
    """Every configured database, the empty ones with 0 keys, since INFO names only those with keys.

    Where there are more than a label may have values, only those with keys.
    """
    filled = {name: _pairs(text) for name, text in fields.items() if re.fullmatch(r"db\d+", name)}
    configured = number(config.get("databases", "")) or 0
    names = [f"db{number}" for number in range(int(configured))] if configured <= LABEL_BOUND else []
    for name in dict.fromkeys([*names, *filled]):
        facts = filled.get(name, {})
        yield KEYS(facts.get("keys", 0), name)
        yield EXPIRING(facts.get("expires", 0), name)
        if "avg_ttl" in facts:
            yield AVERAGE_TTL(facts["avg_ttl"] / 1000, name)


def _commands(fields: dict[str, str]) -> Iterable[Sample]:
    for name, text in fields.items():
        if name.startswith("cmdstat_"):
            facts = _pairs(text)
            command = name.removeprefix("cmdstat_").lower()
            yield CALLS(facts.get("calls", 0), command)
            yield DURATION(facts.get("usec", 0) / 1e6, command)
        elif name.startswith("errorstat_"):
            yield ERRORS(_pairs(text).get("count", 0), name.removeprefix("errorstat_"))
