"""From the text of configuration files to the inventory.

texts = {}
while patterns := wanted(texts, processes) - asked:
    read every file that matches a pattern into texts; asked |= patterns
inventory = build(host, processes, listeners, texts, blind)
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from collectors.inventory.apache_conf import DEBIAN, ApacheMain, apache_includes, apache_main, apache_vhosts
from collectors.inventory.fpm_conf import fpm_includes, fpm_pools
from collectors.inventory.model import Inventory, Listener, Process, Vhost
from collectors.inventory.nginx_conf import DEBIAN_PREFIX, glob_matches, nginx_includes, nginx_vhosts
from collectors.inventory.sites import site_files, sites

NGINX = "/etc/nginx/nginx.conf"
FPM = (
    "/etc/php/*/fpm/php-fpm.conf",  # Debian, and deb.sury.org
    "/etc/php-fpm.conf",  # Fedora and its kin
    "/etc/opt/remi/php*/php-fpm.conf",
    "/usr/local/etc/php-fpm.conf",  # PHP's own build
    "/opt/plesk/php/*/etc/php-fpm.conf",
)
NGINX_MASTER = "nginx: master process "
OPTION = re.compile(r"\s-(c|p)\s*(\S+)")
FPM_MASTER = "php-fpm: master process ("


def nginx_main(process: Process) -> tuple[str, str] | None:
    """(main file, prefix) of an nginx master from its title; None for any other process."""
    if not process.title.startswith(NGINX_MASTER):
        return None
    options = dict(OPTION.findall(process.title))
    prefix = options.get("p", DEBIAN_PREFIX)
    return str(PurePosixPath(prefix, options.get("c", NGINX))), prefix


def fpm_main(process: Process) -> str | None:
    """Main file of a PHP-FPM master from its title; None for any other process."""
    return process.title.removeprefix(FPM_MASTER).rstrip(") ") if process.title.startswith(FPM_MASTER) else None


def configuration_files(processes: Iterable[Process]) -> set[str]:
    """Glob patterns of the main configuration files: what process titles name, else the usual places."""
    processes = tuple(processes)
    return set(_nginx_mains(processes)) | {main.file for main in _apache_mains(processes)} | _fpm_mains(processes)


def _nginx_mains(processes: Iterable[Process]) -> dict[str, str]:
    """Main file -> prefix."""
    return dict(found for each in processes if (found := nginx_main(each))) or {NGINX: DEBIAN_PREFIX}


def _apache_mains(processes: Iterable[Process]) -> tuple[ApacheMain, ...]:
    return tuple(dict.fromkeys(found for each in processes if (found := apache_main(each)))) or (DEBIAN,)


def _fpm_mains(processes: Iterable[Process]) -> set[str]:
    return {found for each in processes if (found := fpm_main(each))} or set(FPM)


def wanted(texts: Mapping[str, str], processes: Iterable[Process]) -> set[str]:
    """Glob patterns (absolute) of all files that belong to the configuration, those in `texts` included.

    Ask again with what was read until nothing new is asked for. A file is to be put in `texts` under its path
    as the pattern spells it, not under where a symbolic link leads.
    """
    processes = tuple(processes)
    patterns = configuration_files(processes)
    for main in _nginx_mains(processes):
        patterns |= nginx_includes(texts, main)
    for apache in _apache_mains(processes):
        patterns |= apache_includes(texts, apache)
    for main in _among(texts, _fpm_mains(processes)):
        patterns |= fpm_includes(texts, main)
    return patterns | site_files(texts, _vhosts(texts, processes))


def _vhosts(texts: Mapping[str, str], processes: Iterable[Process]) -> tuple[Vhost, ...]:
    processes = tuple(processes)
    nginx = (each for main, prefix in _nginx_mains(processes).items() for each in nginx_vhosts(texts, main, prefix))
    apache = (each for main in _apache_mains(processes) for each in apache_vhosts(texts, main))
    return (*nginx, *apache)


def _among(texts: Mapping[str, str], patterns: Iterable[str]) -> list[str]:
    return sorted(path for path in texts if any(glob_matches(path, pattern) for pattern in patterns))


def build(
    host: str,
    processes: Iterable[Process],
    listeners: Iterable[Listener],
    texts: Mapping[str, str],
    blind: Iterable[str] = (),
) -> Inventory:
    processes, blind = tuple(processes), tuple(blind)
    vhosts = _vhosts(texts, processes)
    pools = tuple(pool for main in _among(texts, _fpm_mains(processes)) for pool in fpm_pools(texts, main))
    return Inventory(
        host,
        processes,
        tuple(listeners),
        vhosts=vhosts,
        pools=pools,
        sites=sites(host, vhosts, pools, texts, blind),
        blind=blind,
    )
