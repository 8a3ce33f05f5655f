"""The dashboard in Chromium and over HTTP against its budgets, beside the pages of Glances and of Debian's netdata.

Pages: a host of 50 sites with 30,000 series (bench/many_sites.py), served by this process as
`raingauge run` serves them; medians of fresh profiles.
Glances is looked for on the path (`pip install 'glances[web]'` into an environment of its own), netdata as in
bench/netdata.py.
"""

import gzip
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser

from agent.serving import Dashboard
from bench import crowd, many_sites
from bench.figures import Figure, quantile
from bench.netdata import PROGRAM, Netdata
from bench.page_times import Wanted, longest_task, medians, profile, times
from tests.dashboard.browsing import DESKTOP, PHONE, chromium
from tests.dashboard.world import NOW, World
from tests.lab.lab import Lab
from tests.lab.ports import free_port
from tests.lab.servers import Server

TITLE = "dashboard"
FIRST_CHART: Wanted = {"first chart": "document.querySelector('figure .plot path')?.getBoundingClientRect().width > 0"}
ANYTHING: Wanted = {"anything": "document.body?.innerText"}
ALL_CHARTS: Wanted = {
    "pictures": "document.readyState === 'complete' && document.querySelectorAll('figure .plot path').length > 24",
    "drawn": "typeof Charts === 'object' && Page.data && !Charts.running && !Charts.waiting.size"
    " && document.querySelector('.pl.up')"
    " && Charts.figures().every(f => !f.dataset.near || !f.querySelector('.pl[tabindex]') || f.querySelector('.up'))",
}  # fmt: skip
USABLE: Wanted = {"usable": "document.readyState !== 'loading' && document.querySelector('main h2')?.checkVisibility()"}
PATHS = ("/", "/trends", "/host", "/alerts", "/targets", "/drupal", "/slowest", "/slo", "/security", "/explore",
         "/site/site00.example.org")  # fmt: skip


def measure(_lab: Lab, quick: bool) -> Iterable[Figure]:
    rounds = 2 if quick else 5
    with tempfile.TemporaryDirectory(prefix="raingauge-bench-") as name:
        folder = Path(name)
        world = many_sites.world(folder)
        yield from _server(world, 6 if quick else 20)
        yield from _sizes(world)
        with _served(world) as base, chromium() as browser:
            yield from _pages(browser, world, base, rounds)
        with chromium() as browser:
            yield from _peers(browser, folder, rounds)
    yield from crowd.measure(20 if quick else 60)


@contextmanager
def _served(world: World) -> Iterator[str]:
    """The address of the world's dashboard, behind the server of `raingauge run`."""
    dashboard = Dashboard("127.0.0.1", 0, world.services)
    dashboard.start()
    try:
        yield dashboard.url
    finally:
        dashboard.stop()


def _server(world: World, ticks: int) -> Iterator[Figure]:
    """As twenty who look at it: each asks once a tick."""
    client = world.client()
    first: list[float] = []
    others: list[float] = []
    for tick in range(ticks):
        world.now = NOW - 10 * (ticks - tick)
        for number in range(20):
            began = time.perf_counter()
            assert client.get("/").status_code == 200
            (others if number else first).append((time.perf_counter() - began) * 1000)
    how = f"the overview of 50 sites and 30,000 series, 20 requests a tick over {ticks} ticks; aim 50 ms"
    yield Figure("overview, server: p95", quantile([*first[1:], *others], 0.95), "ms", how)
    yield Figure("   median", quantile(others, 0.5), "ms", how)
    yield Figure("   the first after each tick", quantile(first[1:], 0.5), "ms", "median; it asks the history")
    yield Figure("   the first of all", first[0], "ms", "nothing is remembered")
    world.now = NOW


def _sizes(world: World) -> Iterator[Figure]:
    client = world.client()
    sizes = {path: len(gzip.compress(client.get(path).data, 6)) / 1000 for path in PATHS}
    largest = max(sizes, key=lambda path: sizes[path])
    yield Figure("largest page, HTML", sizes[largest], "kB", f"gzip; of {len(PATHS)} pages {largest}; aim 60 kB")


