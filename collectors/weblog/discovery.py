"""Access logs and sites by what the web servers' configuration says."""

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from collectors.inventory import Inventory, Vhost
from collectors.inventory.servers import reachable
from collectors.model import Proposal
from collectors.weblog.config import LogFile, Weblog, WebSite
from collectors.weblog.reading import REMEDY
from collectors.weblog.uses import uses

PLAIN = re.compile(r"(?=.*[a-z])[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.IGNORECASE)
FPM_FORMAT = '%R - %u %t "%m %r" %s'
MOST_FILES = 1000


def discover(inventory: Inventory) -> Iterable[Proposal]:
    """All logs in one proposal: they are one target."""
    names = site_names(inventory)
    files = [*_logs(inventory, names), *_pools(inventory, names)][:MOST_FILES]
    if not files:
        return
    servers = " and ".join(sorted({vhost.server for vhost in inventory.vhosts if vhost.logs}))
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    yield Proposal(f"access logs of {servers or 'PHP-FPM'}: {files[0].path}{more}",
                   Weblog(files=tuple(files), sites=tuple(_sites(inventory, names))), _remedy(files))  # fmt: skip


def site_names(inventory: Inventory) -> Mapping[Vhost, str]:
    """The first plain name of the vhosts that serve the same directory, those with TLS first; else the host's.

    A vhost without a directory, which redirects, belongs to the site that has one of its names.
    """
    names: dict[Vhost, str] = {}
    sites: dict[str, str] = {}  # by host
    same: dict[str, list[Vhost]] = {}  # by directory
    for vhost in sorted(inventory.vhosts, key=lambda each: not each.tls):
        same.setdefault(vhost.root, []).append(vhost)
    for vhost in _ordered(inventory):
        multisite = sum(site.docroot == vhost.root for site in inventory.sites) > 1
        there = same[vhost.root] if vhost.root and not multisite else [vhost]
        plain = [host for each in there for host in _plain_names(each)]
        shared = [sites[host] for host in _plain_names(vhost) if host in sites and not vhost.root]
        names[vhost] = next(iter(shared), "") or _drupal(inventory, vhost) or next(iter(plain), inventory.host)
        for host in _plain_names(vhost):
            sites.setdefault(host, names[vhost])
    return names


def _ordered(inventory: Inventory) -> list[Vhost]:
    """Those first whose names count."""
    return sorted(inventory.vhosts, key=lambda vhost: (not vhost.root, not vhost.tls))


def _plain_names(vhost: Vhost) -> list[str]:
    return [name.lower() for name in vhost.names if _plain(name)]


def _drupal(inventory: Inventory, vhost: Vhost) -> str:
    """The Drupal site there, as far as it is plain which one."""
    there = [site for site in inventory.sites if vhost.root and site.docroot == vhost.root]
    if len(there) > 1:
        own = set(vhost.names)
        there = [site for site in there if own & {site.name, PurePosixPath(site.directory).name}]
    return there[0].name if len(there) == 1 else ""


def _plain(name: str) -> bool:
    return bool(PLAIN.fullmatch(name)) and name not in ("_", "localhost")


def _sites(inventory: Inventory, names: Mapping[Vhost, str]) -> Iterable[WebSite]:
    sites: dict[str, str] = {}  # by host
    drupal = {site.name: site for site in inventory.sites}
    for vhost in _ordered(inventory):
        for name in map(str.lower, vhost.names):
            found = [name] if _plain(name) or re.match(r"\*\.\w", name) else []
            if re.match(r"\.\w", name):  # nginx's short form
                found = [name[1:], f"*{name}"]
            for host in (each for each in found if len(each) < 256):
                sites.setdefault(host, names[vhost])
    for site in dict.fromkeys((*sites.values(), *names.values())):
        hosts = tuple(host for host, of in sites.items() if of == site)
        own = [vhost for vhost in inventory.vhosts if names[vhost] == site]
        needs = uses(inventory, own, drupal.get(site))
        if hosts or needs:
            yield WebSite(name=site[:200], hosts=hosts, tls=_secure(own) if hosts else "", uses=needs)


def _secure(vhosts: Iterable[Vhost]) -> str:
    """Where this host can be asked for its certificate."""
    for listen in (each for vhost in vhosts for each in vhost.tls_listens):
        address, _, port = listen.rpartition(":")
        if port.isdecimal() and len(listen) <= 300:
            return f"{reachable(address).strip('[]')}:{port}"
    return ""


def _logs(inventory: Inventory, names: Mapping[Vhost, str]) -> Iterable[LogFile]:
    writers: dict[str, list[tuple[str, str]]] = {}
    for vhost in inventory.vhosts:
        formats = vhost.log_formats or (vhost.log_format,)
        for at, path in enumerate(vhost.logs):
            form = formats[at] if at < len(formats) else ""
            if not path.startswith("/dev/") and len(path) < 4096:
                writers.setdefault(path, []).append((names[vhost][:200], form if len(form) <= 4000 else ""))
    for path, those in writers.items():
        sites, forms = {site for site, _ in those}, {form for _, form in those}
        yield LogFile(path=path, site=sites.pop() if len(sites) == 1 else "",
                      format=forms.pop() if len(forms) == 1 else "")  # fmt: skip


def _pools(inventory: Inventory, names: Mapping[Vhost, str]) -> Iterable[LogFile]:
    for pool in inventory.pools:
        if pool.access_log.startswith("/") and not pool.access_log.startswith("/dev/"):
            users = {names[vhost] for vhost in inventory.vhosts if pool.listen in vhost.fastcgi}
            yield LogFile(path=pool.access_log, site=users.pop()[:200] if len(users) == 1 else "",
                          format=pool.access_format or FPM_FORMAT, php=True)  # fmt: skip


def _remedy(files: Iterable[LogFile]) -> str:
    usual = ("/var/log/nginx/", "/var/log/apache2/")
    others = [file.path for file in files if not file.path.startswith(usual)]
    lines = [REMEDY] if len(others) < len(list(files)) else []
    return "\n".join([*lines, *(f"setfacl -m u:raingauge:r {path}" for path in others[:10])])
