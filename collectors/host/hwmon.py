"""Temperatures, fans, voltages and power of the board's sensors, from /sys/class/hwmon; absent where there are none.

Source: https://docs.kernel.org/hwmon/sysfs-interface.html
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

from collectors.errors import Absent
from collectors.host.config import Host
from collectors.model import Gauge, Sample
from collectors.sources.files import attribute

SENSOR = ("chip", "sensor")
NAMES = Gauge("node_hwmon_chip_names", "1; the chip's own name is a label.", ("chip", "chip_name"))
LABELS = Gauge("node_hwmon_sensor_label", "1; what the sensor is for is a label.", ("chip", "sensor", "label"))
READING = Gauge("node_hwmon_*", "Readings, limits and alarms of the board's sensors: *.", SENSOR)
FAMILIES = (NAMES, LABELS, READING)

KINDS: dict[str, tuple[str, float]] = {
    "temp": ("celsius", 1000), "in": ("volts", 1000), "curr": ("amps", 1000), "power": ("watt", 1e6),
    "energy": ("joule_total", 1e6), "humidity": ("humidity", 1e6), "fan": ("rpm", 1), "pwm": ("", 1),
}  # fmt: skip
"""Kind -> its unit, and by what the file's number is divided."""
FILE = re.compile(r"([a-z]+)(\d+)(?:_([a-z0-9_]+))?", re.ASCII)


class Chip(TypedDict):
    name: str
    files: dict[str, str]


def read(config: Host) -> dict[str, Chip]:
    """Chip -> its name and its files; a sensor that does not answer now is left out."""
    chips: dict[str, Chip] = {}
    for folder in sorted(Path(config.sysfs, "class/hwmon").glob("hwmon*")):
        # Some older drivers have their files beside the device.
        place = folder if (folder / "name").exists() else folder / "device"
        names = sorted(file.name for file in place.glob("*") if _is_told(file.name))
        files = {name: text for name in names if (text := attribute(place / name)) is not None}
        chips[_chip(folder)] = Chip(name=attribute(place / "name") or "", files=files)
    if not chips:
        raise Absent("this machine has no sensors that the kernel knows")
    return chips


def _is_told(name: str) -> bool:
    found = FILE.fullmatch(name)
    return found is not None and found[1] in KINDS


def _chip(folder: Path) -> str:
    """Bus and device where it has one, else its name."""
    device = folder / "device"
    if device.exists():
        real = device.resolve()
        return "_".join(filter(None, (_clean(real.parent.name), _clean(real.name))))
    return _clean(attribute(folder / "name") or folder.name)


def _clean(text: str) -> str:
    return re.sub(r"[^a-z0-9:_]", "_", text.lower()).strip("_")


def parse(chips: dict[str, Chip]) -> Iterable[Sample]:
    for chip, facts in chips.items():
        if facts["name"]:
            yield NAMES(1, chip, _clean(facts["name"]))
        for file, text in facts["files"].items():
            found = FILE.fullmatch(file)
            if found:
                yield from _told(chip, found[1], found[2], found[3] or "", text)


def _told(chip: str, kind: str, number: str, what: str, text: str) -> Iterable[Sample]:
    sensor = f"{kind}{number}"
    if what == "label":
        yield LABELS(1, chip, sensor, text)
        return
    if not re.fullmatch(r"-?\d+", text, re.ASCII):
        return
    unit, divisor = KINDS[kind]
    if what in ("fault", "alarm", "beep") or what.endswith(("_beep", "_enable")):
        yield READING.named(f"{kind}_{what}")(int(text), chip, sensor)
        return
    words = (kind, "" if what in ("input", "") else what, unit)
    yield READING.named("_".join(filter(None, words)).replace("humidity_humidity", "humidity"))(
        int(text) / divisor, chip, sensor
    )
