"""Sockets in use and their memory, from /proc/net/sockstat and sockstat6.

Source: https://docs.kernel.org/networking/ip-sysctl.html
"""

import os
import re
from collections.abc import Iterable

from collectors.errors import Absent, ParseError
from collectors.host.config import Host
from collectors.model import Gauge, Sample
from collectors.sources.files import read_text

FIELD = Gauge("node_sockstat_*", "The field * of /proc/net/sockstat; mem is in pages, memory and mem_bytes in bytes.")
FAMILIES = (FIELD,)
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def read(config: Host) -> list[str]:
    texts = [read_text(f"{config.procfs}/net/sockstat")]
    try:
        return [*texts, read_text(f"{config.procfs}/net/sockstat6")]
    except Absent:
        return texts


def parse(texts: list[str]) -> Iterable[Sample]:
    for text in texts:
        lines = re.findall(r"^(\w+): (\w+ \d+(?: \w+ \d+)*)$", text, re.MULTILINE | re.ASCII)
        if not lines:
            raise ParseError(f"expected lines such as 'TCP: inuse 1' in /proc/net/sockstat, found {text[:60]!r}")
        for protocol, rest in lines:
            words = rest.split()
            for name, value in zip(words[::2], words[1::2], strict=True):
                yield FIELD.named(f"{protocol}_{name}")(int(value))
                if name == "mem":
                    yield FIELD.named(f"{protocol}_mem_bytes")(int(value) * PAGE_BYTES)
