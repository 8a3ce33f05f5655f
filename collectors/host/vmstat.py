"""Paging, faults and what the kernel killed for want of memory, from /proc/vmstat.

What people watch is read at each tick; the rest, which some dashboards show, once a minute.

Source: https://docs.kernel.org/admin-guide/mm/
"""

import re
from collections.abc import Iterable

from collectors.errors import ParseError
from collectors.host.config import Host
from collectors.model import Sample, Untyped
from collectors.sources.files import read_text

FIELD = Untyped("node_vmstat_*", "The line * of /proc/vmstat.")
FAMILIES = (FIELD,)

WATCHED = re.compile(r"oom_kill|pgpg.*|pswp.*|pg.*fault.*")


def read(config: Host) -> str:
    return read_text(f"{config.procfs}/vmstat")


def parse(text: str) -> Iterable[Sample]:
    return [FIELD.named(name)(value) for name, value in fields(text) if WATCHED.fullmatch(name)]


def parse_rest(text: str) -> Iterable[Sample]:
    return [FIELD.named(name)(value) for name, value in fields(text) if not WATCHED.fullmatch(name)]


def fields(text: str) -> list[tuple[str, int]]:
    found = re.findall(r"^(\w+) (\d+)$", text, re.MULTILINE | re.ASCII)
    if not found:
        raise ParseError(f"expected lines such as 'pgfault 1' in /proc/vmstat, found {text[:60]!r}")
    return [(name, int(value)) for name, value in found]
