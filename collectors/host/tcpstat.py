"""TCP connections by state, asked from the kernel as `ss` does.

Source: https://man7.org/linux/man-pages/man7/sock_diag.7.html
"""

from collections.abc import Iterable

from collectors.host.config import Host
from collectors.model import Gauge, Sample
from collectors.sources.netlink import tcp_states

CONNECTIONS = Gauge("node_tcp_connection_states", "TCP sockets, by state.", ("state",))
FAMILIES = (CONNECTIONS,)

STATES = (
    "established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2", "time_wait", "close", "close_wait", "last_ack",
    "listen", "closing",
)  # fmt: skip
"""As the kernel counts them, from 1."""


def read(_config: Host) -> dict[str, int]:
    return {STATES[state - 1]: count for state, count in tcp_states().items() if 0 < state <= len(STATES)}


def parse(counts: dict[str, int]) -> Iterable[Sample]:
    """A state that no socket is in is 0, so that a chart has no holes."""
    return [CONNECTIONS(counts.get(state, 0), state) for state in STATES]
