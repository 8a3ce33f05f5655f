"""Listening sockets of this host, connecting to one, and how many clients wait at one."""

import socket
from collections.abc import Iterable

from collectors.inventory import Listener, Process


def listeners(processes: Iterable[Process]) -> tuple[Listener, ...]:
    return ()


def connect(address: str, timeout: float) -> socket.socket:
    """`unix:/path` or `host:port`. Unreachable: refused, no socket or no answer in time; Denied: no right to it."""
    raise NotImplementedError


def accept_queue(address: str) -> tuple[int, int] | None:
    """(clients waiting now, most that may wait) of a listening socket; None when the kernel does not say."""
    raise NotImplementedError
