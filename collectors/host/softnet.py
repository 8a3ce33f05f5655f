"""Packets that each CPU took from the network cards, from /proc/net/softnet_stat.

Source: https://docs.kernel.org/networking/scaling.html
"""

from collections.abc import Iterable

from collectors.errors import ParseError
from collectors.host.config import Host
from collectors.model import Counter, Gauge, Sample
from collectors.sources.files import read_text

CPU = ("cpu",)
PROCESSED = Counter("node_softnet_processed_total", "Packets processed.", CPU)
DROPPED = Counter("node_softnet_dropped_total", "Packets dropped because the CPU's backlog was full.", CPU)
SQUEEZED = Counter(
    "node_softnet_times_squeezed_total", "Times that packets were left for later, as the time slice was over.", CPU
)
COLLISIONS = Counter("node_softnet_cpu_collision_total", "Collisions on a device's lock while sending.", CPU)
RPS = Counter("node_softnet_received_rps_total", "Times that another CPU woke this one for packets.", CPU)
FLOW_LIMIT = Counter("node_softnet_flow_limit_count_total", "Packets that met the flow limit.", CPU)
BACKLOG = Gauge("node_softnet_backlog_len", "Packets that wait in the CPU's backlog.", CPU)
FAMILIES = (PROCESSED, DROPPED, SQUEEZED, COLLISIONS, RPS, FLOW_LIMIT, BACKLOG)

COLUMNS = ((0, PROCESSED), (1, DROPPED), (2, SQUEEZED), (8, COLLISIONS), (9, RPS), (10, FLOW_LIMIT), (11, BACKLOG))
CPU_COLUMN = 12


def read(config: Host) -> str:
    return read_text(f"{config.procfs}/net/softnet_stat")


def parse(text: str) -> Iterable[Sample]:
    for row, line in enumerate(text.splitlines()):
        try:
            values = [int(field, 16) for field in line.split()]
        except ValueError as error:
            raise ParseError(f"expected hexadecimal columns in /proc/net/softnet_stat, found {line[:60]!r}") from error
        if len(values) < 9:
            raise ParseError(f"expected 9 columns or more in /proc/net/softnet_stat, found {line[:60]!r}")
        cpu = str(values[CPU_COLUMN] if len(values) > CPU_COLUMN else row)
        for column, family in COLUMNS:
            if column < len(values):  # older kernels have fewer
                yield family(values[column], cpu)
