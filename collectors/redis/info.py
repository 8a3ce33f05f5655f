"""What the text of INFO gives: fields, replicas, databases, commands and how long they took.

Source: https://redis.io/docs/latest/commands/info/
"""

import math
from collections.abc import Iterable
from typing import TypedDict

from collectors.errors import ParseError
from collectors.model import LABEL_BOUND, Counter, Family, Gauge, Sample, Summary
from collectors.redis import sentinel
from collectors.redis.fields import FIELDS, FORK_USEC, REPLICA_FIELDS, SIGNED
from collectors.redis.session import Session, ask, ask_if_allowed, text
from collectors.redis.values import number, pairs, texts

INFO_FIELDS = ("role", "redis_version", "redis_build_id", "redis_mode", "os", "maxmemory_policy", "tcp_port", "run_id",
               "process_id", "master_replid", "valkey_version")  # fmt: skip
INSTANCE = Gauge("redis_instance_info", "1; facts of the server are its labels.", INFO_FIELDS)
KEYS = Gauge("redis_db_keys", "Keys of the database.", ("db",))
EXPIRING = Gauge("redis_db_keys_expiring", "Keys of the database that expire.", ("db",))
AVERAGE_TTL = Gauge("redis_db_avg_ttl_seconds", "Average time to live of the database's expiring keys.", ("db",))
START = Gauge("redis_start_time_seconds", "When the server started, in Unix time.")
REPLICA = Gauge(
    "redis_slave_info", "1 on a replica; its primary is its labels.", ("master_host", "master_port", "read_only")
)
OF_REPLICAS = {
    "offset": Gauge(
        "redis_connected_slave_offset_bytes", "Offset that a connected replica has reached.",
        ("slave_ip", "slave_port", "slave_state"),
    ),
    "lag": Gauge(
        "redis_connected_slave_lag_seconds", "Seconds since a connected replica was heard.",
        ("slave_ip", "slave_port", "slave_state"),
    ),
}  # fmt: skip
CMD = ("cmd",)
COMMANDS = {"cmd": 300}
OF_COMMANDS: dict[str, tuple[Family, float]] = {
    "calls": (Counter("redis_commands_total", "Calls by command.", CMD, bounds=COMMANDS), 1),
    "usec": (Counter("redis_commands_duration_seconds_total", "Time spent by command.", CMD, bounds=COMMANDS), 1e6),
    "rejected_calls": (
        Counter("redis_commands_rejected_calls_total", "Calls refused before they ran.", CMD, bounds=COMMANDS),
        1,
    ),
    "failed_calls": (
        Counter("redis_commands_failed_calls_total", "Calls that ended with an error.", CMD, bounds=COMMANDS),
        1,
    ),
}
TOOK = Summary(
    "redis_latency_percentiles_usec", "Microseconds that most calls stayed below, by share of calls in percent.",
    ("cmd", "quantile"), bounds=COMMANDS,
)  # fmt: skip
TOOK_SUM = TOOK.with_suffix("_sum", "Microseconds of all calls.")
TOOK_COUNT = TOOK.with_suffix("_count", "Calls.")
ERRORS = Counter("redis_errors_total", "Error replies by kind.", ("err",))
OF_CONFIG = {
    "maxclients": Gauge("redis_config_maxclients", "maxclients, from CONFIG GET."),
    "maxmemory": Gauge("redis_config_maxmemory", "maxmemory in bytes, from CONFIG GET."),
    "io-threads": Gauge("redis_config_io_threads", "io-threads, from CONFIG GET."),
}
FAMILIES = (
    *(family for family, _ in FIELDS.values()), FORK_USEC, *REPLICA_FIELDS.values(), INSTANCE, START, REPLICA,
    *OF_REPLICAS.values(), KEYS, EXPIRING, AVERAGE_TTL, *(family for family, _ in OF_COMMANDS.values()), TOOK, TOOK_SUM,
    TOOK_COUNT, ERRORS, *OF_CONFIG.values(), *sentinel.FAMILIES,
)  # fmt: skip


class Payload(TypedDict):
    info: str
    config: dict[str, str]
    """What OF_CONFIG has, and databases; empty where CONFIG GET is refused."""


def read(session: Session) -> Payload:
    info = text(ask(session, "INFO", "all"))  # "everything" is nothing before Redis 6
    config: dict[str, str] = {}
    for name in (*OF_CONFIG, "databases"):
        answer = ask_if_allowed(session, "CONFIG", "GET", name)  # often forbidden; INFO says nearly the same
        words = [text(word) for word in answer] if isinstance(answer, list) else []
        config.update(zip(words[::2], words[1::2], strict=False))
    return {"info": info, "config": config}


