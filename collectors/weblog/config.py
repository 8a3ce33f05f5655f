"""Which access logs there are, and whose hosts they name."""

from pydantic import Field

from collectors.config import Config


class LogFile(Config):
    path: str = Field(min_length=1, max_length=4096)
    """The file as the web server writes it; rotated files beside it are found."""
    site: str = Field("", max_length=200)
    """Site of lines without a known host; `other` if it is left out."""
    format: str = Field("", max_length=4000)
    """Text of nginx's log_format or Apache's LogFormat, or json; without it the lines show it."""
    php: bool = False
    """An access log of PHP-FPM, format is its access.format: it tells how long PHP was busy, and adds no requests."""


class Use(Config):
    job: str = Field(min_length=1, max_length=40)
    """Of the server's target: phpfpm, mysql, postgres, redis, memcached or varnish."""
    instance: str = Field(min_length=1, max_length=300)
    """As that target is called: `web1:3306`, or `web1:/run/mysqld/mysqld.sock`."""


class WebSite(Config):
    name: str = Field(min_length=1, max_length=200)
    """As the `site` label has it."""
    hosts: tuple[str, ...] = ()
    """Host names of its requests; `*.example.com` for all below one. Other hosts count as the site of their file."""
    tls: str = Field("", max_length=300)
    """Where its web server speaks TLS on this host, as `127.0.0.1:443`: that a certificate changed is an event."""
    uses: tuple[Use, ...] = ()
    """The servers that it needs: rules and incidents join by them."""


class Weblog(Config):
    files: tuple[LogFile, ...] = ()
    """The access logs."""
    sites: tuple[WebSite, ...] = ()
    """The sites, where logs hold host names."""
    attack_rules: str = Field("/etc/raingauge/attacks", max_length=4096)
    """Folder of your own rules for attacks (*.yml); a change counts at once. `raingauge rules attacks` checks them."""
