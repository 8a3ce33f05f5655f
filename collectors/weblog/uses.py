"""Which servers a site needs, each as its target is called: the pool, the database, what keeps the caches.

What settings.php does not say plainly is left out.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from collectors.inventory.backends import backends
from collectors.inventory.model import Inventory, Listener, Site, Vhost
from collectors.inventory.php.memory import Value
from collectors.inventory.servers import PROGRAMS, entrance, reachable
from collectors.inventory.settings_php import Settings
from collectors.model import Gauge, Sample, tcp_instance
from collectors.weblog.config import Use, Weblog

DRIVERS = {"mysql": "mysql", "mysqli": "mysql", "pgsql": "postgres"}
USES = Gauge(
    "web_site_uses", "1: the site needs that server, which is read as the target of this job and instance.",
    ("site", "target_job", "target_instance"), bounds={"site": 1000, "target_instance": 1000},
)  # fmt: skip
FAMILIES = (USES,)
PORTS = {"mysql": 3306, "postgres": 5432, "redis": 6379, "memcached": 11211}
LOOPBACK = ("127.0.0.1", "::1", "localhost", "")
BEHIND_VARNISH = re.compile(r"\s-b\s*\S*:(\d+)")
USUALLY_BEHIND = "8080"
"""Port of the web server in the VCL that Varnish comes with."""
DIRECTORY = re.compile(r"\s-n\s*(\S+)")


def read(config: Weblog) -> list[list[str]]:
    return [[site.name, use.job, use.instance] for site in config.sites for use in site.uses]


def parse(rows: list[list[str]]) -> Iterable[Sample]:
    for row in rows:
        yield USES(1, *row)


def _use(job: str, instance: str) -> Use:
    return Use(job=job, instance=instance)


def uses(inventory: Inventory, vhosts: Sequence[Vhost], site: Site | None) -> tuple[Use, ...]:
    """Of the site that the vhosts serve; `site` where it is Drupal."""
    found = [*_pools(inventory, vhosts), *_varnish(inventory, vhosts)]
    if site and site.settings:
        found += [*_database(inventory, site.settings), *_caches(inventory, site.settings)]
    return tuple(dict.fromkeys(found))


def _pools(inventory: Inventory, vhosts: Iterable[Vhost]) -> Iterator[Use]:
    listens = {_plain(pool.listen): pool.listen for pool in inventory.pools}
    for address in (each for vhost in vhosts for each in vhost.fastcgi if "$" not in each):
        known = listens.get(_plain(address), address)
        if known.startswith("unix:/"):
            yield _use("phpfpm", f"{inventory.host}:{known.removeprefix('unix:')}")
        elif re.fullmatch(r".+:\d{1,5}", known):
            host, _, port = known.rpartition(":")
            yield _use("phpfpm", _over_tcp(inventory.host, host.strip("[]"), int(port)))


def _varnish(inventory: Inventory, vhosts: Iterable[Vhost]) -> Iterator[Use]:
    """Only where one runs, and the site's web server listens where that one looks for it."""
    servers = {each.pid: each for each in inventory.processes if each.name == "varnishd"}
    masters = [each for each in servers.values() if each.parent not in servers]
    if len(masters) == 1:
        title = masters[0].title
        said = BEHIND_VARNISH.search(title)
        port = said[1] if said else USUALLY_BEHIND
        if any(listen.rpartition(":")[2] == port for vhost in vhosts for listen in vhost.listens):
            directory = DIRECTORY.search(title)
            yield _use("varnish", f"{inventory.host}:{directory[1]}" if directory else inventory.host)


def _database(inventory: Inventory, settings: Settings) -> Iterator[Use]:
    known = settings.get("databases", "default", "default")
    if not isinstance(known, dict):
        return
    job = DRIVERS.get(_text(known.get("driver")) or "")
    host, socket = _text(known.get("host", "")), _text(known.get("unix_socket", ""))
    if job is None or host is None or socket is None:
        return
    port = _port(known.get("port", ""), PORTS[job])
    if job == "postgres" and host.startswith("/"):
        socket = f"{host.rstrip('/')}/.s.PGSQL.{port}"
    yield from _server(inventory, job, host, port, socket)


