"""Load averages, from /proc/loadavg.

Source: https://docs.kernel.org/filesystems/proc.html (loadavg)
"""

from collections.abc import Iterable

from collectors.errors import ParseError
from collectors.host.config import Host
from collectors.model import Gauge, Sample
from collectors.sources.files import read_text

FAMILIES = tuple(
    Gauge(f"node_load{minutes}", f"Tasks that run or wait for CPU or disk, averaged over {minutes} minutes.")
    for minutes in (1, 5, 15)
)


def read(config: Host) -> str:
    return read_text(f"{config.procfs}/loadavg")


def parse(text: str) -> Iterable[Sample]:
    try:
        loads = [float(field) for field in text.split()[:3]]
        return [family(load) for family, load in zip(FAMILIES, loads, strict=True)]
    except ValueError as error:
        raise ParseError(f"expected three load averages in /proc/loadavg, found {text[:60]!r}") from error
