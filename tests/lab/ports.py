"""Free ports, and waiting until something answers."""

import random
import socket
import time
from collections.abc import Callable

PORTS = range(20_000, 32_000)
"""Below those that the kernel gives to clients: between choice and use, no connection of the machine takes one."""
SLOW = 4
"""How much longer than it says a test waits, as the machine may do more than test."""

_chance = random.SystemRandom()


def free_port() -> int:
    while True:
        port = _chance.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def answers(address: str | tuple[str, int]) -> bool:
    """A unix socket's path, or (host, port), accepts a connection."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(1)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Return once the condition holds; AssertionError naming `what` when it does not within SLOW times the seconds."""
    end = time.monotonic() + seconds * SLOW
    pause = 0.01
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds * SLOW:g} s: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
