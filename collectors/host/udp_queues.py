"""Bytes that wait in the queues of all UDP sockets, from /proc/net/udp and udp6.

Source: https://docs.kernel.org/networking/proc_net_tcp.html
"""

import re
from collections.abc import Iterable

from collectors.errors import Absent, ParseError
from collectors.host.config import Host
from collectors.model import Gauge, Sample
from collectors.sources.files import read_text

QUEUES = Gauge("node_udp_queues", "Bytes in the queues of all UDP sockets.", ("queue", "ip"))
FAMILIES = (QUEUES,)

FILES = {"v4": "udp", "v6": "udp6"}


def read(config: Host) -> dict[str, str]:
    texts = {}
    for ip, file in FILES.items():
        try:
            texts[ip] = read_text(f"{config.procfs}/net/{file}")
        except Absent:
            continue
    if not texts:
        raise Absent(f"{config.procfs}/net/udp: no such file")
    return texts


def parse(texts: dict[str, str]) -> Iterable[Sample]:
    for ip, text in texts.items():
        if "tx_queue" not in text:
            raise ParseError(f"expected a table with tx_queue in /proc/net/{FILES[ip]}, found {text[:60]!r}")
        found = re.findall(r" ([0-9A-F]{8}):([0-9A-F]{8}) ", text)
        yield QUEUES(sum(int(sent, 16) for sent, _ in found), "tx", ip)
        yield QUEUES(sum(int(received, 16) for _, received in found), "rx", ip)
