"""What attackers try: forms of other sites, fixed sessions, links that lead away, markup in all that is shown."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import patch

import pytest

from alerts import silences
from alerts.matchers import Matcher
from alerts.silences import Silence
from collectors.model import Event, Finding
from dashboard.services import Written
from history.audit import Entry
from tests.dashboard import scene, situations
from tests.dashboard.oddities import acquainted
from tests.dashboard.situations import status
from tests.dashboard.test_login import csrf, enter
from tests.dashboard.test_pages import PATHS, SITE
from tests.dashboard.test_rights import routes
from tests.dashboard.world import NOW, World

PASSWORD = "correct horse battery staple"
AWAY = (
    "//evil.example", "///evil.example", "////evil.example", "https://evil.example", "http:evil.example",
    "/\\evil.example",
    "\\\\evil.example", "\\/evil.example", "evil.example", "javascript:alert(1)", "data:text/html,x", " //evil.example",
    "\t//evil.example", "/\t/evil.example", "/\n/evil.example", "//evil.example/%2e%2e", "https:/evil.example",
    "@evil.example", "//evil.example@127.0.0.1", "/\x00/evil.example", "//google.com/%2f..", "%2f%2fevil.example",
)  # fmt: skip
MARKUP = (
    "<script>alert(1)</script>", "<ScRiPt src=//evil.example></sCrIpT>", "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>", "<svg><script>alert(1)</script></svg>", "\"><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>", "\" onmouseover=alert(1) x=\"", "' onfocus=alert(1) autofocus x='",
    "</title><script>alert(1)</script>", "</textarea><script>alert(1)</script>", "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>", "<iframe src=javascript:alert(1)>", "<a href=javascript:alert(1)>x</a>",
    "javascript:alert(1)", "{{ 7*7 }}<b>x", "<math><mi xlink:href=\"javascript:alert(1)\">",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=\"0;url=//evil.example\">", "<form action=//evil.example><button>x",
    "<style>*{display:none}</style>", "`<details open ontoggle=alert(1)>`", "\u003cscript\u003ealert(1)",
)  # fmt: skip
assert len(AWAY) >= 20 <= len(MARKUP)
ELEMENTS = ("iframe", "object", "embed", "base", "img", "math", "style", "foreignobject", "animate", "video", "audio")


@pytest.mark.parametrize("target", AWAY)
def test_next_leads_nowhere_else_after_each_way_in(target: str, locked: World) -> None:
    link = {"key": locked.access.create_login(locked.now), "next": target}
    client = locked.stranger()
    for answer in (client.get("/login", query_string=link), client.get("/login", query_string={"next": target})):
        assert answer.location == "/"
    assert f'value="{target}"' not in locked.stranger().get("/login", query_string={"next": target}).text


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("locked"), password=PASSWORD)


def test_every_post_needs_the_token_of_our_own_page(locked: World) -> None:
    client = locked.client()
    others = locked.client()
    with others.session_transaction() as session:
        session["csrf_token"] = "theirs"
    for endpoint, method, path in routes(locked):
        if method != "GET":
            for form in ({}, {"csrf_token": "x"}, {"csrf_token": ""}):
                assert client.open(path, method=method, data=form).status_code == 400, endpoint
    assert client.get("/settings").status_code == 200  # nothing ended the session


def test_a_session_that_was_there_before_the_login_is_worth_nothing_after_it(locked: World) -> None:
    attacker, victim = locked.stranger(), locked.stranger()
    csrf(attacker)
    planted = attacker.get_cookie("raingauge_session")
    assert planted is not None
    victim.set_cookie("raingauge_session", planted.value)
    token = csrf(victim)
    assert victim.post("/login", data={"csrf_token": token, "password": PASSWORD}).status_code == 302
    changed = victim.get_cookie("raingauge_session")
    assert changed is not None
    assert changed.value != planted.value
    assert attacker.get("/settings").status_code == 302
    mine = locked.access.sessions.open(locked.now, "nobody")  # a session of a user who is not there
    with attacker.session_transaction() as session:
        session["sid"] = mine
    assert attacker.get("/settings").status_code == 302


class Tags(HTMLParser):
    """What a browser would make of a page, as far as it could run anything."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.wrong += [f"<{tag}>"] if tag in ELEMENTS else []
        given = dict(attrs)
        if tag == "script" and not (given.get("src") or "").startswith("/static/"):
            self.wrong.append("<script>")
        if tag == "meta" and "http-equiv" in given:
            self.wrong.append("<meta>")
        for name, value in attrs:
            if name.startswith("on") or name in ("style", "srcdoc"):
                self.wrong.append(f"{tag} {name}")
            if name in ("href", "src", "action", "formaction") and not (value or "").startswith(("/", "?", "#")):
                self.wrong.append(f"{tag} {name}={value}")
            if (value or "").startswith("//") and name in ("href", "src", "action", "formaction"):
                self.wrong.append(f"{tag} {name}={value}")


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Every text that comes from outside is markup: log lines, labels, annotations, comments, names."""
    world = situations.full(tmp_path_factory.mktemp("poisoned"))
    first = world.alerting.found[0]
    alerts = []
    for number, text in enumerate(MARKUP):
        labels = {**first.labels, "pool": text, "site": text, "instance": text, "number": str(number)}
        alerts.append(replace(first, labels=labels, annotations=dict.fromkeys(first.annotations, text)))
        evidence = ({"request": text, "line": text, text: text},)
        for kind in ("security.probe", "deploy", "drupal.watchdog"):
            world.events.record(
                Event(f"{kind}:{number}", kind, "critical", text, text, NOW - 60, NOW - 60, 1, text, evidence)
            )
        world.access.audit.note(Entry(NOW, text, text, text))
        world.access.sessions.open(NOW, text, address=text, agent=text)
        world.access.walls.create(text, NOW)
        world.access.create_token("read", NOW, text)
        matchers = (Matcher("host", "=", text),)
        silences.post(world.engine, Silence(matchers, NOW, NOW + 600, text, text), NOW)
    world.alerting.found = [*alerts, *world.alerting.found]
    situations.fire(world)
    silences.acknowledge(world.engine, alerts[0], MARKUP[0], now=NOW, until=NOW + 60, comment=MARKUP[1])
    world.watched.found = [Finding("mysql", text, text, text) for text in MARKUP]
    world.watched.unseen = MARKUP
    refused = [replace(status(scene.NGINX, "denied", text), found=text, remedy=text) for text in MARKUP]
    world.watched.statuses = [*refused, *world.watched.statuses]
    acquainted(world)
    written = tuple(Written(text, text, text) for text in MARKUP)
    world.services = replace(world.services, host=MARKUP[0], version=MARKUP[5], written=written)
    world.app.extensions["raingauge"] = world.services
    return world


@pytest.mark.parametrize("path", [*PATHS, SITE, "/login", "/nothing"])
def test_markup_from_outside_is_text_on_every_page(poisoned: World, path: str) -> None:
    tags = Tags()
    text = poisoned.client().get(path).get_data(as_text=True)
    tags.feed(text)
    assert tags.wrong == []
    assert not [markup for markup in MARKUP if "<" in markup and markup in text]


@pytest.mark.parametrize(
    "path", ["/alerts?name=", "/explore?q=", "/site/", "/login?next=", "/security?site=", "/runbooks/"]
)
def test_markup_in_an_address_is_text(poisoned: World, path: str) -> None:
    client = poisoned.client()
    for markup in MARKUP:
        tags = Tags()
        at, _, name = path.partition("?")
        answer = client.get(at, query_string={name[:-1]: markup}) if name else client.get(f"{at}{markup}")
        tags.feed(answer.get_data(as_text=True))
        assert tags.wrong == [], markup


def test_a_user_whom_the_proxy_names_is_text_too(poisoned: World) -> None:
    for markup in MARKUP:
        client, tags = poisoned.stranger(), Tags()
        text = client.get("/settings", environ_overrides={"raingauge.user": markup}).text
        tags.feed(text)
        assert (tags.wrong, "You are " in text) == ([], True)


def test_passwords_are_guessed_slowly_for_one_name_from_many_addresses_too(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.access.users.add("kim", PASSWORD, "viewer", world.now)
    with patch("history.users.fits", return_value=False):
        for number in range(50):
            for name in ("kim", "nobody"):
                assert enter(world.stranger(), "wrong", f"192.0.2.{number}", name=name)[0] == 403
    for name in ("kim", "KIM", "nobody"):
        status_, text = enter(world.stranger(), PASSWORD, "198.51.100.1", name=name)
        assert (status_, "Too many wrong passwords. Try again in" in text) == (429, True)


def test_others_do_not_use_up_the_tries_of_a_browser_that_was_in_before(tmp_path: Path) -> None:
    """Else whoever goes on guessing from enough addresses keeps its user out."""
    world = World(tmp_path)
    world.access.users.add("kim", PASSWORD, "admin", world.now)
    mine, theirs = world.stranger(), world.stranger()
    assert enter(mine, PASSWORD, name="kim")[0] == 302
    known = mine.get_cookie("raingauge_known")
    assert known is not None
    assert (known.http_only, known.same_site, known.path) == (True, "Strict", "/")
    mine.delete_cookie("raingauge_session")
    theirs.set_cookie("raingauge_known", f"{known.value[:-3]}xxx")
    with patch("history.users.fits", return_value=False):
        for number in range(50):
            assert enter(theirs, "wrong", f"192.0.2.{number}", name="kim")[0] == 403
    assert enter(theirs, PASSWORD, "198.51.100.1", name="kim")[0] == 429
    assert enter(mine, PASSWORD, "198.51.100.2", name="kim")[0] == 302
    mine.delete_cookie("raingauge_session")
    with patch("history.users.fits", return_value=False):
        for number in range(50):
            enter(mine, "wrong", f"192.0.2.{number}", name="kim")
    assert enter(mine, PASSWORD, "198.51.100.3", name="kim")[0] == 429  # it has no more tries than others
    world.access.users.add("ada", PASSWORD, "admin", world.now)
    assert enter(mine, PASSWORD, "198.51.100.4", name="ada")[0] == 302


def test_refused_links_do_not_push_everything_else_out_of_the_audit_log(locked: World) -> None:
    before = len(locked.access.audit.newest(1000))
    answers = [
        locked.stranger().get("/login?key=x", environ_overrides={"REMOTE_ADDR": "203.0.113.9"}) for _ in range(40)
    ]
    assert [answer.status_code for answer in answers] == [403] * 20 + [429] * 20
    assert "Too many wrong links." in answers[-1].text
    assert len(locked.access.audit.newest(1000)) == before + 20
    assert locked.stranger().get("/login", environ_overrides={"REMOTE_ADDR": "203.0.113.9"}).status_code == 200


def test_what_every_page_tells_the_browser(locked: World) -> None:
    answer = locked.client().get("/settings")
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    tls = locked.stranger().get("/login", base_url="https://gauge.example.org")
    cookie = tls.headers["Set-Cookie"]
    assert all(flag in cookie for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
