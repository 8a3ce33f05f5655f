"""Drupal sites from the web servers' vhosts and the files of their docroots.

Source: https://www.drupal.org/docs/multisite-drupal https://api.drupal.org/api/drupal/sites%21example.sites.php/11
"""

import glob
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import PurePosixPath

from collectors.inventory.model import Pool, Site, Vhost
from collectors.inventory.nginx_conf import glob_matches
from collectors.inventory.php.memory import Dynamic
from collectors.inventory.settings_php import Settings, read_settings

LAYOUTS = ("", "/web", "/docroot", "/html")
"""Where a docroot may be below what the web server serves, or what it is told to serve."""
CORE = ("core/lib/Drupal.php", "includes/bootstrap.inc")
VERSION = re.compile(r"""const VERSION = '([^'\s]{1,30})'|define\('VERSION', '([^'\s]{1,30})'\)""")
PLAIN_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
SHUT = re.compile(r"cannot read (\S+/sites/[^/]+/settings\.php): ")
NOT_SITES = {"simpletest", "all"}
USUAL_PORTS = {"80", "443"}


def site_files(texts: Mapping[str, str], vhosts: Iterable[Vhost]) -> set[str]:
    """Absolute glob patterns of the files that tell of sites, and of those that the settings include."""
    patterns: set[str] = set()
    for docroot in _candidates(vhosts):
        inside = glob.escape(docroot)
        patterns |= {f"{inside}/{file}" for file in (*CORE, "sites/sites.php", "sites/*/settings.php")}
        if _is_drupal(texts, docroot):
            for path in (*_settings_files(texts, docroot), f"{docroot}/sites/sites.php"):
                if path in texts:
                    patterns |= {glob.escape(each) for each in _read(path, texts, docroot).wanted}
    return patterns


def _candidates(vhosts: Iterable[Vhost]) -> list[str]:
    roots = dict.fromkeys(vhost.root.rstrip("/") for vhost in vhosts if vhost.root and "$" not in vhost.root)
    return list(dict.fromkeys(f"{root}{layout}" for root in roots for layout in LAYOUTS if root))


def _is_drupal(texts: Mapping[str, str], docroot: str) -> bool:
    return any(VERSION.search(texts.get(f"{docroot}/{file}", "")) for file in CORE)


def _settings_files(texts: Mapping[str, str], docroot: str) -> list[str]:
    pattern = f"{glob.escape(docroot)}/sites/*/settings.php"
    return sorted(path for path in texts if glob_matches(path, pattern) and _directory(path) not in NOT_SITES)


def _directory(path: str) -> str:
    return PurePosixPath(path).parent.name


def core_version(texts: Mapping[str, str], docroot: str) -> str:
    for file in CORE:
        if found := VERSION.search(texts.get(f"{docroot}/{file}", "")):
            return found[1] or found[2]
    return ""


def sites(
    host: str, vhosts: Iterable[Vhost], pools: Iterable[Pool], texts: Mapping[str, str], blind: Iterable[str] = ()
) -> tuple[Site, ...]:
    """Drupal's, and the vhosts that serve something else, each with a name that no other one has."""
    vhosts, pools = tuple(vhosts), tuple(pools)
    shut = {match[1] for match in map(SHUT.match, blind) if match}
    found: list[tuple[Site, list[Vhost]]] = []
    for docroot in _candidates(vhosts):
        if _is_drupal(texts, docroot):
            serving = [vhost for vhost in vhosts if docroot in _candidates([vhost])]
            found += _of_docroot(docroot, serving, pools, texts, shut)
    covered = {id(vhost) for _, served in found for vhost in served}
    for vhost in vhosts:
        if vhost.root and vhost.root.startswith("/") and id(vhost) not in covered:
            found.append((Site("", vhost.root.rstrip("/"), "", hosts=_plain(vhost.names)), [vhost]))
    return _named(host, _merged(found))


def _of_docroot(
    docroot: str, vhosts: list[Vhost], pools: Iterable[Pool], texts: Mapping[str, str], shut: set[str]
) -> list[tuple[Site, list[Vhost]]]:
    version = core_version(texts, docroot)
    files = _settings_files(texts, docroot)
    closed = sorted(path for path in shut if path.startswith(f"{docroot}/sites/") and path not in files)
    directories = [_directory(path) for path in (*files, *closed) if _directory(path) not in NOT_SITES]
    alias_file = f"{docroot}/sites/sites.php"
    aliases = _read(alias_file, texts, docroot).get("sites") if alias_file in texts else {}
    multisite = alias_file in texts or version.startswith("7.")
    there = frozenset(directories)
    served: dict[str, dict[int, Vhost]] = {directory: {} for directory in directories}
    hosts: dict[str, dict[str, None]] = {directory: {} for directory in directories}
    for vhost in sorted(vhosts, key=lambda vhost: (not vhost.fastcgi, not vhost.tls)):
        for name in _plain(vhost.names) or ("",):
            for port in _ports(vhost):
                to = directory_of(name, port, there, aliases if multisite else None)
                if to in served:
                    served[to][id(vhost)] = vhost
                    hosts[to] |= {name: None} if name else {}
    result = []
    for directory, serving in served.items():
        mine = list(serving.values())
        pool = next((each for vhost in mine for each in pools if each.listen in vhost.fastcgi), None)
        path = f"{docroot}/sites/{directory}/settings.php"
        settings = _settings(path, texts, docroot, pool) if path in texts else None
        site = Site("", docroot, directory, version, tuple(hosts[directory]), settings, pool.file if pool else "")
        result.append((site, mine))
    return result


