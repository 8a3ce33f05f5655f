"""What of this host is watched for signs of an intruder."""

from pydantic import Field

from collectors.config import Config


class SiteFiles(Config):
    name: str = Field(min_length=1, max_length=200)
    """As the `site` label has it."""
    uploads: str = Field(min_length=1, max_length=4096)
    """Its public files directory, in which nothing should be run."""
    settings: str = Field("", max_length=4096)
    """Its settings.php."""
    user: str = Field("", max_length=100)
    """The account that runs its PHP; without it, only what everybody may write is found."""
    host: str = Field("", max_length=255)
    """The name by which it is asked for."""
    url: str = Field("", max_length=300)
    """Where its web server listens on this host: `https://127.0.0.1:443`; without it, nothing is asked over HTTP."""
    pool: str = Field("", max_length=4096)
    """The file of its PHP-FPM pool; php.ini is looked for beside it."""


class Security(Config):
    auth_logs: tuple[str, ...] = ("/var/log/auth.log", "/var/log/secure")
    """Where sshd, sudo, su and login write; without any of these files the systemd journal is read."""
    procfs: str = "/proc"
    """The host's /proc, when Raingauge runs in a container that has it elsewhere."""
    rootfs: str = "/"
    """Where the host's root file system is mounted, likewise; its accounts, keys and jobs are looked at below it."""
    sites: tuple[SiteFiles, ...] = ()
    """The Drupal sites whose files are looked at: uploads every 15 minutes, and when PHP is put there; code each minute
    to once a day."""
    configurations: tuple[str, ...] = ("/etc/nginx", "/etc/apache2", "/etc/httpd", "/etc/php", "/etc/php-fpm.d")
    """Folders of web servers' and PHP's configuration, below the root; a change of them is told."""
