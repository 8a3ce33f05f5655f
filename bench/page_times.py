"""How long a page takes in Chromium: a fresh profile each time, times in ms since the navigation began."""

import json
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

FRAMES = """(() => {
  window.seen = {};
  const look = () => {
    for (const [name, there] of Object.entries(window.wanted ?? {}))
      if (!(name in window.seen) && there()) window.seen[name] = performance.now();
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  window.wanted = %s;
})();"""
"""The first frame at which each thing that is waited for stands in the document."""

Wanted = Mapping[str, str]
"""Name -> expression of JavaScript."""


def times(page: Page, address: str, wanted: Wanted) -> dict[str, float]:
    page.goto(address)
    page.wait_for_function(f"() => {len(wanted)} === Object.keys(window.seen).length", timeout=30_000)
    return {name: float(at) for name, at in page.evaluate("window.seen").items()}


@contextmanager
def profile(browser: Browser, wanted: Wanted, login: str, slower: float = 1, **options: Any) -> Iterator[Page]:
    """`slower`: how many times slower the processor is."""
    context: BrowserContext = browser.new_context(**options)
    context.add_init_script(FRAMES % ("{" + ",".join(f"{json.dumps(k)}: () => {v}" for k, v in wanted.items()) + "}"))
    page = context.new_page()
    if slower != 1:
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    if login:
        context.request.get(login)
    yield page
    context.close()


def medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}


def longest_task(browser: Browser, page: Page, doing: Callable[[], None]) -> tuple[float, float]:
    """ms of the longest task of the page's main thread meanwhile, and ms of processor of the dearest one.

    The first counts what else the machine did as well, the second does not.
    """
    browser.start_tracing(page=page, categories=["toplevel", "disabled-by-default-devtools.timeline", "__metadata"])
    doing()
    events = json.loads(browser.stop_tracing())["traceEvents"]
    names = {
        (event["pid"], event["tid"]) for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }  # fmt: skip
    tasks = [event for event in events if (event["pid"], event["tid"]) in names and "RunTask" in event["name"]]
    lasted, used = (max(task.get(key, 0.0) for task in tasks) / 1000 for key in ("dur", "tdur"))
    return lasted, used
