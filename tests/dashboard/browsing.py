"""A real browser over a World: one for a module, a window for each test that minds what the page does wrong."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.dashboard.world import World

OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
COMPLAINTS = ("error", "warning")
PATIENCE = 120_000
"""Milliseconds that a busy machine may take for anything in a page."""
PHONE: ViewportSize = {"width": 390, "height": 844}


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        yield browser
        browser.close()


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Nothing: the test says what it asks."""


@contextmanager
def served(world: World) -> Iterator[str]:
    """The address of the world's dashboard."""
    server = make_server("127.0.0.1", 0, world.app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Window:
    page: Page
    base: str
    said: list[str] = field(default_factory=list)
    """Errors and warnings of the console, broken policies among them, and of scripts."""
    asked: list[str] = field(default_factory=list)
    """Addresses of all requests."""

    def open(self, path: str) -> None:
        self.page.goto(f"{self.base}{path}")

    def wait(self, condition: str) -> None:
        """Until the expression is true in the page."""
        self.page.wait_for_function(condition)

    def loaded(self) -> None:
        """Until the page's data is there and every chart in view is Plotly's."""
        self.wait("() => Page.data !== null && !Charts.running")
        self.wait(
            "() => { const near = Charts.figures().filter(f => f.dataset.near && f.querySelector('.pl[tabindex]'));"
            " return near.length && near.every(f => f.querySelector('.pl.up')) }"
        )

    @property
    def query(self) -> dict[str, str]:
        """Of the page's address."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.page.url).query).items()}

    def width(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth"))


@contextmanager
def window(browser: Browser, world: World, base: str, *, known: bool = True, **options: Any) -> Iterator[Window]:
    """Logged in; at its end nothing was complained about and nobody else was asked for anything."""
    context = browser.new_context(**{"viewport": DESKTOP, **options})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    opened = Window(page, base)
    page.on("console", lambda message: opened.said.extend([message.text] if message.type in COMPLAINTS else ()))
    page.on("pageerror", lambda error: opened.said.append(str(error)))
    page.on("request", lambda request: opened.asked.append(request.url))
    if known:
        secret = world.access.create_login(world.now)
        context.request.get(f"{base}/login?key={secret}")
    yield opened
    context.close()
    assert opened.said == []
    assert {urlsplit(url).netloc for url in opened.asked if not url.startswith("data:")} <= {urlsplit(base).netloc}
