"""Software RAID, from /proc/mdstat; absent without any.

Source: https://raid.wiki.kernel.org/index.php/Mdstat
"""

import re
from collections.abc import Iterable

from collectors.errors import Absent, ParseError
from collectors.host.config import Host
from collectors.model import Gauge, Sample
from collectors.sources.files import read_text

DISKS = Gauge("node_md_disks", "Disks of the array, by state.", ("device", "state"))
REQUIRED = Gauge("node_md_disks_required", "Disks that the array needs to be whole.", ("device",))
STATE = Gauge("node_md_state", "1 for the state that the array is in, 0 for the others.", ("device", "state"))
BLOCKS = Gauge("node_md_blocks", "Blocks of the array, of 1 KiB.", ("device",))
SYNCED = Gauge("node_md_blocks_synced", "Blocks that are in sync, of 1 KiB.", ("device",))
FAMILIES = (DISKS, REQUIRED, STATE, BLOCKS, SYNCED)

STATES = ("active", "inactive", "recovering", "resync", "check", "reshaping")
BUSY = {"recovery": "recovering", "resync": "resync", "check": "check", "reshape": "reshaping"}
ARRAY = re.compile(r"^(\S+) : (active|inactive)(?: \((?:auto-)?read-only\))?(.*)\n((?:[ \t].*\n?)*)", re.MULTILINE)
MEMBER = re.compile(r"\S+\[\d+\](?:\((\w)\))?")


def read(config: Host) -> str:
    return read_text(f"{config.procfs}/mdstat")


def parse(text: str) -> Iterable[Sample]:
    if not text.startswith("Personalities"):
        raise ParseError(f"expected 'Personalities' at the beginning of /proc/mdstat, found {text[:60]!r}")
    arrays = ARRAY.findall(text)
    if not arrays:
        raise Absent("no software RAID")
    for device, state, line, below in arrays:
        yield from _array(device, state, line, below)


def _array(device: str, state: str, line: str, below: str) -> Iterable[Sample]:
    marks = MEMBER.findall(line)
    failed, spare = marks.count("F"), marks.count("S")
    wanted = re.search(r"\[(\d+)/(\d+)\]", below)
    here = len(marks) - failed - spare
    required, working = (int(wanted[1]), int(wanted[2])) if wanted else (here, here if state == "active" else 0)
    yield REQUIRED(required, device)
    for name, count in (("active", working), ("failed", failed), ("spare", spare), ("down", required - working)):
        yield DISKS(max(0, count), device, name)
    busy = re.search(r"(recovery|resync|check|reshape)\s*=", below)
    now = BUSY[busy[1]] if busy else state
    for each in STATES:
        yield STATE(each == now, device, each)
    if blocks := re.search(r"(\d+) blocks", below):
        done = re.search(r"\((\d+)/\d+\)", below)
        yield BLOCKS(int(blocks[1]), device)
        yield SYNCED(int(done[1] if done else blocks[1]), device)
