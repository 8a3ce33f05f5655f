"""Reads a server in a process of its own, so that the memory that it takes can be told: python -m ... NAME PORT."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from agent.reading import trial
from collectors import registry


@dataclass(frozen=True)
class Alone:
    outcomes: dict[str, list[str]]
    """Part -> its outcome and error."""
    grown: int
    """Bytes, at the most."""


def read_alone(name: str, port: int) -> Alone:
    command = [sys.executable, "-m", __name__, name, str(port)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return Alone(**json.loads(said.stdout))


def _most_resident() -> int:
    """Bytes."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def main() -> None:
    name, port = sys.argv[1:]
    collector = registry.collector(name)
    config = collector.config.model_validate({"address": "127.0.0.1", "port": port, "timeout": 10})
    before = _most_resident()
    readings = trial(collector, config)
    outcomes = {reading.part.name: [reading.outcome, reading.error] for reading in readings}
    print(json.dumps({"outcomes": outcomes, "grown": _most_resident() - before}))  # noqa: T201


if __name__ == "__main__":
    main()
