"""From `raingauge run` to the first chart: what somebody who tries Raingauge waits for."""

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.figures import Figure, quantile
from bench.kept import Kept
from tests.lab.lab import Lab
from tests.lab.ports import wait_until
from tests.lab.process import Raingauge

TITLE = "start"
SERVICES = ("nginx", "phpfpm", "mysql", "redis")
WAITED = (
    ("answers", "both addresses are printed as JSON, which waits for the first tick"),
    ("first chart", "a chart of the overview has a value; aim 5 s"),
    ("a chart of each service", f"the overview has a chart with a value for each of {', '.join(SERVICES)}"),
    ("first rate", "CPU use, which needs two reads, has a value"),
)


def measure(_lab: Lab, quick: bool) -> Iterable[Figure]:
    tries = [_once() for _ in range(1 if quick else 5)]
    for at, (name, until) in enumerate(WAITED):
        taken = [each[at] for each in tries]
        many = "one start" if quick else f"median of {len(tries)} starts, {min(taken):.1f} to {max(taken):.1f} s"
        method = f"{many}; new state directory, no configuration; until {until}"
        yield Figure(name, quantile(taken, 0.5), "s", method)


def _once() -> tuple[float, ...]:
    with tempfile.TemporaryDirectory(prefix="raingauge-bench-") as folder:
        raingauge = Raingauge(Path(folder))
        token = raingauge.token()
        began = time.perf_counter()
        with raingauge, Kept(raingauge.dashboard, token) as client:
            answered = time.perf_counter() - began
            found = {"chart": 0.0, "services": 0.0, "rate": 0.0}

            def seen() -> bool:
                plots = client.json("/")["plots"]
                now, jobs = time.perf_counter() - began, {plot["job"] for plot in plots if _has_value(plot)}
                reached = {"chart": bool(jobs), "services": jobs >= set(SERVICES), "rate": _rate(client)}
                for name, there in reached.items():
                    if there and not found[name]:
                        found[name] = now
                return all(found.values())

            wait_until(seen, 30, "the overview has a chart of each service")
            raingauge.stop()
    return answered, found["chart"], found["services"], found["rate"]


def _has_value(plot: dict[str, Any]) -> bool:
    return any(trace["last"] is not None for trace in plot["traces"])


def _rate(client: Kept) -> bool:
    found = client.json("/api/v1/query?query=rate(node_cpu_seconds_total%5B40s%5D)")
    return bool(found["data"]["result"])
