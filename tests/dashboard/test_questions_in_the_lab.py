"""The same questions over real servers in real trouble: the message's link is opened, and what it says is true."""

import contextlib
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.alerts.receiver import Receiver
from tests.dashboard.browsing import PATIENCE, PHONE
from tests.lab.ports import free_port, wait_until
from tests.lab.process import Raingauge
from tests.lab.prometheus import ask
from tests.lab.shop import SITE, Shop, shop
from tests.lab.traffic import Traffic
from tests.lab.weblogs import ask as request

pytestmark = pytest.mark.servers

HOST = "web1"
PEOPLE = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
PAGES = ("/", "/node/1", "/node/2", "/blog?queries=20", "/cart", "/search")
VISITORS = 8
GUESSES = 15
READ = (
    "mysql_up == 1 and on (host) redis_up == 1 and on (host) phpfpm_up == 1 and on (host) nginx_up == 1"
    f' and on (host) drupal_up{{instance="{SITE}"}} == 1 and on (host) count by (host) (probe_success == 1) == 2'
    ' and on (host) sum by (host) (rate(web_requests_total{status="2xx"}[1m])) > 1'
)
"""Everything was read, and the log twice."""


@dataclass(frozen=True)
class Situation:
    begin: Callable[[Shop, Raingauge], contextlib.AbstractContextManager[None]]
    """Entering breaks it; leaving mends it."""
    alert: str
    """Of whose message the link is taken."""
    answers: Mapping[str, str]
    """By place on the page; what is seen there without a further tap."""


@dataclass(frozen=True)
class Night:
    situation: Situation
    message: Mapping[str, Any]
    page: Page
    """Of a phone on which somebody is logged in."""

    def link(self, label: str) -> str:
        return next(str(each["url"]) for each in self.message["actions"] if each["label"] == label)

    def unsaid(self, wanted: Mapping[str, str]) -> Mapping[str, str]:
        """What the page says instead."""
        self.page.goto(self.link("Incident"))
        read = {place: " ".join(self.page.locator(place).inner_text().split()) for place in wanted}
        return {place: read[place] for place, words in wanted.items() if not re.search(words, read[place])}

    def says(self, wanted: Mapping[str, str]) -> None:
        """In two minutes at most: what is measured comes in by and by."""
        missing: list[Mapping[str, str]] = []

        def all_is_said() -> bool:
            missing.append(self.unsaid(wanted))
            return not missing[-1]

        with contextlib.suppress(AssertionError):
            wait_until(all_is_said, 120, "")
        assert missing[-1] == {}


@contextmanager
def visitors(lab: Shop, path: str) -> Iterator[None]:
    """More at a time than there are workers; what they left waiting is let go at the end."""
    with contextlib.ExitStack() as all_of_them:
        for _ in range(VISITORS):
            all_of_them.enter_context(Traffic(lab.nginx.url, 1, 600, (path,), PEOPLE))
        yield
        lab.php.stop()
    lab.php.start()


@contextmanager
def a_server_elsewhere_hangs_after_a_deploy(lab: Shop, running: Raingauge) -> Iterator[None]:
    running.says("event", "add", "--kind", "deploy", "--title", "Release 42", "--site", SITE)
    with visitors(lab, "/checkout?api=1"):
        yield


