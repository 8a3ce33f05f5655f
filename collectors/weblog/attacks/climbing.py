"""Whether a path leaves the folder that it begins in: by its parts, not by its look."""

import re

PARTS = re.compile(r"[/\\]+")


def climbs(text: str) -> int:
    """How far above its beginning a path gets. `..` in a sentence is no part of its own."""
    if ".." not in text:
        return 0
    depth = lowest = 0
    for part in PARTS.split(text):
        bare = part.partition(";")[0]
        if bare == "..":
            depth -= 1
            lowest = min(lowest, depth)
        elif bare not in ("", "."):
            depth += 1
    return -lowest
