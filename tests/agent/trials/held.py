"""What a process holds of the machine."""

import re
from pathlib import Path


class Held:
    def __init__(self, pid: int) -> None:
        place = Path(f"/proc/{pid}")
        self.files = len(list((place / "fd").iterdir()))
        self.threads = len(list((place / "task").iterdir()))
        found = re.search(r"^VmRSS:\s+(\d+) kB", (place / "status").read_text(), re.MULTILINE)
        assert found
        self.mib = int(found[1]) / 1024

    def __repr__(self) -> str:
        return f"{self.files} files, {self.threads} threads, {self.mib:.0f} MiB"
