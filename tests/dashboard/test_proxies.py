"""Behind a real nginx that speaks TLS and has the pages at /gauge/; and what a stranger's headers are worth."""

import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import APIRequestContext, Browser

from dashboard.proxies import USER, Network, Proxied
from tests.dashboard import situations
from tests.dashboard.browsing import Window, served
from tests.dashboard.oddities import acquainted
from tests.dashboard.test_hardening import PASSWORD
from tests.dashboard.test_login import enter
from tests.dashboard.test_pages import PATHS, SITE
from tests.dashboard.world import World
from tests.lab.servers import Nginx

LOOPBACK = (ip_network("127.0.0.0/8"),)
LOCATION = """
    location /gauge/ {{
      proxy_pass {upstream}/;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Prefix /gauge;
      proxy_set_header X-Remote-User $arg_as;
    }}
  }}
}}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = situations.full(tmp_path_factory.mktemp("behind"))
    acquainted(world)
    world.proxies, world.user_header = LOOPBACK, "X-Remote-User"
    world.__post_init__()
    return world


@pytest.fixture(scope="module")
def front(world: World) -> Iterator[str]:
    """The address at which people reach the pages."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="raingauge-front-")))
        folder.chmod(0o755)  # for nginx's own user
        both = folder / "both.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", "/CN=localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
        both.write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
        nginx = Nginx(folder, status=False, certificate=both)
        upstream = stack.enter_context(served(world))
        text = nginx.configuration.read_text().rstrip().removesuffix("}").rstrip().removesuffix("}")
        nginx.configuration.write_text(text + LOCATION.format(upstream=upstream))
        stack.enter_context(nginx)
        yield f"https://127.0.0.1:{nginx.tls_port}/gauge"


@pytest.fixture
def stranger(browser: Browser) -> Iterator[APIRequestContext]:
    context = browser.new_context(ignore_https_errors=True)
    yield context.request
    context.close()


@pytest.fixture
def visitor(stranger: APIRequestContext, world: World, front: str) -> APIRequestContext:
    """Logged in."""
    answer = stranger.get(f"{front}/login?key={world.access.create_login(world.now)}", max_redirects=0)
    assert answer.headers["location"] == "/gauge/"
    assert all(flag in answer.headers["set-cookie"] for flag in ("Secure", "Path=/gauge"))
    return stranger


@pytest.mark.servers
def test_every_link_of_a_page_stays_below_the_prefix(visitor: APIRequestContext, front: str) -> None:
    for path in (*PATHS, SITE):
        links = re.findall(
            r'\b(?:href|src|action|formaction|data-plotly)="(/[^"]*)"', visitor.get(f"{front}{path}").text()
        )
        assert len(links) > 20, path
        assert [link for link in links if not link.startswith("/gauge/")] == [], path


@pytest.mark.servers
def test_forms_and_redirects_work_below_the_prefix(visitor: APIRequestContext, front: str) -> None:
    page = visitor.get(f"{front}/settings/users").text()
    form = {"csrf_token": re.findall(r'csrf_token" value="([^"]+)', page)[0], "what": "role", "role": "viewer"}
    answer = visitor.post(f"{front}/settings/users/kim", form=form, headers={"Referer": f"{front}/settings/users"})
    assert (answer.status, urlsplit(answer.url).path) == (200, "/gauge/settings/users")
    assert "kim is viewer now." in answer.text()
    foreign = visitor.post(f"{front}/settings/users/kim", form=form, headers={"Referer": "https://evil.example/"})
    assert foreign.status == 400
    wall = visitor.post(f"{front}/settings/tokens", form={**form, "what": "wall", "name": "hall"},
                        headers={"Referer": f"{front}/settings/tokens"}).text()  # fmt: skip
    assert f"{front}/wall/" in wall


@pytest.mark.servers
def test_a_browser_gets_charts_and_live_updates_below_the_prefix(browser: Browser, world: World, front: str) -> None:
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    opened = Window(page, front)
    page.on("console", lambda message: opened.said.extend([message.text] if message.type == "error" else ()))
    page.on("pageerror", lambda error: opened.said.append(str(error)))
    page.on("response", lambda answer: opened.said.extend([answer.url] if answer.status >= 400 else ()))
    opened.open(f"/login?key={world.access.create_login(world.now)}&next=/trends")
    opened.loaded()
    opened.open("/explore?q=up")
    opened.wait("() => Page.data !== null")
    with page.expect_response(lambda answer: "/gauge/api/v1/label/__name__/values" in answer.url):
        page.fill("form.ask input[name=q]", "rat")
        page.type("form.ask input[name=q]", "e")
    opened.open("/")
    opened.wait("() => Page.data !== null")
    world.now += 10
    with page.expect_response(lambda answer: urlsplit(answer.url).path == "/gauge/" and answer.status == 200):
        page.evaluate("Page.refresh({ tick: true })")
    world.now -= 10
    assert opened.said == []
    context.close()


