"""Redis, Valkey and their sentinels: INFO, and where it is allowed limits and what was slow, over one kept connection.

Names and types are redis_exporter's. Tested versions: tests/data/redis.
Source: https://redis.io/docs/latest/commands/info/
"""

from collections.abc import Iterable

from collectors.inventory import Inventory, Listener
from collectors.inventory.servers import PROGRAMS, entrance, reachable
from collectors.model import Collector, Gauge, Part, Proposal, tcp_instance
from collectors.redis import bigkeys, info, slow
from collectors.redis.session import Redis, connect

UP = Gauge("redis_up", "1 when the server answered.")


def instance(config: Redis, host: str) -> str:
    return f"{host}:{config.socket}" if config.socket else tcp_instance(host, config.address, config.port)


REMEDY = """\
ACL SETUSER raingauge on >PASSWORD -@all +ping +info +config|get
ACL SETUSER raingauge +slowlog|len +slowlog|get +latency|latest +latency|histogram
(in redis-cli; then ACL SAVE, or the same in users.acl. A port that speaks TLS: and `tls: {ca: FILE}` beside the place)
and in raingauge.yml: targets: {redis: [{PLACE, user: raingauge, password_file: /etc/raingauge/redis}]}"""
JOIN_GROUP = """\
usermod --append --groups redis raingauge
(if the socket is for its group alone; then start Raingauge anew. Where the server asks for a password:)
"""


def discover(inventory: Inventory) -> Iterable[Proposal]:
    """Each server once: by TCP on loopback if it listens there, else by its unix socket."""
    by_server: dict[int, list[Listener]] = {}
    for at in inventory.listeners:
        if at.process in PROGRAMS["redis"]:
            by_server.setdefault(at.pid, []).append(at)
    for listeners in by_server.values():
        at = entrance("redis", listeners)
        address = reachable(at.address)
        config = Redis(socket=at.path) if at.path else Redis(address=address, port=at.port)
        place = at.path or f"{at.address}:{at.port}"
        setting = f"socket: {at.path}" if at.path else f"address: '{address}', port: {at.port}"
        remedy = (JOIN_GROUP if at.path else "") + REMEDY.replace("PLACE", setting)
        yield Proposal(f"{at.process} (pid {at.pid}) listens on {place}", config, remedy)


COLLECTOR = Collector(
    "redis",
    "redis",
    Redis,
    parts=(
        Part("info", info.FAMILIES, info.read, info.parse),
        Part("slow", slow.FAMILIES, slow.read, slow.parse, interval=60),
        Part(
            "keys",
            bigkeys.FAMILIES,
            bigkeys.read,
            bigkeys.parse,
            interval=600,
            wanted=lambda config: bool(config.big_keys),
        ),
    ),
    instance=instance,
    discover=discover,
    up=lambda _config, value: UP(value),
    connect=connect,
    grants="INFO, and if it may CONFIG GET, SLOWLOG and LATENCY: `ACL SETUSER raingauge on >PASSWORD -@all +ping +info "
    "+config|get +slowlog|len +slowlog|get +latency|latest +latency|histogram`; "
    "for big_keys `+scan +select +memory|usage` and `%R~*`, which lets it read names.",
)