def _settings(path: str, texts: Mapping[str, str], docroot: str, pool: Pool | None) -> Settings:
    if pool is None:
        return _read(path, texts, docroot)
    return _read(path, texts, docroot, pool.environment, not pool.inherits)


def _read(
    path: str,
    texts: Mapping[str, str],
    docroot: str,
    environment: tuple[tuple[str, str], ...] | None = None,
    complete: bool = False,
) -> Settings:
    """Of a host with many sites hardly one changes between two looks: the others are not read again."""
    own = f"{PurePosixPath(path).parent}/"
    parent = str(PurePosixPath(docroot).parent)
    project = f"{docroot if parent == '/' else parent}/"
    near = tuple((name, text) for name, text in texts.items() if name.startswith(project) and _matters(name, own))
    return _parsed(path, docroot, near, environment, complete)


def _matters(name: str, own: str) -> bool:
    """Whether what it says may depend on that file: not on other sites' settings, nor on core."""
    return name.startswith(own) or not (name.endswith("/settings.php") or name.endswith(CORE))


@lru_cache(maxsize=1000)
def _parsed(
    path: str,
    docroot: str,
    near: tuple[tuple[str, str], ...],
    environment: tuple[tuple[str, str], ...] | None,
    complete: bool,
) -> Settings:
    return read_settings(path, dict(near), docroot, None if environment is None else dict(environment), complete)


def directory_of(name: str, port: str, there: frozenset[str], aliases: object) -> str:
    """The folder below sites/ to which a host leads. `aliases`: of sites.php; None: there is none but default."""
    if aliases is not None and name:
        parts = [*([] if port in USUAL_PORTS else [port]), *name.split(".")]
        for start in range(len(parts)):
            key = ".".join(parts[start:])
            target = aliases.get(key, key) if isinstance(aliases, Mapping) else key
            if isinstance(target, str) and target in there:
                return target
            if isinstance(target, Dynamic):
                return ""
    return "default"


def _plain(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names if PLAIN_NAME.fullmatch(name))


def _ports(vhost: Vhost) -> list[str]:
    ports = [listen.rpartition(":")[2] for listen in vhost.listens if not listen.startswith("unix:")]
    return list(dict.fromkeys("443" if port in USUAL_PORTS else port for port in ports)) or ["443"]


def _merged(found: list[tuple[Site, list[Vhost]]]) -> list[tuple[Site, list[Vhost]]]:
    """Vhosts that serve the same thing are one site."""
    sites: dict[tuple[str, str], tuple[Site, list[Vhost]]] = {}
    for site, served in found:
        place = (site.docroot, site.directory)
        before, already = sites.get(place, (site, []))
        hosts = tuple(dict.fromkeys((*before.hosts, *site.hosts)))
        sites[place] = (replace(before, hosts=hosts), [*already, *served])
    return list(sites.values())


def _named(host: str, found: list[tuple[Site, list[Vhost]]]) -> tuple[Site, ...]:
    taken: set[str] = set()
    result = []
    for site, served in found:
        own = site.directory if "." in site.directory and PLAIN_NAME.fullmatch(site.directory) else ""
        name = next(iter(site.hosts), own or host)
        port = next((port for vhost in served for port in _ports(vhost) if port != "443"), "")
        others = (f"{name}:{port}" if port else name, f"{name}/{site.directory or PurePosixPath(site.docroot).name}")
        numbered = (f"{others[1]}-{number}" for number in range(2, 1000))
        name = next((each for each in (name, *others, *numbered) if each not in taken), name)
        taken.add(name)
        result.append(replace(site, name=name))
    return tuple(result)


def renamed(found: Iterable[Site], names: Mapping[tuple[str, str], str]) -> tuple[Site, ...]:
    """`names`: (docroot, folder below sites/) -> a name of its owner's choice; another site of that name gives way."""
    wanted = set(names.values())
    result = []
    for site in found:
        if own := names.get((site.docroot, site.directory or "default")):
            result.append(replace(site, name=own))
        elif site.name in wanted:
            result.append(replace(site, name=f"{site.name}/{site.directory or PurePosixPath(site.docroot).name}"))
        else:
            result.append(site)
    return tuple(result)
