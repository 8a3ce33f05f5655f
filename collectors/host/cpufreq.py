"""Clock rates of the processors, from /sys/devices/system/cpu; absent on most virtual machines.

Source: https://docs.kernel.org/admin-guide/pm/cpufreq.html
"""

from collections.abc import Iterable
from pathlib import Path

from collectors.errors import Absent, ParseError
from collectors.host.config import Host
from collectors.model import Gauge, Sample
from collectors.sources.files import attribute

CPU = ("cpu",)
FILES = {
    "scaling_cur_freq": Gauge("node_cpu_scaling_frequency_hertz", "Clock rate of the processor now.", CPU),
    "scaling_min_freq": Gauge("node_cpu_scaling_frequency_min_hertz", "Least clock rate that is allowed.", CPU),
    "scaling_max_freq": Gauge("node_cpu_scaling_frequency_max_hertz", "Most clock rate that is allowed.", CPU),
    "cpuinfo_min_freq": Gauge("node_cpu_frequency_min_hertz", "Least clock rate of the processor.", CPU),
    "cpuinfo_max_freq": Gauge("node_cpu_frequency_max_hertz", "Most clock rate of the processor.", CPU),
}
FAMILIES = tuple(FILES.values())


def read(config: Host) -> dict[str, dict[str, str]]:
    cpus = {}
    for folder in Path(config.sysfs, "devices/system/cpu").glob("cpu[0-9]*/cpufreq"):
        texts = {name: text for name in FILES if (text := attribute(folder / name)) is not None}
        cpus[folder.parent.name.removeprefix("cpu")] = texts
    if not cpus:
        raise Absent("the kernel does not scale this machine's processors")
    return dict(sorted(cpus.items()))


def parse(cpus: dict[str, dict[str, str]]) -> Iterable[Sample]:
    for cpu, texts in cpus.items():
        for name, text in texts.items():
            if not text.isdecimal():
                raise ParseError(f"expected kHz in cpu{cpu}/cpufreq/{name}, found {text[:60]!r}")
            yield FILES[name](int(text) * 1000, cpu)
