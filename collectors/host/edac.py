"""Errors that memory corrected or could not, from /sys/devices/system/edac; absent without memory that tells.

Source: https://docs.kernel.org/admin-guide/RAS/main.html
"""

from collections.abc import Iterable
from pathlib import Path

from collectors.errors import Absent, ParseError
from collectors.host.config import Host
from collectors.model import Counter, Sample
from collectors.sources.files import attribute

CONTROLLER = ("controller",)
FILES = {
    "ce_count": Counter("node_edac_correctable_errors_total", "Memory errors that were corrected.", CONTROLLER),
    "ue_count": Counter("node_edac_uncorrectable_errors_total", "Memory errors that were not corrected.", CONTROLLER),
}
FAMILIES = tuple(FILES.values())


def read(config: Host) -> dict[str, dict[str, str]]:
    controllers = {}
    for folder in sorted(Path(config.sysfs, "devices/system/edac/mc").glob("mc[0-9]*")):
        texts = {name: text for name in FILES if (text := attribute(folder / name)) is not None}
        controllers[folder.name.removeprefix("mc")] = texts
    if not controllers:
        raise Absent("this machine's memory does not tell of its errors")
    return controllers


def parse(controllers: dict[str, dict[str, str]]) -> Iterable[Sample]:
    for controller, texts in controllers.items():
        for name, text in texts.items():
            if not text.isdecimal():
                raise ParseError(f"expected a number in mc{controller}/{name}, found {text[:60]!r}")
            yield FILES[name](int(text), controller)
