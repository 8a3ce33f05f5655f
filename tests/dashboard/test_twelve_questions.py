"""What is asked at night: from a message's link, at most two taps on a phone, the answer is there in words."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator

from tests.dashboard import situations
from tests.dashboard.browsing import PHONE, Window, served, window
from tests.dashboard.world import World

pytestmark = pytest.mark.servers

MOST_TAPS = 2
QUESTIONS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("down", ("#down summary",),
     r"In part: 2 of 3 checks get no answer, for 1\d min\..*shop\.example.* answers in 3\.\d+.s"),
    ("where", ("#where summary",),
     r"A third party is suspected: .* for a server elsewhere.*PHP shop: 40 of 40 busy.*in trouble.*cache"),
    ("changes", (), r"PHP-FPM was restarted\s*\d min before it began"),
    ("workers", ("#workers summary",),
     r"pool shop is full\. They wait for the database: 2\d statements.* in PDOStatement.*curl_exec.*elsewhere"),
    ("database", ("#database summary",), r"Rather a victim: .*take long.*running statements: 24, usually 2"),
    ("routes", (), r"node takes most time.*fails most often"),
    ("visitors", (), r"Mostly people: 60.% of .*attacks: Web shell"),
    ("caches", ("#caches summary",),
     r"Yes: Page cache fell first, 19 min ago.*Page cache: 31.% answered, usually 84.%"),
    ("stalled", ("#stalled summary",), r"Yes: shop\.example\.org: cron 5 h .*queues 1\d\d wait"),
    ("exposed", ("#exposed summary",), r"Possibly compromised: Web shell.*updates 1 for security"),
    ("runs-out", ("#runs-out summary",), r"Error budget shop, in 21 h.*Disk /: in .* left"),
    ("bed", ("#bed summary",), r"Not yet: nobody has it.*not back yet.*budget shop: 6.% left"),
    # A tap elsewhere there is more of it.
    ("fell-first", ("#caches .link",), r"Page cache fell first"),
    ("evidence", ("#exposed .link",), r"sites/default/files/x\.php"),
    ("dates", ("#runs-out .link",), r"What will run out.*Certificate of .*20\d\d-\d\d-\d\d"),
    ("stacks", ("#workers .link",), r"PDOStatement->execute.*pool shop"),
)  # fmt: skip


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> World:
    return situations.broken(tmp_path_factory.mktemp("broken"))


@pytest.fixture(scope="module")
def opened(browser: Browser, broken: World) -> Iterator[Window]:
    with served(broken) as base, window(browser, broken, base, viewport=PHONE, has_touch=True) as opened:
        yield opened


@pytest.mark.parametrize(("name", "taps", "words"), QUESTIONS, ids=[each[0] for each in QUESTIONS])
def test_the_answer_is_there(opened: Window, name: str, taps: tuple[str, ...], words: str) -> None:
    assert len(taps) < MOST_TAPS  # the first one is the message's link
    opened.open("/incidents/1")
    for tap in taps:
        opened.page.tap(tap)
        opened.page.wait_for_load_state()
    place = opened.page.locator("main" if ".link" in "".join(taps) else f"#{name}")
    place.wait_for()
    assert re.search(words, " ".join(place.inner_text().split())), place.inner_text()
    assert opened.width() <= PHONE["width"]


def test_verdict_and_buttons_are_on_the_first_screen_and_large_enough(opened: Window) -> None:
    opened.open("/incidents/1")
    lead = opened.page.locator("#lead")
    assert "answer 5xx" in lead.inner_text()
    for each in (lead, *opened.page.locator("#verdict .btn").all(), opened.page.locator("#next .cmd")):
        assert bottom(each) <= PHONE["height"]
    for button in opened.page.locator("main button:visible, main .btn:visible").all():
        box = button.bounding_box()
        assert box
        assert box["height"] >= 40, button.inner_text()


def bottom(each: Locator) -> float:
    box = each.bounding_box()
    assert box
    return box["y"] + box["height"]


def test_a_phone_folds_what_is_not_the_answer(opened: Window) -> None:
    opened.open("/incidents/1")
    assert opened.page.evaluate("document.documentElement.scrollHeight") < 4000
    proof = opened.page.locator("#workers .proof")
    assert not proof.is_visible()
    opened.page.tap("#workers summary")
    assert "pool shop: 40 of 40 busy" in proof.inner_text()


@pytest.mark.parametrize("path", ["/incidents/1", "/trends", "/host", "/site/shop.example.org"])
def test_only_a_phone_folds_it(browser: Browser, broken: World, path: str) -> None:
    with served(broken) as base, window(browser, broken, base, java_script_enabled=False) as desk:
        desk.open(path)
        for media in (None, "print"):
            desk.page.emulate_media(media=media)
            assert desk.page.locator(".fold").count() > 0
            assert desk.page.locator(".fold > summary:visible").count() == 0
            for each in desk.page.locator(".fold > :not(summary, .folded)").all():
                assert each.is_visible()


def test_two_taps_take_it_and_the_page_says_who_has_it(browser: Browser, tmp_path: Path) -> None:
    world = situations.broken(tmp_path)
    with served(world) as base, window(browser, world, base, viewport=PHONE, has_touch=True) as opened:
        opened.open("/")
        opened.page.tap("#verdict .btn.pri")
        opened.page.wait_for_url("**/incidents/1")
        opened.page.tap("#verdict button")
        opened.page.wait_for_url("**/incidents/1#people")
        assert "Acknowledged by the dashboard" in opened.page.locator("#verdict").inner_text()
        assert "it is taken, but what moved is not back to usual" in opened.page.locator("#bed").inner_text()
        opened.open("/")
        assert "1 incident, and somebody has it" in opened.page.locator("#lead").inner_text()


def test_it_is_read_without_javascript(browser: Browser, broken: World) -> None:
    with (
        served(broken) as base,
        window(browser, broken, base, viewport=PHONE, java_script_enabled=False) as opened,
    ):
        opened.open("/incidents/1")
        text = opened.page.locator("main").inner_text()
        assert "ss -tnp state established" in text
        assert opened.page.locator("#moved svg.area").count() == 3
