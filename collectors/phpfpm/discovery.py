"""Pools of this host: as their files say, or where something sends PHP to or listens for it."""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from collectors.inventory import Inventory, Listener, Pool
from collectors.inventory.build import fpm_main
from collectors.model import Proposal
from collectors.phpfpm.config import PROBE, Phpfpm
from collectors.phpfpm.logs import REMEDY

STATUS_PATH = "/fpm-status"
UNITS = (
    (r"/etc/php/([\d.]+)/fpm/php-fpm\.conf", r"php\1-fpm"),
    (r"/etc/php-fpm\.conf", "php-fpm"),
    (r"/etc/opt/remi/(php\d+)/php-fpm\.conf", r"\1-php-fpm"),
    (r"/opt/plesk/php/([\d.]+)/etc/php-fpm\.conf", r"plesk-php\1-fpm"),
)
"""Main configuration file -> the service of it; a PHP that was built by hand has none."""
ANY = ("0.0.0.0", "::", "*")  # noqa: S104 - nothing is bound here


def discover(inventory: Inventory) -> Iterable[Proposal]:
    for pool in inventory.pools:
        found = f"PHP-FPM pool {pool.name} ({pool.file}) on {pool.listen}"
        config = Phpfpm(
            address=pool.listen,
            pool=pool.name,
            status_path=pool.status_path,
            ping_path=pool.ping_path,
            status_listen=pool.status_listen,
            max_children=pool.max_children,
            master=pool.main,
            **{option: path for option, path in _logs(pool).items() if path not in inventory.shut_logs},
            opcache_probe=PROBE if _may_run(PROBE, pool) else "",
        )
        yield Proposal(found, config, _remedy(pool, inventory), _unused(pool, inventory))
        if pool.ping_path and not pool.status_path:  # it answers the ping, so that nothing would ask for more
            steps = [*_status_page(pool), f"then: {_reload(pool, inventory)}"]
            yield Proposal(f"{found} has no status page", None, "\n".join(steps))
    for path in inventory.shut_logs:
        names = [pool.name for pool in inventory.pools if path in _logs(pool).values()]
        if names:
            yield Proposal(f"{path}, a log of PHP-FPM pool {', '.join(names)}", None, REMEDY.format(path=path))
    yield from _without_file(inventory)


def _unused(pool: Pool, inventory: Inventory) -> str:
    """A package brings a pool's file, and its service may be off; a container that we see runs."""
    runs = pool.main in map(fpm_main, inventory.processes) or pool.main.startswith("/proc/")
    return "" if runs else f"no PHP-FPM runs with {pool.main}"


def _logs(pool: Pool) -> dict[str, str]:
    return {"slowlog": pool.slowlog, "error_log": pool.error_log, "php_error_log": pool.php_error_log}


def _may_run(script: str, pool: Pool) -> bool:
    """PHP would log a script that it may not open at each try."""
    allowed = [each.rstrip("/") for each in pool.open_basedir.split(":") if each]
    folders = (script, *map(str, PurePosixPath(script).parents))
    return not pool.chroot and (not allowed or any(each in folders or each == "" for each in allowed))


def _remedy(pool: Pool, inventory: Inventory) -> str:
    steps = _status_page(pool)
    if pool.listen.startswith("unix:"):
        steps.append(
            f"if Raingauge may not open the socket: in {pool.file}, under [{pool.name}], add this line, which replaces "
            f"listen.owner and listen.group (www-data stands for the web server's user):\n"
            f"    listen.acl_users = www-data,raingauge"
        )
    else:
        steps.append(
            f"if the pool closes the connection: in {pool.file}, under [{pool.name}], "
            f"add 127.0.0.1 to listen.allowed_clients"
        )
    return "\n".join([*steps, f"then: {_reload(pool, inventory)}"])


def _status_page(pool: Pool) -> list[str]:
    place = f"in {pool.file}, under [{pool.name}]"
    lines = [] if pool.status_path else [f"{place}, add:\n    pm.status_path = {STATUS_PATH}"]
    if not pool.status_listen:
        when = "so that the status page answers when all workers are busy, too (from PHP 8.0 on)"
        lines.append(f"{when}: {place}, add:\n    pm.status_listen = {_status_socket(pool)}")
    return lines


def _status_socket(pool: Pool) -> str:
    """Beside the pool's own; of a TCP pool the next port."""
    path = pool.listen.removeprefix("unix:")
    if path != pool.listen:
        return f"{path.removesuffix('.sock')}-status.sock"
    host, _, port = pool.listen.rpartition(":")
    return f"{host}:{int(port) + 1}"


def _reload(pool: Pool, inventory: Inventory) -> str:
    for pattern, unit in UNITS:
        if found := re.fullmatch(pattern, pool.main):
            return f"systemctl reload {found.expand(unit)}"
    title = f"php-fpm: master process ({pool.main})"
    masters = [process.pid for process in inventory.processes if process.title == title]
    return f"kill -USR2 {masters[0]}" if len(masters) == 1 else "reload PHP-FPM"


def _without_file(inventory: Inventory) -> Iterator[Proposal]:
    """Without the file we try the usual status path, and know the name only if just one is left."""
    known = {_plain(each) for pool in inventory.pools for each in (pool.listen, pool.status_listen)}
    names = {pool.name for pool in inventory.pools} | {f"{pool.name}_status" for pool in inventory.pools}
    titles = [process.title.removeprefix("php-fpm: pool ") for process in inventory.processes
              if process.title.startswith("php-fpm: pool ")]  # fmt: skip
    unknown = {name for name in titles if name not in names}
    addresses = {_plain(each): each for each in _seen(inventory)}
    places = [each for plain, each in addresses.items() if plain not in known]
    name = next(iter(unknown)) if len(unknown) == len(places) == 1 else ""
    for address in places:
        yield Proposal(
            f"something that speaks FastCGI on {address}; its pool's file could not be read",
            Phpfpm(address=address, pool=name, status_path=STATUS_PATH),
            f"let Raingauge read the pool's file, and have there:\n    pm.status_path = {STATUS_PATH}",
        )


def _seen(inventory: Inventory) -> Iterator[str]:
    for at in inventory.listeners:
        if at.process.startswith("php-fpm"):
            yield _address(at)
    for vhost in inventory.vhosts:
        for address in vhost.fastcgi:
            if re.fullmatch(r"unix:/[^$]+|(127\.0\.0\.1|\[::1\]|localhost):\d+", address):
                yield address


def _address(at: Listener) -> str:
    if at.path:
        return f"unix:{at.path}"
    host = "127.0.0.1" if at.address in ANY else at.address
    return f"[{host}]:{at.port}" if ":" in host else f"{host}:{at.port}"


def _plain(address: str) -> str:
    """The same place spelled in one way."""
    return address.replace("unix:/var/run/", "unix:/run/").replace("localhost:", "127.0.0.1:")
