"""This host, and the Drupal sites on it whose files are looked at."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from collectors.inventory import Inventory, Site
from collectors.model import Proposal
from collectors.security.authread import REMEDY
from collectors.security.config import Security, SiteFiles

MOST_SITES = 200
LOOPBACK = "127.0.0.1"
LOCAL = {"*": LOOPBACK, "0.0.0.0": LOOPBACK, LOOPBACK: LOOPBACK, "[::1]": "[::1]", "[::]": LOOPBACK}  # noqa: S104
"""Address of a vhost -> where we ask it."""


def discover(inventory: Inventory) -> Iterable[Proposal]:
    if inventory.processes:
        sites = tuple(_files(site, inventory) for site in inventory.sites if site.directory)[:MOST_SITES]
        yield Proposal("logins and changes of this host", Security(sites=sites), REMEDY)


def _files(site: Site, inventory: Inventory) -> SiteFiles:
    user = next((pool.user for pool in inventory.pools if pool.file == site.pool), "") or _of_apache(site, inventory)
    host, url = _door(site, inventory)
    return SiteFiles(
        name=site.name[:200], settings=site.file, uploads=_uploads(site), user=user, host=host, url=url, pool=site.pool
    )


def _door(site: Site, inventory: Inventory) -> tuple[str, str]:
    """A name of it and where that is answered on this host, TLS first; nothing where that is not plain."""
    for vhost in sorted(inventory.vhosts, key=lambda each: not each.tls):
        host = next((name for name in vhost.names if name in (site.hosts or (site.name,))), "")
        for listen in sorted(vhost.listens, key=lambda each: each not in vhost.tls_listens):
            address, _, port = listen.rpartition(":")
            if host and vhost.root == site.docroot and address in LOCAL and port.isdecimal():
                scheme = "https" if listen in vhost.tls_listens else "http"
                return host[:255], f"{scheme}://{LOCAL[address]}:{port}"
    return "", ""


def _uploads(site: Site) -> str:
    """Drupal 7 has it in its database, unless settings.php says it."""
    usual = f"sites/{site.directory}/files"
    for place in (("settings", "file_public_path"), ("conf", "file_public_path")):
        value = site.settings.get(*place) if site.settings else None
        if isinstance(value, str) and value and ".." not in PurePosixPath(value).parts:
            usual = value
    return str(PurePosixPath(site.docroot) / usual)


def _of_apache(site: Site, inventory: Inventory) -> str:
    """Whose workers run PHP where Apache itself does."""
    if not any(vhost.mod_php and vhost.root == site.docroot for vhost in inventory.vhosts):
        return ""
    users = (each.user for each in inventory.processes if each.name in ("apache2", "httpd") and each.user != "root")
    return next(users, "")
