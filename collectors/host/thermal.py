"""Thermal zones and what cools them, from /sys/class/thermal; absent on most virtual machines.

Source: https://docs.kernel.org/driver-api/thermal/sysfs-api.html
"""

from collections.abc import Iterable
from pathlib import Path

from collectors.errors import Absent, ParseError
from collectors.host.config import Host
from collectors.model import Gauge, Sample
from collectors.sources.files import attribute

TEMPERATURE = Gauge("node_thermal_zone_temp", "Temperature of the zone in degrees Celsius.", ("zone", "type"))
STATE = Gauge("node_cooling_device_cur_state", "How hard the device cools now.", ("name", "type"))
MOST = Gauge("node_cooling_device_max_state", "How hard the device can cool.", ("name", "type"))
FAMILIES = (TEMPERATURE, STATE, MOST)

FILES = (
    ("thermal_zone", "temp", TEMPERATURE, 1000), ("cooling_device", "cur_state", STATE, 1),
    ("cooling_device", "max_state", MOST, 1),
)  # fmt: skip


def read(config: Host) -> dict[str, dict[str, str]]:
    """Folder -> its files' texts."""
    devices = {}
    for kind in ("thermal_zone", "cooling_device"):
        for folder in sorted(Path(config.sysfs, "class/thermal").glob(f"{kind}[0-9]*")):
            texts = {name: attribute(folder / name) for name in ("type", "temp", "cur_state", "max_state")}
            devices[folder.name] = {name: text for name, text in texts.items() if text is not None}
    if not devices:
        raise Absent("this machine has no thermal zones that the kernel knows")
    return devices


def parse(devices: dict[str, dict[str, str]]) -> Iterable[Sample]:
    for name, facts in devices.items():
        for kind, file, family, divisor in FILES:
            if name.startswith(kind) and file in facts:
                try:
                    yield family(int(facts[file]) / divisor, name.removeprefix(kind), facts.get("type", ""))
                except ValueError as error:
                    raise ParseError(f"expected a number in {name}/{file}, found {facts[file][:60]!r}") from error
