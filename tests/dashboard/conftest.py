"""One Chromium for all tests of the pages, a host in trouble to look at, and one zone wherever the tests run."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.dashboard import situations
from tests.dashboard.browsing import PHONE, Window, chromium, served, window
from tests.dashboard.world import World


@pytest.fixture(scope="package", autouse=True)
def zone() -> Iterator[None]:
    """The host's: what pages say is in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(scope="package")
def browser(zone: None) -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="package")
def troubled_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    """Not to be changed."""
    world = situations.trouble(tmp_path_factory.mktemp("trouble"))
    with served(world) as base:
        yield world, base


@pytest.fixture
def desk(browser: Browser, troubled_host: tuple[World, str]) -> Iterator[Window]:
    with window(browser, *troubled_host) as opened:
        yield opened


@pytest.fixture
def phone(browser: Browser, troubled_host: tuple[World, str]) -> Iterator[Window]:
    with window(browser, *troubled_host, viewport=PHONE, has_touch=True, is_mobile=True) as opened:
        yield opened
