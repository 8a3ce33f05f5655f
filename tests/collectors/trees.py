"""Trees of /proc and /sys, written down as one text: tests/data/trees."""

import re
from pathlib import Path

from collectors.host.config import Host

TREES = Path(__file__).parent.parent / "data" / "trees"


def planted(name: str, folder: Path) -> Host:
    """The tree as files below `folder`, and where the host collector finds them."""
    for block in re.split(r"^== ", (TREES / f"{name}.txt").read_text(), flags=re.MULTILINE)[1:]:
        head, _, text = block.partition("\n")
        place, _, target = head.partition(" -> ")
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        if target:
            (folder / place).symlink_to(target)
        else:
            (folder / place).write_text(text)
    return Host(procfs=f"{folder}/proc", sysfs=f"{folder}/sys", textfile=f"{folder}/textfile")
