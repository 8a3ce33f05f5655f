"""Where a pool is, and what its file says of it."""

from pydantic import field_validator

from collectors.config import Config, Timeout
from collectors.model import tcp_instance
from collectors.sources.sockets import host_and_port

PROBE = "/usr/local/share/raingauge/probe.php"
"""Where docs/php.md puts the script. Without a file there PHP is not asked, as it would log that each time."""
POOL = ("pool",)
"""The label of our own families."""


class Phpfpm(Config):
    address: str = "unix:/run/php/php8.2-fpm.sock"
    """The pool's socket as `unix:/path`, or `host:port`."""
    pool: str = "www"
    """The pool's name."""
    status_path: str = "/fpm-status"
    """The pool's `pm.status_path`; empty when it has none."""
    ping_path: str = ""
    """The pool's `ping.path`; asked where there is no status page."""
    status_listen: str = ""
    """The pool's `pm.status_listen` when it has one: it answers when all children are busy."""
    max_children: int = 0
    """The pool's `pm.max_children`; 0 when it is not known."""
    master: str = ""
    """The master's main configuration file; needed only where two masters have a pool of this name."""
    opcache_probe: str = ""
    """Path, as the pool sees it, of the script of `raingauge php-probe`; empty: OPcache and APCu are not asked."""
    slowlog: str = ""
    """The pool's `slowlog`; empty: none is followed."""
    error_log: str = ""
    """The master's `error_log`, PHP-FPM's own; empty: none is followed."""
    php_error_log: str = ""
    """Where the pool's PHP logs errors: its `php_admin_value[error_log]`, or the web server's error log for a site of
    its own; a log that pools share is counted for each. Empty: none is followed."""
    timeout: Timeout = 2.0
    """How long one read may take."""

    @field_validator("address", "status_listen")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value and not value.startswith("unix:/"):
            host_and_port(value)
        return value

    @property
    def status_address(self) -> str:
        return self.status_listen or self.address

    @property
    def scrape_uri(self) -> str:
        """As php-fpm_exporter writes it."""
        if self.status_address.startswith("unix:"):
            uri = f"unix://{self.status_address.removeprefix('unix:')}"
            return f"{uri};{self.status_path}" if self.status_path else uri
        return f"tcp://{self.status_address}{self.status_path}"


def instance(config: Phpfpm, host: str) -> str:
    if config.address.startswith("unix:"):
        return f"{host}:{config.address.removeprefix('unix:')}"
    return tcp_instance(host, *host_and_port(config.address))
