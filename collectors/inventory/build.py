"""From the text of configuration files to the inventory.

    texts = {}
    while patterns := wanted(texts, processes) - asked:
        read every file that matches a pattern into texts; asked |= patterns
    inventory = build(host, processes, listeners, texts, blind)
"""

from collections.abc import Iterable, Mapping

from collectors.inventory.model import Inventory, Listener, Process


def configuration_files(processes: Iterable[Process]) -> set[str]:
    """Glob patterns of the main configuration files: what process titles name, and Debian's places."""
    return {"/etc/nginx/nginx.conf", "/etc/php/*/fpm/php-fpm.conf"}


def wanted(texts: Mapping[str, str], processes: Iterable[Process]) -> set[str]:
    """Glob patterns (absolute) of all files that belong to the configuration, those in `texts` included.

    Ask again with what was read until nothing new is asked for. A file is to be put in `texts` under its path
    as the pattern spells it, not under where a symbolic link leads.
    """
    return configuration_files(processes)


def build(
    host: str,
    processes: Iterable[Process],
    listeners: Iterable[Listener],
    texts: Mapping[str, str],
    blind: Iterable[str] = (),
) -> Inventory:
    return Inventory(host, tuple(processes), tuple(listeners), blind=tuple(blind))
