"""The host's clock: its time now and its zone.

Source: https://man7.org/linux/man-pages/man2/clock_gettime.2.html
"""

import time
from collections.abc import Iterable

from collectors.host.config import Host
from collectors.model import Gauge, Sample

NOW = Gauge("node_time_seconds", "The host's clock now, in Unix time.")
ZONE = Gauge("node_time_zone_offset_seconds", "The host's zone east of UTC.", ("time_zone",))
FAMILIES = (NOW, ZONE)


def read(_config: Host) -> dict[str, float | str]:
    local = time.localtime()
    return {"now": time.time(), "offset": local.tm_gmtoff, "zone": local.tm_zone}


def parse(clock: dict[str, float | str]) -> Iterable[Sample]:
    return [NOW(float(clock["now"])), ZONE(float(clock["offset"]), str(clock["zone"]))]
