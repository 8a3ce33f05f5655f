"""The kernel's name and the host's, from uname(2).

Source: https://man7.org/linux/man-pages/man2/uname.2.html
"""

import os
from collections.abc import Iterable

from collectors.errors import Absent
from collectors.host.config import Host
from collectors.model import Gauge, Sample
from collectors.sources.files import read_text

LABELS = ("sysname", "release", "version", "machine", "nodename", "domainname")
INFO = Gauge("node_uname_info", "1; the fields of uname are its labels.", LABELS)
FAMILIES = (INFO,)


def read(config: Host) -> dict[str, str]:
    names = os.uname()
    try:
        domain = read_text(f"{config.procfs}/sys/kernel/domainname").strip()
    except Absent:
        domain = "(none)"
    return {**{name: getattr(names, name) for name in LABELS[:-1]}, "domainname": domain}


def parse(fields: dict[str, str]) -> Iterable[Sample]:
    return [INFO(1, *(fields[name] for name in LABELS))]
