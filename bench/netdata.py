"""The host each second, beside Debian's netdata with its own plugins, in the same minutes.

Netdata keeps what it reads and weighs alerts; the agent serves its page, which is read each second as well.
"""

import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench import usage
from bench.figures import Figure
from bench.kept import Kept
from tests.lab.lab import Lab
from tests.lab.ports import free_port
from tests.lab.process import Raingauge
from tests.lab.servers import Server

TITLE = "netdata"
PROGRAM = "/usr/sbin/netdata"  # not on every user's path
EACH_SECOND = "discovery: false\ninterval: 1s\ntargets: {host: [{}]}\n"
WARM_SECONDS = 20.0
SECONDS = 120


class Netdata(Server):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.configuration = directory / "netdata.conf"

    def command(self) -> Sequence[str]:
        places = [f"{name} = {self.directory}/{name}" for name in ("cache", "lib", "log")]
        for name in ("cache", "lib", "log"):
            (self.directory / name).mkdir(exist_ok=True)
        self.configuration.write_text("\n".join(["[directories]", *places, "[web]", "bind to = 127.0.0.1", ""]))
        return [PROGRAM, "-D", "-c", str(self.configuration), "-p", str(self.port), "-u", self.directory.owner()]


def measure(_lab: Lab, quick: bool) -> Iterable[Figure]:
    if shutil.which(PROGRAM) is None:
        yield Figure("netdata", None, "", "netdata is not installed: apt-get install netdata")
        return
    seconds = 20 if quick else SECONDS
    with (
        tempfile.TemporaryDirectory(prefix="raingauge-bench-", ignore_cleanup_errors=True) as name,
        Raingauge(Path(name), EACH_SECOND, "agent") as raingauge,
        Netdata(Path(name) / "netdata") as netdata,
    ):
        assert netdata.process is not None
        pids = {"agent, host alone": raingauge.pid, "netdata": netdata.process.pid}
        time.sleep(WARM_SECONDS)
        before = {each: usage.cpu_seconds_of_all(pid) for each, pid in pids.items()}
        with Kept(raingauge.exporter) as scraper:
            for _ in range(seconds):
                time.sleep(1)
                scraper.get("/metrics", Accept_Encoding="gzip")
        spent = {each: (usage.cpu_seconds_of_all(pid) - before[each]) / seconds for each, pid in pids.items()}
        sizes = {each: usage.resident_of_all(pid) for each, pid in pids.items()}
        for each in pids:
            how = f"the process and its children over {seconds} s, each second a reading and, of ours, a scrape"
            yield Figure(f"{each}: CPU of a second", spent[each] * 1000, "ms", how)
            yield Figure(f"{each}: RSS", sizes[each], "MiB", "smaps_rollup of all of them after it")
        raingauge.stop()
    for kind, (ours, theirs) in {"CPU": spent.values(), "RSS": sizes.values()}.items():
        yield Figure(f"ours to netdata's: {kind}", ours / theirs, "times", "the agent divided by netdata")