@contextmanager
def a_table_is_locked_and_cron_is_late(lab: Shop, _: Raingauge) -> Iterator[None]:
    lab.state("system.cron_last", int(time.time()) - 13 * 3600)
    lab.mariadb.sql(
        "INSERT INTO drupal.queue SELECT seq, 'mailer', 'x', 0, UNIX_TIMESTAMP() - 259200 FROM lab.seq_1_to_3000"
    )
    mysql = ["mariadb", "--no-defaults", f"--socket={lab.mariadb.socket}", f"--user={lab.mariadb.user}"]
    words = [*mysql, "-e", "LOCK TABLES lab.node WRITE; SELECT SLEEP(300)"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(words, stdout=quiet, stderr=quiet) as holder, visitors(lab, "/node/7"):
        yield
        held = lab.mariadb.sql("SELECT id FROM information_schema.processlist WHERE info = 'SELECT SLEEP(300)'")
        lab.mariadb.sql(f"KILL {held}")  # the server would sleep on for a client that is gone
        holder.wait()


@contextmanager
def somebody_breaks_in_and_a_cache_is_down(lab: Shop, _: Raingauge) -> Iterator[None]:
    lab.redis.stop()
    for _guess in range(GUESSES):
        request(lab.nginx.port, SITE, "/user/login", PEOPLE, "POST")
    lab.upload("x.php", "<?php echo 'uid=33(www-data)';")
    assert request(lab.nginx.port, SITE, "/sites/default/files/x.php?cmd=id", PEOPLE) == 200
    yield
    lab.redis.start()


OUTSIDE = Situation(a_server_elsewhere_hangs_after_a_deploy, "FpmPoolExhausted", {
    "#down": r"Yes, for everybody: no check gets an answer, for \d+ (s|min)",
    "#where": r"A third party is suspected: .* wait for a server elsewhere, 127\.0\.0\.2:\d+",
    "#changes": rf"Release 42, {SITE} .* before it began",
    "#workers": r"Yes: pool shop is full\. They wait for a server elsewhere: 127\.0\.0\.2:\d+ \(\d workers\)",
    "#database": r"Neither: it works as usual",
    "#routes": r"checkout takes most time, .* each; checkout fails most often",
    "#visitors": r"Mostly people: .* no attack is seen",
    "#caches": r"No: each cache answers as often as usual",
    "#stalled": r"No: .*cron \d+ min ago",
    "#exposed": r"Nothing in the last day that needs a look",
    "#runs-out": rf"Certificate of https://{SITE}:\d+/, in 4 d",
    "#bed": r"Not yet: nobody has it",
})  # fmt: skip
LOCKED = Situation(a_table_is_locked_and_cron_is_late, "FpmPoolExhausted", {
    "#where": r"At the origin: .*database in trouble",
    "#workers": r"They wait for the database: \d+ statements run, \d+ of them waiting for table m.* lock(?!.*fread)",
    "#database": r"The cause, as far as is known: Statements of the database .* take long",
    "#stalled": r"Yes: .*cron 13 h ago; .*queues 3 k wait, the oldest for 3 d",
})  # fmt: skip
ATTACK = Situation(somebody_breaks_in_and_a_cache_is_down, "ExploitLikelySucceeded", {
    "#workers": r"No: every pool has free workers",
    "#visitors": r"and attacks: ",
    "#caches": r"Yes: Redis does not answer",
    "#exposed": r"Possibly compromised.*web shell",
})  # fmt: skip


@pytest.fixture(scope="module")
def lab() -> Iterator[Shop]:
    with shop(days=5) as made, Traffic(made.nginx.url, 10, 600, PAGES, PEOPLE):
        yield made


@pytest.fixture(scope="module", params=[OUTSIDE, LOCKED, ATTACK], ids=lambda each: each.begin.__name__)
def night(
    request: pytest.FixtureRequest, lab: Shop, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Night]:
    """Woken by the message."""
    situation: Situation = request.param
    port = free_port()
    with Receiver() as receiver:
        channel = f"ntfy: {{phone: {{url: 'http://{urlsplit(receiver.url).netloc}', topic: night}}}}"
        configuration = (
            f"host: {HOST}\ninterval: 2s\ndiscovery: false\nexternal_url: http://127.0.0.1:{port}\n"
            f"targets: {lab.targets(HOST)}\nnotify: {{{channel}, route: {{receiver: phone, group_wait: 1s}}}}\n"
        )
        state = tmp_path_factory.mktemp("state")
        with Raingauge(state, configuration, dashboard_listen=f"127.0.0.1:{port}") as running:
            wait_until(
                lambda: ask(running.dashboard, "query", running.token(), query=READ)[1]["data"]["result"],
                60, "all is read",
            )  # fmt: skip
            with situation.begin(lab, running), phone(browser) as page:
                page.goto(running.login)
                yield Night(situation, told(receiver, situation.alert), page)


@contextmanager
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": PHONE["width"], "height": PHONE["height"]}, has_touch=True)
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def told(receiver: Receiver, alert: str) -> dict[str, Any]:
    """The first message of that alert; others are passed over."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        message = receiver.bodies.get(timeout=max(0.1, end - time.monotonic()))
        if message["title"].startswith(f"{alert} "):
            return message
    raise AssertionError(f"nobody was told of {alert}")


def test_the_answers_are_true(night: Night) -> None:
    assert night.message["click"] == night.link("Incident"), "a tap on the message opens it"
    night.says(night.situation.answers)
    assert night.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_whoever_has_the_message_takes_it_in_two_taps(night: Night, browser: Browser) -> None:
    with phone(browser) as stranger:
        stranger.goto(night.link("Acknowledge or silence"))
        stranger.tap("main button")
        stranger.get_by_text("acknowledged: nobody is told again").wait_for()
    night.page.goto(night.link("Acknowledge or silence"))
    night.page.tap("main a.btn")
    night.page.wait_for_url("**/incidents/*")
    assert night.unsaid({"#bed": r"Not yet: "}) == {}
