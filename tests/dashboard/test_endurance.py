"""A page that is left open: after many ticks neither its heap nor its document has grown."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, CDPSession

from tests.dashboard import situations
from tests.dashboard.browsing import Window, served, window

pytestmark = [pytest.mark.servers, pytest.mark.trials]

TICKS = 8 * int(os.environ.get("RAINGAUGE_TRIALS", "5"))
"""3,000 with TRIALS=375."""
WARM = 40
"""Ticks after which a page has nearly all that it will have: Plotly keeps more for some sixty."""
LABELS, LABEL_BYTES = 10_000, 400
"""So many texts Plotly remembers with their sizes, before it forgets them all; two are new at each of these ticks."""


@pytest.mark.parametrize("path", ["/?from=now-2m&to=now", "/trends?from=now-2m&to=now"])
def test_a_wall_does_not_grow(browser: Browser, tmp_path: Path, path: str) -> None:
    world, more = situations.short(tmp_path)
    with served(world) as base, window(browser, world, base) as wall:
        metrics = wall.page.context.new_cdp_session(wall.page)
        metrics.send("Performance.enable")
        wall.open(path)
        wall.loaded()
        wall.page.evaluate("Page.plan = () => {}")  # ticks come as soon as they are drawn, not each second
        heaps, nodes = [], []
        for tick in range(WARM + TICKS):
            more(1, situations.alerts() if tick % 7 == 0 else ())
            wall.page.evaluate(
                "async () => { await Page.refresh({tick: true}); while (Charts.running) await Charts.running }"
            )
            if tick >= WARM and tick % max(1, TICKS // 20) == 0:
                heap, count = held(metrics, wall)
                heaps.append(heap)
                nodes.append(count)
        assert wall.page.evaluate("Page.failed") == 0
    quarter = max(1, len(heaps) // 4)
    assert max(nodes[-quarter:]) <= max(nodes[:quarter]) * 1.05, nodes
    assert min(heaps[-quarter:]) <= min(heaps[:quarter]) * 1.1 + 500_000 + min(LABELS, 2 * TICKS) * LABEL_BYTES, heaps


def held(metrics: CDPSession, wall: Window) -> tuple[float, float]:
    """Bytes and nodes that the page holds once the garbage is gone."""
    metrics.send("HeapProfiler.collectGarbage")
    found = {each["name"]: each["value"] for each in metrics.send("Performance.getMetrics")["metrics"]}
    wall.asked.clear()
    return found["JSHeapUsedSize"], found["Nodes"]
