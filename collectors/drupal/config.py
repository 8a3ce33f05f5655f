"""Which site, and as whom its database is read."""

from pathlib import Path
from typing import Literal

from collectors.config import Config, Port, Secret, Timeout


class Drupal(Config):
    site: str = "default"
    """Its name: the first host name that leads to it, or whatever tells it from others."""
    docroot: str = ""
    """Folder that the web server serves, with index.php in it; empty: everything is said here."""
    directory: str = "default"
    """Its folder below sites/."""
    environment_file: Path | None = None
    """What settings.php asks getenv() for: a PHP-FPM pool's file with env[] lines, or lines NAME=value."""
    driver: Literal["", "mysql", "pgsql", "sqlite"] = ""
    """Of its database; this and the next settings: empty for what settings.php says."""
    database: str = ""
    """Name of the database, or path of the SQLite file."""
    socket: str = ""
    """Path of the database server's unix socket."""
    address: str = ""
    """Host name or IP address of the database server."""
    port: Port | None = None
    """TCP port of the database server."""
    prefix: str | None = None
    """What the names of its tables begin with."""
    user: str = ""
    """Account that reads; without one the site's own is used, for reading only."""
    password: Secret | None = None
    """Password of that account."""
    password_file: Path | None = None
    """File that holds the password instead."""
    releases: Path | None = None
    """Folder with release histories of drupal.org, PROJECT.xml of each, and psa.json: for a host without a way to
    drupal.org, or a site whose update module is off."""
    config_sync: Path | None = None
    """Folder that the site's configuration is exported to, where settings.php does not say it plainly."""
    timeout: Timeout = 2.0
    """How long connecting and each statement may take."""
