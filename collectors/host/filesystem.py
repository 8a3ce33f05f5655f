"""Sizes of mounted file systems, by statvfs(3); pseudo file systems are left out as node_exporter does.

A statvfs on a dead network mount can hang for ever. Each mount point is asked in a thread of its own; one that hangs is
not asked again while it does, and only its own sizes are missing.

Source: https://man7.org/linux/man-pages/man3/statvfs.3.html
"""

import os
import re
import threading
import time
from collections.abc import Callable, Iterable
from typing import TypedDict

from collectors.errors import Absent, Denied, ParseError
from collectors.host.config import Host
from collectors.model import Gauge, Sample
from collectors.sources.files import read_text

LABELS = ("device", "mountpoint", "fstype", "device_error")
SIZE = Gauge("node_filesystem_size_bytes", "Size of the file system.", LABELS)
FREE = Gauge("node_filesystem_free_bytes", "Free space, the part reserved for root included.", LABELS)
AVAIL = Gauge("node_filesystem_avail_bytes", "Free space that ordinary users can use.", LABELS)
FILES = Gauge("node_filesystem_files", "Inodes in all.", LABELS)
FILES_FREE = Gauge("node_filesystem_files_free", "Inodes that are free.", LABELS)
READONLY = Gauge("node_filesystem_readonly", "1 if it is mounted read-only.", LABELS)
ERROR = Gauge("node_filesystem_device_error", "1 if its sizes could not be asked; device_error says why.", LABELS)
FAMILIES = (SIZE, FREE, AVAIL, FILES, FILES_FREE, READONLY, ERROR)

MOUNT_POINTS_EXCLUDED = re.compile(
    r"/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)"
)
TYPES_EXCLUDED = re.compile(
    r"(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay"
    r"|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)"
)
ESCAPED = re.compile(r"\\([0-7]{3})")
PATIENCE_SECONDS = 2.0


class Mount(TypedDict):
    device: str
    mountpoint: str
    fstype: str
    readonly: bool
    sizes: list[int] | None
    """block size, blocks, free, available; inodes, free inodes; None with an error."""
    error: str


class Asker:
    """Asks mount points at the same time, and remembers those that have not answered yet."""

    def __init__(self, statvfs: Callable[[str], os.statvfs_result] = os.statvfs) -> None:
        self._statvfs = statvfs
        self._hanging: set[str] = set()

    def ask(self, paths: Iterable[str], patience: float) -> dict[str, os.statvfs_result | OSError]:
        """Path -> answer, for those that answered within `patience` seconds."""
        answers: dict[str, os.statvfs_result | OSError] = {}
        threads = []
        for path in paths:
            if path in self._hanging:
                continue
            self._hanging.add(path)
            thread = threading.Thread(target=self._one, args=(path, answers), name="statvfs", daemon=True)
            thread.start()
            threads.append(thread)
        end = time.monotonic() + patience
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        return dict(answers)

    def _one(self, path: str, answers: dict[str, os.statvfs_result | OSError]) -> None:
        try:
            answers[path] = self._statvfs(path)
        except OSError as error:
            answers[path] = error
        self._hanging.discard(path)


ASKER = Asker()


def mounts(text: str) -> list[Mount]:
    """The mounts of /proc/mounts that are of interest, without sizes; the last of several at one place counts."""
    found: dict[str, Mount] = {}
    for line in filter(None, text.split("\n")):  # the kernel escapes space, tab and newline, and no other blank
        fields = [ESCAPED.sub(lambda code: chr(int(code[1], 8)), field) for field in line.split(" ")]
        if len(fields) < 4:
            raise ParseError(f"expected 'device place type options' in /proc/mounts, found {line!r}")
        device, place, fstype, options = fields[:4]
        if MOUNT_POINTS_EXCLUDED.match(place) or TYPES_EXCLUDED.fullmatch(fstype):
            continue
        readonly = "ro" in options.split(",")
        found[place] = Mount(device=device, mountpoint=place, fstype=fstype, readonly=readonly, sizes=None, error="")
    return list(found.values())


def read(config: Host, asker: Asker = ASKER, patience: float = PATIENCE_SECONDS) -> list[Mount]:
    try:
        text = read_text(f"{config.procfs}/1/mounts")
    except (Denied, Absent):  # an ordinary user sees its own mounts, nearly always the same
        text = read_text(f"{config.procfs}/self/mounts")
    found = mounts(text)
    paths = {mount["mountpoint"]: config.rootfs.rstrip("/") + mount["mountpoint"] for mount in found}
    answers = asker.ask(paths.values(), patience)
    for mount in found:
        answer = answers.get(paths[mount["mountpoint"]])
        if answer is None:
            mount["error"] = "mountpoint timeout"
        elif isinstance(answer, OSError):
            mount["error"] = answer.strerror or "unknown error"
        else:
            mount["sizes"] = [answer.f_frsize, answer.f_blocks, answer.f_bfree, answer.f_bavail,
                              answer.f_files, answer.f_ffree]  # fmt: skip
    return found


def parse(payload: list[Mount]) -> Iterable[Sample]:
    for mount in payload:
        labels = (mount["device"], mount["mountpoint"], mount["fstype"], mount["error"])
        sizes = mount["sizes"]
        yield ERROR(sizes is None, *labels)
        if sizes is None:
            continue
        block, blocks, free, available, files, files_free = sizes
        yield READONLY(mount["readonly"], *labels)
        yield SIZE(block * blocks, *labels)
        yield FREE(block * free, *labels)
        yield AVAIL(block * available, *labels)
        yield FILES(files, *labels)
        yield FILES_FREE(files_free, *labels)
