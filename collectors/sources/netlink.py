"""What the kernel says about sockets, over NETLINK_SOCK_DIAG: what `ss` shows, and like it without any right.

Source: https://man7.org/linux/man-pages/man7/sock_diag.7.html
"""

import ipaddress
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

SOCK_DIAG = 4
BY_FAMILY = 20
TCP_OF_BOTH = 18
"""The older question, about IPv4 and IPv6 together: the kernel walks its whole table once and not twice."""
REQUEST_DUMP = 0x301
HEAD = struct.Struct("=IH")
DONE, ERROR = 3, 2
ESTABLISHED, SYN_SENT, CLOSE_WAIT, LISTEN = 1 << 1, 1 << 2, 1 << 8, 1 << 10
SHOW_NAME, SHOW_VFS, SHOW_QUEUES = 1, 2, 16
NAME, VFS, QUEUES = 0, 1, 4


@dataclass(frozen=True)
class Socket:
    listening: bool
    name: str
    """`/path` of a unix socket, `address:port` of a TCP one."""
    waiting: int
    """Of a listening socket: connections that nobody has accepted yet."""
    limit: int
    """Of a listening socket: how many may wait."""
    file: int = 0
    """Inode of a unix socket's file."""


def unix_sockets() -> Iterator[Socket]:
    """Listening and connected. OSError when the kernel does not offer it."""
    show = SHOW_NAME | SHOW_VFS | SHOW_QUEUES
    for answer in _dump(struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, LISTEN | ESTABLISHED, 0, show, 0, 0)):
        state = answer[2]
        parts = _attributes(answer[16:])
        name = parts.get(NAME, b"").rstrip(b"\0")
        if name.startswith(b"/"):
            waiting, limit = struct.unpack_from("=II", parts.get(QUEUES, bytes(8)))
            file = struct.unpack_from("=I", parts.get(VFS, bytes(4)))[0]
            yield Socket(1 << state == LISTEN, os.fsdecode(name), waiting, limit, file)


def tcp_sockets(family: socket.AddressFamily) -> Iterator[Socket]:
    """Listening and connected, also those whose peer has already closed. OSError when the kernel does not offer it."""
    head = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, 0, 0, LISTEN | ESTABLISHED | CLOSE_WAIT)
    for answer in _dump(head + bytes(48)):
        port = struct.unpack_from(">H", answer, 4)[0]
        address = ipaddress.ip_address(answer[8:12] if family == socket.AF_INET else answer[8:24])
        waiting, limit = struct.unpack_from("=II", answer, 56)
        yield Socket(1 << answer[1] == LISTEN, f"{address}:{port}", waiting, limit)


@dataclass(frozen=True)
class Connection:
    inode: int
    port: int
    """Ours."""
    peer: str
    """Address of the other end."""
    peer_port: int


def tcp_connections(family: socket.AddressFamily) -> Iterator[Connection]:
    """Those that are open, or wait for the other end to answer. OSError when the kernel does not offer it."""
    head = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, 0, 0, ESTABLISHED | SYN_SENT)
    for answer in _dump(head + bytes(48)):
        port, peer_port = struct.unpack_from(">HH", answer, 4)
        peer = ipaddress.ip_address(answer[24:28] if family == socket.AF_INET else answer[24:40])
        mapped = peer.ipv4_mapped if isinstance(peer, ipaddress.IPv6Address) else None
        yield Connection(struct.unpack_from("=I", answer, 68)[0], port, str(mapped or peer), peer_port)


def _dump(question: bytes, kind: int = BY_FAMILY) -> Iterator[bytes]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, SOCK_DIAG) as kernel:
        kernel.settimeout(1)
        kernel.send(struct.pack("=IHHII", 16 + len(question), kind, REQUEST_DUMP, 1, 0) + question)
        while True:
            answers = kernel.recv(1 << 16)
            at = 0
            while at + 16 <= len(answers):
                length, said = HEAD.unpack_from(answers, at)
                if said == DONE:
                    return
                if said == ERROR:
                    code = -struct.unpack_from("=i", answers, at + 16)[0]
                    raise OSError(code, os.strerror(code))
                yield answers[at + 16 : at + length]
                at += (length + 3) & ~3


def _attributes(data: bytes) -> Mapping[int, bytes]:
    found = {}
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        found[kind] = data[at + 4 : at + length]
        at += (length + 3) & ~3
    return found


def tcp_states() -> dict[int, int]:
    """State as the kernel counts them -> sockets in it, of IPv4 and IPv6. OSError when the kernel does not tell."""
    counts: dict[int, int] = {}
    for answer in _dump(struct.pack("=BBBB48xII", socket.AF_UNSPEC, 0, 0, 0, 0xFFF, 0), TCP_OF_BOTH):
        counts[answer[1]] = counts.get(answer[1], 0) + 1
    return counts
