"""Counters of IP, ICMP, TCP and UDP, from /proc/net/netstat, snmp and snmp6.

What people watch is read at each tick; the rest, which some dashboards show, once a minute.

Source: https://docs.kernel.org/networking/snmp_counter.html
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from collectors.errors import Absent, ParseError
from collectors.host.config import Host
from collectors.model import Sample, Untyped
from collectors.sources.files import read_text

FIELD = Untyped("node_netstat_*", "The counter * of /proc/net/netstat, snmp or snmp6.")
FAMILIES = (FIELD,)

UNREAD = re.compile(r"(MPTcpExt|\w+6)_")
"""Some 150 more that no known dashboard shows."""
NUMBERS = re.compile(r"( +-?\d+)* *", re.ASCII)
NAMES = re.compile(r"( +\w+)* *", re.ASCII)
WATCHED = re.compile(
    r".*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)"
    r"|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)"
    r"|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab|MaxConn)"
    r"|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors)"
)


def read(config: Host) -> dict[str, str]:
    """By file; snmp6 only where there is IPv6."""
    texts = {name: read_text(f"{config.procfs}/net/{name}") for name in ("netstat", "snmp")}
    try:
        return {**texts, "snmp6": read_text(f"{config.procfs}/net/snmp6")}
    except Absent:
        return texts


def parse(texts: dict[str, str]) -> Iterable[Sample]:
    return [FIELD.named(name)(value) for name, value in fields(texts) if watched(name)]


def parse_rest(texts: dict[str, str]) -> Iterable[Sample]:
    return [FIELD.named(name)(value) for name, value in fields(texts) if not watched(name) and not UNREAD.match(name)]


@lru_cache(maxsize=1000)
def watched(name: str) -> bool:
    return WATCHED.fullmatch(name) is not None


def fields(texts: dict[str, str]) -> Iterator[tuple[str, int]]:
    for file in ("netstat", "snmp"):
        lines = texts[file].splitlines()
        for names, values in zip(lines[::2], lines[1::2], strict=False):
            yield from _pair(file, names, values)
    for name, value in re.findall(r"^(\w+)\s+(\d+)$", texts.get("snmp6", ""), re.MULTILINE | re.ASCII):
        protocol, six, field = name.partition("6")
        if six:
            yield f"{protocol}6_{field}", int(value)


def _pair(file: str, names: str, values: str) -> Iterator[tuple[str, int]]:
    """'Tcp: InSegs OutSegs' and below it 'Tcp: 3 4'."""
    protocol, _, fields = names.partition(":")
    same, _, numbers = values.partition(":")
    pairs = list(zip(fields.split(), numbers.split(), strict=False))
    if same != protocol or not NAMES.fullmatch(fields) or len(pairs) != len(fields.split()):
        raise ParseError(f"expected a line of names and as many numbers in /proc/net/{file}, found {names!r:.60}")
    if len(pairs) != len(numbers.split()) or not NUMBERS.fullmatch(numbers):
        raise ParseError(f"expected a number for each name of {protocol} in /proc/net/{file}, found {numbers!r:.60}")
    for field, number in pairs:
        yield f"{protocol}_{field}", int(number)
