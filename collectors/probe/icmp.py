"""A ping: one echo request, over a socket that needs no right where the system allows it, else over a raw one.

Source: https://www.rfc-editor.org/rfc/rfc792
"""

import itertools
import os
import random
import socket
import struct
from typing import Any

from collectors.errors import Denied
from collectors.probe.attempt import Attempt
from collectors.probe.config import Icmp, Probe

PHASES = ("resolve", "setup", "rtt")
ECHO = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}
PROTOCOL = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}
HEAD = struct.Struct(">BBHHH")  # type, code, checksum, id, number
IP_RECVTTL, IPV6_RECVHOPLIMIT = 12, 51
SAYS_HOPS = {socket.AF_INET: (socket.IPPROTO_IP, IP_RECVTTL), socket.AF_INET6: (socket.IPPROTO_IPV6, IPV6_RECVHOPLIMIT)}
HOPS = {(socket.IPPROTO_IP, 2), (socket.IPPROTO_IPV6, 52)}  # IP_TTL, IPV6_HOPLIMIT
DATA = b"raingauge " * 3
NUMBERS = itertools.count(random.SystemRandom().randrange(0x10000))
REMEDY = (
    "ping {host}: not allowed; expected net.ipv4.ping_group_range to have our group "
    '(sysctl -w net.ipv4.ping_group_range="0 2147483647"), or CAP_NET_RAW'
)


def run(config: Probe, attempt: Attempt) -> None:
    assert config.icmp is not None
    attempt.more["hops"] = None
    family, *_, where = attempt.resolve(config.icmp.address, 0, socket.SOCK_DGRAM)
    with attempt.phase("setup"):
        sock = _opened(config.icmp, family)
    with sock, attempt.phase("rtt"):
        number, own = next(NUMBERS) & 0xFFFF, os.getpid() & 0xFFFF
        kind, reply = ECHO[family]
        sock.settimeout(attempt.left())
        sock.sendto(packet(kind, own, number), where)
        attempt.more["hops"] = _awaited(attempt, sock, (reply, own, number), where)


def _opened(config: Icmp, family: socket.AddressFamily) -> socket.socket:
    try:
        sock = _socket(family)
    except PermissionError as error:
        raise Denied(REMEDY.format(host=config.address)) from error
    try:
        sock.setsockopt(*SAYS_HOPS[family], 1)
        if config.ttl is not None:
            level, option = (
                (socket.IPPROTO_IP, socket.IP_TTL)
                if family == socket.AF_INET
                else (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)
            )
            sock.setsockopt(level, option, config.ttl)
    except BaseException:
        sock.close()
        raise
    return sock


def _socket(family: socket.AddressFamily) -> socket.socket:
    try:
        return socket.socket(family, socket.SOCK_DGRAM, PROTOCOL[family])
    except PermissionError:
        return socket.socket(family, socket.SOCK_RAW, PROTOCOL[family])


def _awaited(attempt: Attempt, sock: socket.socket, reply: tuple[int, int, int], where: Any) -> int | None:
    """Hops that the reply had left; None where the system does not say."""
    while True:
        sock.settimeout(attempt.left())
        data, notes, _, sender = sock.recvmsg(2048, 64)
        if sender[0] == where[0] and answers(data, reply, sock.type == socket.SOCK_RAW, sock.family):
            values = [value for level, kind, value in notes if (level, kind) in HOPS and len(value) >= 4]
            return int(struct.unpack_from("=i", values[0])[0]) if values else None


def answers(data: bytes, reply: tuple[int, int, int], raw: bool, family: int) -> bool:
    """Whether a packet is the reply; the system sets an id of its own on a socket that is not raw."""
    if raw and family == socket.AF_INET:
        data = data[(data[0] & 0x0F) * 4 if data else 0 :]  # the IP header
    if len(data) < HEAD.size:
        return False
    kind, code, _, own, number = HEAD.unpack_from(data)
    return (kind, code, number) == (reply[0], 0, reply[2]) and (not raw or own == reply[1]) and data[8:] == DATA


def packet(kind: int, own: int, number: int) -> bytes:
    head = HEAD.pack(kind, 0, 0, own, number)
    return HEAD.pack(kind, 0, checksum(head + DATA), own, number) + DATA


def checksum(data: bytes) -> int:
    """The sum of RFC 1071; for IPv6 the system makes its own."""
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total
