"""Power supplies, from /sys/class/power_supply; absent where the machine does not tell.

Source: https://docs.kernel.org/power/power_supply_class.html
"""

from collections.abc import Iterable
from pathlib import Path

from collectors.errors import Absent
from collectors.host.config import Host
from collectors.model import Gauge, Sample
from collectors.sources.files import attribute

SUPPLY = ("power_supply",)
FILES = {
    "online": Gauge("node_power_supply_online", "1 if the supply gives power.", SUPPLY),
    "capacity": Gauge("node_power_supply_capacity", "Percent that is left in a battery.", SUPPLY),
}
FAMILIES = tuple(FILES.values())


def read(config: Host) -> dict[str, dict[str, str]]:
    supplies = {}
    for folder in sorted(Path(config.sysfs, "class/power_supply").glob("*")):
        supplies[folder.name] = {name: text for name in FILES if (text := attribute(folder / name)) is not None}
    if not supplies:
        raise Absent("this machine does not tell of its power supplies")
    return supplies


def parse(supplies: dict[str, dict[str, str]]) -> Iterable[Sample]:
    for supply, texts in supplies.items():
        for name, text in texts.items():
            if text.isdecimal():
                yield FILES[name](int(text), supply)
