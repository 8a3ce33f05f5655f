"""Free ports, and waiting until something answers."""

import socket
import time
from collections.abc import Callable


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
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
    """Return once the condition holds; AssertionError naming `what` when it does not within the time."""
    end = time.monotonic() + seconds
    pause = 0.01
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
