"""Behind a real nginx that speaks TLS and has the pages at /gauge/; and what a stranger's headers are worth."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import APIRequestContext, Browser

from tests.dashboard import situations
from tests.dashboard.browsing import Window, served
from tests.dashboard.oddities import acquainted
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
