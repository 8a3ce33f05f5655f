"""Redis and Valkey: INFO, and two limits from CONFIG GET where that is allowed, over one kept connection.

Names and types are redis_exporter's. Tested versions: tests/data/redis.
Source: https://redis.io/docs/latest/commands/info/
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collectors.config import Config, Port, Secret, Timeout, login
from collectors.errors import Denied, ParseError, Unreachable, Unsupported
from collectors.inventory import Inventory, Listener
from collectors.model import Collector, Gauge, Part, Proposal, tcp_instance
from collectors.redis.info import FAMILIES, Payload, parse


class Redis(Config):
    socket: str = ""
    """Path of the server's unix socket; empty: TCP."""
    address: str = "127.0.0.1"
    """Host name or IP address of the server."""
    port: Port = 6379
    """TCP port of the server."""
    user: str = ""
    """ACL user; empty: the default user."""
    password: Secret | None = None
    """Its password."""
    password_file: Path | None = None
    """File that holds the password instead."""
    timeout: Timeout = 2.0
    """How long connecting and each command may take."""


UP = Gauge("redis_up", "1 when the server answered.")


@dataclass
class Session:
    connection: Any
    connected: bool = False
    may_configure: bool = True
    """CONFIG GET was not refused yet; each refusal is an error that the server counts and keeps in its ACL log."""


@contextmanager
def connect(config: Redis) -> Iterator[Session]:
    import redis

    password = login(config.password, config.password_file)
    kind: Any = redis.UnixDomainSocketConnection if config.socket else redis.Connection
    where = {"path": config.socket} if config.socket else {"host": config.address, "port": config.port}
    connection = kind(
        **where, username=config.user or None, password=password,
        socket_timeout=config.timeout, socket_connect_timeout=config.timeout, protocol=2,
    )  # fmt: skip # 3 is not spoken before Redis 6, and we need nothing of it
    # Else it tells its own name, by a command that is an error before Redis 7.2 and for users with few rights.
    connection.driver_info = connection.lib_name = connection.lib_version = None
    try:
        yield Session(connection)
    finally:
        connection.disconnect()


def _ask(connection: Any, *command: str) -> Any:
    import redis

    try:
        connection.send_command(*command)
        return connection.read_response()
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
        raise Denied(f"{command[0]}: {error}") from error
    except redis.ResponseError as error:
        kind = Denied if str(error).startswith(("NOAUTH", "WRONGPASS", "NOPERM", "DENIED")) else Unsupported
        raise kind(f"{command[0]}: {error}") from error
    except (redis.ConnectionError, redis.TimeoutError) as error:
        if isinstance(error.__context__, PermissionError):  # no right to the socket
            raise Denied(f"{command[0]}: {error}") from error
        raise Unreachable(f"{command[0]}: {error}") from error
    except (redis.RedisError, ValueError, AttributeError) as error:  # the last two are redis-py misled
        raise ParseError(f"{command[0]}: expected an answer of Redis, found {str(error)[:80]!r}") from error


def read(session: Session) -> Payload:
    if session.connected and _closed(session.connection):
        session.connection.disconnect()  # the next command connects anew
    session.connected = True
    info = _text(_ask(session.connection, "INFO", "all"))  # "everything" is nothing before Redis 6
    config: dict[str, str] = {}
    for name in ("maxclients", "maxmemory", "databases"):
        if not session.may_configure:
            break
        try:
            answer = _ask(session.connection, "CONFIG", "GET", name)
        except (Denied, Unsupported):  # often forbidden; INFO says nearly the same
            session.may_configure = False
            break
        words = [_text(word) for word in answer] if isinstance(answer, list) else []
        config.update(zip(words[::2], words[1::2], strict=False))
    return {"info": info, "config": config}


def _closed(connection: Any) -> bool:
    """The server ends clients that were idle for its `timeout`; it is not down."""
    import redis

    try:
        return bool(connection.can_read(timeout=0))
    except (redis.ConnectionError, redis.TimeoutError):
        return True


def _text(answer: Any) -> str:
    if not isinstance(answer, bytes):
        raise ParseError(f"expected text from Redis, found {answer!r:.80}")
    return answer.decode(errors="replace")


def instance(config: Redis, host: str) -> str:
    return f"{host}:{config.socket}" if config.socket else tcp_instance(host, config.address, config.port)


SERVERS = {"redis-server", "valkey-server"}
REMEDY = """\
ACL SETUSER raingauge on >PASSWORD -@all +info +config|get +ping
(in redis-cli; then ACL SAVE, or the same in users.acl)
and in raingauge.yml: targets: {redis: [{PLACE, user: raingauge, password_file: /etc/raingauge/redis}]}"""
JOIN_GROUP = """\
usermod --append --groups redis raingauge
(if the socket is for its group alone; then start Raingauge anew. Where the server asks for a password:)
"""


def discover(inventory: Inventory) -> Iterable[Proposal]:
    """Each server once: by TCP on loopback if it listens there, else by its unix socket."""
    by_server: dict[int, list[Listener]] = {}
    for at in inventory.listeners:
        if at.process in SERVERS:
            by_server.setdefault(at.pid, []).append(at)
    for listeners in by_server.values():
        at = min(listeners, key=lambda at: (bool(at.path), ":" in at.address, at.port))  # TCP first, IPv4 first
        address = "127.0.0.1" if at.address in ("0.0.0.0", "::", "*") else at.address  # noqa: S104
        config = Redis(socket=at.path) if at.path else Redis(address=address, port=at.port)
        place = at.path or f"{at.address}:{at.port}"
        setting = f"socket: {at.path}" if at.path else f"address: '{address}', port: {at.port}"
        remedy = (JOIN_GROUP if at.path else "") + REMEDY.replace("PLACE", setting)
        yield Proposal(f"{at.process} (pid {at.pid}) listens on {place}", config, remedy)


COLLECTOR = Collector(
    "redis",
    "redis",
    Redis,
    parts=(Part("info", FAMILIES, read, parse),),
    instance=instance,
    discover=discover,
    up=lambda _config, value: UP(value),
    connect=connect,
    grants="INFO, and CONFIG GET if it may: `ACL SETUSER raingauge on >PASSWORD -@all +info +config|get +ping`.",
)