def _pages(browser: Browser, world: World, base: str, rounds: int) -> Iterator[Figure]:
    def login() -> str:
        return f"{base}/login?key={world.access.create_login(world.now)}"

    cold, trends, warm, phone, tasks, bare = [], [], [], [], [], []
    for _ in range(rounds):
        with profile(browser, ANYTHING, login(), viewport=DESKTOP) as page:
            bare.append(times(page, f"{base}/-/healthy", ANYTHING))
        with profile(browser, FIRST_CHART, login(), viewport=DESKTOP) as page:
            cold.append(times(page, f"{base}/", FIRST_CHART))
        with profile(browser, ALL_CHARTS, login(), viewport=DESKTOP) as page:
            trends.append(times(page, f"{base}/trends", ALL_CHARTS))
            warm.append([times(page, f"{base}/trends", ALL_CHARTS) for _ in range(3)][-1])
            charts = page.evaluate("Charts.figures().length")
            page.evaluate("Page.data.shell.last_sample = 0")  # so that all of the page is new
            tasks.append(longest_task(browser, page, lambda page=page: _tick(page)))  # type: ignore[misc]
        found = {}
        for path in ("/", "/alerts"):
            with profile(browser, USABLE, login(), 4, viewport=PHONE, is_mobile=True, has_touch=True) as page:
                found[path] = times(page, f"{base}{path}", USABLE)["usable"]
        phone.append(found)
    how = f"median of {rounds} fresh profiles, 1440x900, to the frame that has it"
    yield Figure("overview, first chart, cold", medians(cold)["first chart"], "ms", f"{how}; aim 300 ms")
    yield Figure("   a bare line of text, cold", medians(bare)["anything"], "ms", "the same: what no page could beat")
    for name, found_times, aim in (("cold", trends, 1500), ("warm", warm, 700)):
        each = medians(found_times)
        what = f"{charts} charts" + (", fourth load of the profile" if name == "warm" else "")
        yield Figure(f"trends, server's pictures, {name}", each["pictures"], "ms", f"{how}: {what}")
        yield Figure(f"trends, all in view by Plotly, {name}", each["drawn"], "ms", f"the same; aim {aim} ms")
    what = "trends, all of it new, by a trace"
    yield Figure("longest task of a tick", quantile([task for task, _ in tasks], 0.5), "ms", f"{what}; aim 50 ms")
    yield Figure("   of the processor's time", quantile([used for _, used in tasks], 0.5), "ms", f"{what}; the dearest")
    for path, value in medians(phone).items():
        yield Figure(f"phone, {path} usable", value, "ms", "390x844, processor 4 times slower, cold; aim 1000 ms")


def _tick(page: object) -> None:
    page.evaluate(  # type: ignore[attr-defined]
        "async () => { await Page.refresh({tick: true}); while (Charts.running) await Charts.running }"
    )


class Glances(Server):
    def __init__(self, directory: Path, program: str) -> None:
        super().__init__(directory)
        self.program, self.port = program, free_port()
        self.address = ("127.0.0.1", self.port)

    def command(self) -> Sequence[str]:
        return [self.program, "-w", "-B", "127.0.0.1", "-p", str(self.port), "--disable-check-update"]


def _peers(browser: Browser, folder: Path, rounds: int) -> Iterator[Figure]:
    program = shutil.which("glances")
    if program:
        wanted = {"content": "document.body?.innerText.includes('CPU')"}
        yield from _peer(browser, Glances(folder / "glances", program), wanted, rounds)
    else:
        yield Figure("Glances", None, "", "glances is not on the path: pip install 'glances[web]'")
    if shutil.which(PROGRAM):
        wanted = {"content": "document.querySelectorAll('canvas').length >= 4"}
        yield from _peer(browser, Netdata(folder / "netdata"), wanted, rounds)
    else:
        yield Figure("netdata", None, "", "netdata is not installed: apt-get install netdata")


def _peer(browser: Browser, server: Server, wanted: Wanted, rounds: int) -> Iterator[Figure]:
    name = type(server).__name__
    with server:
        base = "http://{}:{}/".format(*server.address)
        cold, warm = [], []
        for _ in range(rounds):
            with profile(browser, wanted, "", viewport=DESKTOP) as page:
                # What it asks of other hosts would be measured as waiting, and is nobody's business.
                page.route(lambda url: not url.startswith(base), lambda route: route.abort())
                cold.append(times(page, base, wanted))
                warm.append([times(page, base, wanted) for _ in range(3)][-1])
    how = f"median of {rounds} fresh profiles, the same run; {wanted['content']}"
    yield Figure(f"{name}, cold", medians(cold)["content"], "ms", how)
    yield Figure(f"{name}, warm", medians(warm)["content"], "ms", how)
