"""What the kernel has of things that run out: open files, tracked connections, randomness, processes, threads.

Source: https://docs.kernel.org/admin-guide/sysctl/
"""

from collections.abc import Iterable

from collectors.errors import Absent, ParseError
from collectors.host.config import Host
from collectors.model import Gauge, Sample
from collectors.sources.files import attribute

FILES = Gauge("node_filefd_allocated", "File handles in use.")
FILES_LIMIT = Gauge("node_filefd_maximum", "File handles that may be in use.")
TRACKED = Gauge("node_nf_conntrack_entries", "Connections that the firewall tracks.")
TRACKED_LIMIT = Gauge("node_nf_conntrack_entries_limit", "Connections that the firewall can track; more are dropped.")
ENTROPY = Gauge("node_entropy_available_bits", "Randomness that the kernel has at hand.")
ENTROPY_POOL = Gauge("node_entropy_pool_size_bits", "Size of the kernel's pool of randomness.")
THREADS_LIMIT = Gauge("node_processes_max_threads", "Threads that may exist.")
PIDS_LIMIT = Gauge("node_processes_max_processes", "Process ids that may exist.")

PLACES = {
    FILES_LIMIT: "fs/file-max", TRACKED: "net/netfilter/nf_conntrack_count",
    TRACKED_LIMIT: "net/netfilter/nf_conntrack_max", ENTROPY: "kernel/random/entropy_avail",
    ENTROPY_POOL: "kernel/random/poolsize", THREADS_LIMIT: "kernel/threads-max", PIDS_LIMIT: "kernel/pid_max",
    FILES: "fs/file-nr",
}  # fmt: skip
FAMILIES = tuple(PLACES)


def read(config: Host) -> dict[str, str]:
    """Below /proc/sys; what this kernel does not have is left out."""
    found = {place: text for place in PLACES.values() if (text := attribute(f"{config.procfs}/sys/{place}"))}
    if not found:
        raise Absent(f"{config.procfs}/sys: none of {', '.join(PLACES.values())}")
    return found


def parse(texts: dict[str, str]) -> Iterable[Sample]:
    for family, place in PLACES.items():
        if place in texts:
            number = texts[place].partition("\t")[0]  # file-nr: in use, 0, limit
            if not number.isdecimal():
                raise ParseError(f"expected a number in /proc/sys/{place}, found {number[:60]!r}")
            yield family(int(number))
