"""The things that a host has."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from collectors.inventory.settings_php import Settings


@dataclass(frozen=True)
class Process:
    pid: int
    name: str
    title: str
    """The command line as the process shows it now; arguments joined by spaces."""
    user: str
    parent: int = 0


@dataclass(frozen=True)
class Listener:
    """A listening socket: `address:port` for TCP, `path` for a unix socket."""

    process: str
    """Name of the process, "" where we may not see it."""
    pid: int = 0
    address: str = ""
    port: int = 0
    path: str = ""


@dataclass(frozen=True)
class Vhost:
    server: str
    """nginx or apache."""
    names: tuple[str, ...]
    root: str
    listens: tuple[str, ...]
    """`address:port`, `*` for any address; unix sockets as `unix:/path`."""
    tls: bool
    """On some of its listens, at least."""
    logs: tuple[str, ...]
    log_format: str
    """Of the first of them."""
    fastcgi: tuple[str, ...]
    """Where it sends PHP: `unix:/path` or `address:port`."""
    status_paths: tuple[str, ...] = ()
    """Locations that answer stub_status or server-status."""
    file: str = ""
    main: str = ""
    """The main configuration file of the server whose vhost this is: two may run on a host."""
    tls_listens: tuple[str, ...] = ()
    """Those of `listens` that speak TLS."""
    mod_php: bool = False
    """Apache itself runs PHP here: the module is loaded, and nothing sends PHP elsewhere."""
    traffic_paths: tuple[str, ...] = ()
    """Locations that answer with what the nginx module vts counts."""
    api_paths: tuple[str, ...] = ()
    """Locations of nginx Plus' API."""
    log_formats: tuple[str, ...] = ()
    """Of each of `logs`: its format's text, "" where it is nowhere defined."""


@dataclass(frozen=True)
class Pool:
    """A PHP-FPM pool as its file says."""

    name: str
    listen: str
    """`unix:/path` or `address:port`."""
    status_path: str = ""
    status_listen: str = ""
    """As `listen`."""
    ping_path: str = ""
    manager: str = "dynamic"
    max_children: int = 0
    user: str = ""
    file: str = ""
    main: str = ""
    """The main configuration file of its master, as the master's title shows it."""
    chroot: str = ""
    open_basedir: str = ""
    """As the pool's file sets it; php.ini may, too."""
    access_log: str = ""
    access_format: str = ""
    slowlog: str = ""
    error_log: str = ""
    """Of its master."""
    php_error_log: str = ""
    """Where its file sends PHP's errors; as the host sees it."""
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Its env[] lines; they may hold secrets."""
    inherits: bool = False
    """Its workers also have the master's environment."""


@dataclass(frozen=True)
class Site:
    name: str
    docroot: str
    directory: str
    """Its folder below sites/; "" for a vhost that is no Drupal site."""
    version: str = ""
    """Of Drupal's core; "" where that is not known, or no Drupal."""
    hosts: tuple[str, ...] = ()
    """Server names that lead to it, the one that it is named after first."""
    settings: Settings | None = field(default=None, hash=False)
    """None: settings.php cannot be read."""
    pool: str = ""
    """The file of the PHP-FPM pool that serves it."""

    @property
    def file(self) -> str:
        return f"{self.docroot}/sites/{self.directory}/settings.php"


@dataclass(frozen=True)
class Inventory:
    host: str
    processes: tuple[Process, ...] = ()
    listeners: tuple[Listener, ...] = ()
    vhosts: tuple[Vhost, ...] = ()
    pools: tuple[Pool, ...] = ()
    sites: tuple[Site, ...] = ()
    blind: tuple[str, ...] = ()
    """What we could not see, each a sentence: "cannot read /etc/php/8.2/fpm/pool.d/shop.conf: permission denied"."""
    client_files: tuple[str, ...] = ()
    """Option files of MySQL's clients that we may read; their text holds passwords and stays where it is."""
    shut_logs: tuple[str, ...] = ()
    """Logs of the pools that we may not read."""
    slow_logs: tuple[str, ...] = ()
    """Slow logs of MySQL and MariaDB in their usual places that we may read."""
    environment: Mapping[str, str] = field(default_factory=dict)
