"""What 300 checks of a page cost, one every 10 s each: CPU, memory, and how the checks go."""

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from bench import usage
from bench.figures import Figure
from bench.kept import Kept
from tests.lab.lab import Lab
from tests.lab.ports import wait_until
from tests.lab.process import Raingauge

TITLE = "checks"
CHECKS = 300
CYCLE_SECONDS = 10.0


def measure(lab: Lab, quick: bool) -> Iterable[Figure]:
    cycles = 1 if quick else 6
    url = f"{lab.url}/hello.html"
    checks = "".join(f"    - {{url: '{url}', module: 'check {n}', interval: 10s}}\n" for n in range(CHECKS))
    configuration = f"discovery: false\ntargets:\n  probe:\n{checks}"
    with (
        tempfile.TemporaryDirectory(prefix="raingauge-bench-") as folder,
        Raingauge(Path(folder), configuration, "agent") as raingauge,
        Kept(raingauge.exporter) as scraper,
    ):
        wait_until(lambda: scraper.get("/metrics").count(b"\nprobe_success{") == CHECKS, 30, "each check was made")
        time.sleep(CYCLE_SECONDS)
        before = usage.cpu_seconds(raingauge.pid)
        time.sleep(cycles * CYCLE_SECONDS)
        spent = (usage.cpu_seconds(raingauge.pid) - before) / cycles
        page = scraper.get("/metrics").decode().splitlines()
        how = f"the process' CPU clock over {cycles * CYCLE_SECONDS:.0f} s, {CHECKS} checks over loopback every 10 s"
        yield Figure("300 checks: CPU", 100 * spent / CYCLE_SECONDS, "% of a core", how)
        yield Figure("300 checks: CPU of one", 1000 * spent / CHECKS, "ms", "the same; page and outcomes included")
        yield Figure("300 checks: RSS", usage.memory(raingauge.pid).rss, "MiB", "smaps_rollup after that")
        yield Figure("300 checks: threads", usage.threads(raingauge.pid), "", "/proc/PID/task; one for each target")
        good = sum(line.startswith("probe_success{") and line.endswith(" 1") for line in page)
        yield Figure("300 checks: that succeeded", good, "", f"of {CHECKS} at the last tick")
        taken = [float(line.rpartition(" ")[2]) for line in page if line.startswith("probe_duration_seconds{")]
        yield Figure("300 checks: slowest", 1000 * max(taken), "ms", "probe_duration_seconds at the last tick")
        raingauge.stop()