@pytest.mark.servers
def test_a_user_whom_the_proxy_names_has_the_role_that_is_theirs(stranger: APIRequestContext, front: str) -> None:
    for name, words in (("ada", "You are ada, with the role admin."), ("new", "You are new, with the role viewer.")):
        assert words in stranger.get(f"{front}/settings?as={name}", headers={"X-Remote-User": "ada"}).text()
    answer = stranger.get(f"{front}/alerts?name=x", max_redirects=0)
    assert answer.headers["location"] == "/gauge/login?next=/alerts?name%3Dx"


def test_what_others_than_the_proxies_say_is_not_heard(tmp_path: Path) -> None:
    world = World(tmp_path, password="correct horse", proxies=[ip_network("10.0.0.0/8")], user_header="X-Remote-User")
    said = {"X-Remote-User": "ada", "X-Forwarded-Prefix": "/evil", "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}  # fmt: skip
    stranger = world.stranger()
    answer = stranger.get("/settings", headers=said)
    assert answer.location == "/login?next=/settings"
    assert "Secure" not in stranger.get("/login", headers=said).headers["Set-Cookie"]
    stranger.get("/login?key=wrong", headers=said)
    known = stranger.get("/login?key=wrong", headers=said, environ_overrides={"REMOTE_ADDR": "10.1.2.3"})
    assert 'src="/evil/' in known.text or 'href="/evil/' in known.text
    assert [entry.address for entry in world.access.audit.newest(5)][-1] == "127.0.0.1"


SAYS = {"HTTP_X_REMOTE_USER": "ada", "HTTP_X_FORWARDED_PREFIX": "/evil", "HTTP_X_FORWARDED_HOST": "evil.example",
        "HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_PORT": "1", "HTTP_FORWARDED": "for=192.0.2.1",
        "HTTP_X_FORWARDED_FOR": "203.0.113.66, 192.0.2.1"}  # fmt: skip


def heard(address: str, user: str = "ada", proxies: Sequence[Network] = (ip_network("10.0.0.0/8"),)) -> dict[str, Any]:
    """What the application gets to see of a request from there that says all that a proxy can."""
    seen: dict[str, Any] = {}
    application = Proxied(lambda environ, _start: seen.update(environ) or (), proxies, "X-Remote-User")
    application({"REMOTE_ADDR": address, "HTTP_HOST": "gauge", **SAYS, "HTTP_X_REMOTE_USER": user}, lambda *_: None)
    return seen


@pytest.mark.parametrize(
    "address", ["192.0.2.1", "11.0.0.1", "", "unix:", "10.0.0.1, 192.0.2.1", "10.0.0", "::1", "::a00:1"]
)
def test_nothing_of_a_proxy_is_left_of_who_is_none(address: str) -> None:
    assert heard(address) == {"REMOTE_ADDR": address, "HTTP_HOST": "gauge"}


def test_of_a_proxy_its_own_words_count_and_not_those_that_came_to_it() -> None:
    seen = heard("10.1.2.3", "J\xc3\xb6rg")
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"], seen["HTTP_HOST"], seen["SCRIPT_NAME"], seen[USER]) == (
        "192.0.2.1", "https", "evil.example:1", "/evil", "J\xf6rg",
    )  # fmt: skip
    assert "HTTP_X_REMOTE_USER" not in seen


def test_without_proxies_nobody_is_one() -> None:
    for address in ("127.0.0.1", "::1", "10.1.2.3"):
        assert heard(address, proxies=()) == {"REMOTE_ADDR": address, "HTTP_HOST": "gauge"}


@pytest.mark.parametrize(
    ("told", "again"),
    [
        ("192.0.2.7:4711", "192.0.2.7:4712"), ("[2001:db8::1]:443", "2001:db8::2"), ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unknown", "_hidden"), ("2001:db8::1%eth0", "2001:db8::1"), ("", "0"),
    ],
)  # fmt: skip
def test_tries_are_counted_whatever_a_proxy_tells_of_the_address(tmp_path: Path, told: str, again: str) -> None:
    world = World(tmp_path, password=PASSWORD)
    for _ in range(10):
        assert enter(world.stranger(), "wrong", told)[0] == 403
    assert enter(world.stranger(), PASSWORD, again)[0] == 429
    assert enter(world.stranger(), PASSWORD, "::ffff:192.0.2.8")[0] == 302


def test_a_session_counts_before_the_name_that_a_proxy_tells(tmp_path: Path) -> None:
    world = World(tmp_path)
    for name in ("kim", "ada"):
        world.access.users.add(name, PASSWORD, "admin", world.now)
    by_proxy = {USER: "ada"}
    assert "You are kim, " in world.as_user("kim").get("/settings", environ_overrides=by_proxy).text
    long_name = world.stranger().get("/settings", environ_overrides={USER: "n" * 9999}).text
    assert f"You are {'n' * 64}, " in long_name