def _caches(inventory: Inventory, settings: Settings) -> Iterator[Use]:
    kept_by = set(backends(settings).values()) | _bins(settings)
    if "redis" in kept_by:
        modern = settings.get("settings", "redis.connection")
        known = modern if isinstance(modern, dict) else {}
        if modern is None or known:
            host = _text(known.get("host", settings.get("conf", "redis_client_host") or ""))
            port = _port(known.get("port", settings.get("conf", "redis_client_port")), PORTS["redis"])
            socket = _text(known.get("socket", settings.get("conf", "redis_client_socket") or ""))
            if host is not None and socket is not None:
                yield from _server(inventory, "redis", host, port, host if host.startswith("/") else socket)
    if "memcache" in kept_by:
        servers = settings.get("settings", "memcache", "servers") or settings.get("conf", "memcache_servers")
        for at in servers if isinstance(servers, dict) else ("127.0.0.1:11211",) if servers is None else ():
            if path := re.fullmatch(r"unix://(/[^:]+)(?::0)?", str(at)):
                yield from _server(inventory, "memcached", "", 0, path[1])
            elif found := re.fullmatch(r"(?:tcp://)?([\w.-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})", str(at)):
                yield from _server(inventory, "memcached", found[1].strip("[]"), int(found[2]), "")


def _bins(settings: Settings) -> set[str]:
    """Backends of single cache bins."""
    bins = settings.get("settings", "cache", "bins")
    names = [value.lower() for value in bins.values() if isinstance(value, str)] if isinstance(bins, dict) else []
    return {kind for kind in ("redis", "memcache") for name in names if kind in name}


def _server(inventory: Inventory, job: str, host: str, port: int, socket: str) -> Iterator[Use]:
    """As its target is called: by the way in that discovery takes, not by the one that the site takes."""
    if not socket and host not in LOOPBACK:
        yield _use(job, _over_tcp(inventory.host, host, port))
        return
    mine = [at for at in inventory.listeners if at.process in PROGRAMS[job]]
    by_socket = not socket and job == "mysql" and host in ("localhost", "")  # where PHP's build looks for it
    there = [at for at in mine if _is_there(at, port, socket, any_socket=by_socket)]
    servers = {(at.pid, _postgres_port(at) if job == "postgres" else 0) for at in there}
    if len(servers) != 1:
        if socket or not by_socket:
            yield _use(job, f"{inventory.host}:{socket}" if socket else _over_tcp(inventory.host, host, port))
        return
    (server,) = servers
    whole = [at for at in mine if (at.pid, _postgres_port(at) if job == "postgres" else 0) == server]
    at = entrance(job, whole)
    place = f"{inventory.host}:{at.path}" if at.path else _over_tcp(inventory.host, reachable(at.address), at.port)
    yield _use(job, place)


def _is_there(at: Listener, port: int, socket: str, *, any_socket: bool) -> bool:
    if any_socket:
        return bool(at.path) and not at.path.endswith("mysqlx.sock")
    return _plain(at.path) == _plain(socket) if socket else at.port == port


def _postgres_port(at: Listener) -> int:
    """A server's sockets share its port; we may not see whose they are."""
    found = re.search(r"\.s\.PGSQL\.(\d+)$", at.path)
    return int(found[1]) if found else at.port


def _over_tcp(host: str, address: str, port: int) -> str:
    return tcp_instance(host, address or "127.0.0.1", port)


def _text(value: Value) -> str | None:
    """None for what only PHP can tell."""
    return value if isinstance(value, str) else "" if value is None else None


def _port(value: Value, usual: int) -> int:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else usual


def _plain(address: str) -> str:
    """The same place spelled in one way."""
    return re.sub(r"^(unix:)?/var/run/", r"\1/run/", address).replace("localhost:", "127.0.0.1:")
