"""How long Python needs until the command line has what it needs: part of every start."""

import subprocess
import sys
import time
from collections.abc import Iterable

from bench.figures import Figure, quantile
from tests.lab.lab import Lab

TITLE = "imports"
MODULES = (
    ("nothing", "pass"),
    ("command line", "import agent.cli"),
    ("raingauge agent", "import agent.cli.agent, agent.running, collectors.registry as r; r.collectors()"),
    ("raingauge run", "import agent.cli.run, agent.everything, collectors.registry as r; r.collectors()"),
)


def measure(_lab: Lab, quick: bool) -> Iterable[Figure]:
    times = 2 if quick else 10
    for name, code in MODULES:
        method = f"`python -c {code!r}`, median of {times}, files cached"
        yield Figure(name, quantile((_once(code) for _ in range(times)), 0.5), "ms", method)


def _once(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter() - began) * 1000