def parse(payload: Payload) -> Iterable[Sample]:
    fields = dict(line.split(":", 1) for line in payload["info"].splitlines() if ":" in line and line[0] != "#")
    if "redis_version" not in fields:
        raise ParseError(f"expected INFO with redis_version, found {payload['info'][:80]!r}")
    for name, (family, divisor) in FIELDS.items():
        value = number(fields.get(name, ""), least=-math.inf if name in SIGNED else 0)
        if value is not None:
            yield family(value / divisor)
    if (fork := number(fields.get("latest_fork_usec", ""))) is not None:
        yield FORK_USEC(fork)
    fields.setdefault("redis_mode", fields.get("server_mode", ""))  # Valkey's word
    yield INSTANCE(1, *(fields.get(name, "") for name in INFO_FIELDS))
    yield from _start(fields)
    yield from _replication(fields)
    yield from _databases(fields, payload["config"])
    yield from _commands(fields)
    yield from sentinel.parse(fields)
    for name, config in OF_CONFIG.items():
        if (value := number(payload["config"].get(name, ""))) is not None:
            yield config(value)


def _start(fields: dict[str, str]) -> Iterable[Sample]:
    """To the second, by the server's clock, from which its uptime is reckoned too."""
    now, uptime = number(fields.get("server_time_usec", "")), number(fields.get("uptime_in_seconds", ""))
    if now is not None and uptime is not None and math.isfinite(now - uptime):
        yield START(now // 1e6 - uptime)


def _replication(fields: dict[str, str]) -> Iterable[Sample]:
    for name, line in fields.items():
        if name.startswith("slave") and name[5:].isdecimal():
            facts = texts(line)
            labels = tuple(facts.get(label, "") for label in ("ip", "port", "state"))
            for fact, family in OF_REPLICAS.items():
                if (value := number(facts.get(fact, ""))) is not None:
                    yield family(value, *labels)
    if fields.get("role") != "slave":
        return
    primary = (fields.get("master_host", ""), fields.get("master_port", ""))
    yield REPLICA(1, *primary, fields.get("slave_read_only", ""))
    for name, family in REPLICA_FIELDS.items():
        if (value := number(fields.get(name, ""))) is not None:
            yield family(value, *primary)


def _databases(fields: dict[str, str], config: dict[str, str]) -> Iterable[Sample]:
    """Every configured database, the empty ones with 0 keys, since INFO names only those with keys.

    Where there are more than a label may have values, only those with keys.
    """
    filled = {name: pairs(line) for name, line in fields.items() if name.startswith("db") and name[2:].isdecimal()}
    configured = number(config.get("databases", "")) or 0
    names = [f"db{number}" for number in range(int(configured))] if configured <= LABEL_BOUND else []
    for name in dict.fromkeys([*names, *filled]):
        facts = filled.get(name, {})
        yield KEYS(facts.get("keys", 0), name)
        yield EXPIRING(facts.get("expires", 0), name)
        if "avg_ttl" in facts:
            yield AVERAGE_TTL(facts["avg_ttl"] / 1000, name)


def _commands(fields: dict[str, str]) -> Iterable[Sample]:
    for name, line in fields.items():
        kind, _, rest = name.partition("_")
        if kind == "cmdstat":
            facts = pairs(line)
            for fact, (family, divisor) in OF_COMMANDS.items():
                if fact in facts:
                    yield family(facts[fact] / divisor, rest.lower())
        elif kind == "errorstat":
            yield ERRORS(pairs(line).get("count", 0), rest)
        elif name.startswith("latency_percentiles_usec_"):
            yield from _took(name.removeprefix("latency_percentiles_usec_"), line, fields)


def _took(command: str, line: str, fields: dict[str, str]) -> Iterable[Sample]:
    """A summary has its sum and count, which are the command's, or is none."""
    calls = pairs(fields.get(f"cmdstat_{command}", ""))
    if not {"calls", "usec"} <= calls.keys():
        return
    for name, value in pairs(line).items():
        if (percent := number(name.removeprefix("p"))) is not None:
            yield TOOK(value, command.lower(), f"{percent:g}")
    yield TOOK_SUM(calls["usec"], command.lower())
    yield TOOK_COUNT(calls["calls"], command.lower())
