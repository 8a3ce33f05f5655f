"""Who may see the pages and ask the API, and what a stranger is told."""

import logging
from pathlib import Path

import pytest
from flask import Blueprint
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from hypothesis import given
from hypothesis import strategies as st

from dashboard import pages, rights
from dashboard.login import local_path, login_url
from dashboard.pages import overview
from history.access import LOGIN_SECONDS, Scope
from history.sessions import SESSION_SECONDS
from tests.dashboard.world import World

PASSWORD = "correct horse battery staple"
JSON = {"Accept": "application/json"}
QUERY = "/api/v1/query?query=1"


@pytest.fixture(autouse=True)
def a_page_with_a_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is its form's CSRF token; the form answers `changed`. And a part of the API that changes something."""
    page, later = Blueprint("probed", __name__), Blueprint("later", __name__, url_prefix="/api/v9")
    page.add_url_rule("/probed", "read", generate_csrf)
    page.add_url_rule("/probed", "change", lambda: "changed", methods=["POST"])
    later.add_url_rule("/silence", "silence", lambda: "silenced", methods=["POST"])
    monkeypatch.setattr(pages, "PAGES", (page, later, overview.blueprint))
    listed = {"probed.read": "viewer", "probed.change": "viewer", "later.silence": "responder"}
    monkeypatch.setattr(rights, "LEAST", {**rights.LEAST, **listed})
    monkeypatch.setattr(rights, "BY_TOKEN", (*rights.BY_TOKEN, "later."))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def locked(tmp_path: Path) -> World:
    """With a password."""
    return World(tmp_path, password=PASSWORD)


def csrf(client: FlaskClient) -> str:
    """Of the login's form."""
    return client.get("/login").text.partition('name="csrf_token" value="')[2].partition('"')[0]


def enter(client: FlaskClient, password: str, address: str = "127.0.0.1", **more: str) -> tuple[int, str]:
    form = {"csrf_token": csrf(client), "password": password, **more}
    answer = client.post("/login", data=form, environ_overrides={"REMOTE_ADDR": address})
    return answer.status_code, answer.location or answer.text


def is_in(client: FlaskClient) -> bool:
    return client.get("/probed").status_code == 200


def test_a_stranger_is_sent_to_the_login_whatever_is_asked(world: World) -> None:
    client = world.stranger()
    answer = client.get("/probed?from=now-1h&to=now")
    assert (answer.status_code, answer.location) == (302, "/login?next=/probed?from%3Dnow-1h%26to%3Dnow")
    assert client.get("/nothing").location == "/login?next=/nothing"
    assert client.get("/").location == client.post("/probed").location == "/login"


@pytest.mark.parametrize(("path", "headers"), [(QUERY, {}), ("/api/v1/nothing", {}), ("/probed", JSON)])
def test_a_program_without_token_is_told_how_to_get_one(world: World, path: str, headers: dict[str, str]) -> None:
    answer = world.stranger().get(path, headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="raingauge"')
    assert answer.json == {
        "status": "error",
        "errorType": "unauthorized",
        "error": "log in, or send a token of `raingauge token create` as Authorization: Bearer",
    }


def test_a_link_logs_in_once(world: World) -> None:
    url = login_url("http://127.0.0.1:9875", world.access.create_login(world.now))
    path = url.removeprefix("http://127.0.0.1:9875")
    client, other = world.stranger(), world.stranger()
    assert (client.get(path).location, is_in(client)) == ("/", True)
    refused = other.get(path)
    assert (refused.status_code, is_in(other)) == (403, False)
    assert "used before" in refused.text
    assert "raingauge run" in refused.text
    assert client.get(path).location == "/"  # from the browser's history: still logged in


def test_looking_at_a_link_does_not_use_it_up(world: World) -> None:
    path = login_url("", world.access.create_login(world.now))
    assert world.stranger().head(path).status_code == 200
    assert world.stranger().get(path).status_code == 302


def test_a_link_is_good_for_a_quarter_of_an_hour(world: World) -> None:
    secrets = [world.access.create_login(world.now) for _ in range(2)]
    world.now += LOGIN_SECONDS
    assert world.stranger().get(login_url("", secrets[0])).status_code == 302
    world.now += 1
    assert world.stranger().get(login_url("", secrets[1])).status_code == 403


@pytest.mark.parametrize("target", ["//evil.example", "///evil.example", "https://evil.example/", "https:evil.example",
                                    "/\\evil.example", "\\\\evil.example", "evil.example", "/a\nb", "/\t/evil.example",
                                    " //evil.example", "javascript:alert(1)", "@evil.example", ""])  # fmt: skip
def test_next_leads_nowhere_else(locked: World, target: str) -> None:
    link = {"key": locked.access.create_login(locked.now), "next": target}
    client = locked.stranger()
    assert client.get("/login", query_string=link).location == "/"
    assert client.get("/login", query_string={"next": target}).location == "/"  # logged in already
    assert enter(locked.stranger(), PASSWORD, next=target) == (302, "/")


@given(st.text() | st.text("/\\.:@evil\t\n\r ", max_size=8))
def test_whatever_next_is_it_stays_here(target: str) -> None:
    path = local_path(target)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert not any(character < " " for character in path)


def test_the_password_leads_to_the_page_that_was_asked_for(locked: World) -> None:
    client = locked.stranger()
    form = client.get(client.get("/probed?name=X&state=firing").location).text
    assert 'name="next" value="/probed?name=X&amp;state=firing"' in form
    assert 'autocomplete="current-password"' in form
    assert enter(client, PASSWORD, next="/probed?name=X") == (302, "/probed?name=X")
    assert is_in(client)


@pytest.mark.parametrize("password", ["wrong", "", PASSWORD[:-1], f"{PASSWORD} ", "\0", "x" * 100_000])
def test_no_other_password_fits(locked: World, password: str) -> None:
    client = locked.stranger()
    status, text = enter(client, password)
    assert (status, "That is not the password." in text, is_in(client)) == (403, True, False)


def test_without_a_password_none_fits(world: World) -> None:
    client = world.client()
    form = {"csrf_token": client.get("/probed").text, "password": ""}
    assert client.post("/login", data=form).status_code == 403
    assert 'type="password"' not in world.stranger().get("/login").text


def test_a_refused_login_is_logged_with_address_and_without_password(
    locked: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "raingauge.dashboard"):
        enter(locked.stranger(), "hunter2", "192.0.2.7")
        secret = locked.access.create_login(locked.now)
        for _ in range(2):
            locked.stranger().get(login_url("", secret))
    assert caplog.messages == [
        "login=refused way=password address=192.0.2.7",
        "login=done way=link address=127.0.0.1",
        "login=refused way=link address=127.0.0.1",
    ]


def test_the_session_is_new_at_each_login_and_ends_at_logout(world: World) -> None:
    client, thief = world.client(), world.stranger()
    first = client.get_cookie("raingauge_session")
    assert first is not None
    assert (first.http_only, first.same_site, first.secure, first.path) == (True, "Lax", False, "/")
    assert first.expires is not None  # kept when the browser is closed
    assert "Set-Cookie" not in client.get(QUERY).headers
    client.get(login_url("", world.access.create_login(world.now)))
    second = client.get_cookie("raingauge_session")
    assert second is not None
    thief.set_cookie("raingauge_session", first.value)
    assert (is_in(client), is_in(thief)) == (True, False)
    thief.set_cookie("raingauge_session", second.value)
    assert is_in(thief)
    assert client.post("/logout", data={"csrf_token": client.get("/probed").text}).location == "/login"
    assert client.get_cookie("raingauge_session") is None
    assert (is_in(client), is_in(thief)) == (False, False)  # the cookie alone is worth nothing


def test_a_session_ends_by_itself(world: World) -> None:
    client = world.client()
    world.now += SESSION_SECONDS
    assert is_in(client)
    world.now += 1
    assert not is_in(client)


def test_a_cookie_that_we_did_not_sign_is_none(world: World) -> None:
    client = world.stranger()
    client.set_cookie("raingauge_session", "eyJzaWQiOiJ4In0.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb")
    assert not is_in(client)


def test_the_cookie_is_secure_over_tls(world: World) -> None:
    answer = world.stranger().get(
        login_url("", world.access.create_login(world.now)), base_url="https://gauge.example.org"
    )
    assert "; Secure;" in answer.headers["Set-Cookie"]


def test_what_changes_something_needs_the_token_of_our_own_page(locked: World) -> None:
    client = locked.client()
    token = client.get("/probed").text
    assert client.post("/probed", data={"csrf_token": token}).text == "changed"
    assert client.post("/probed", headers={"X-CSRFToken": token}).text == "changed"
    for refused in (client.post("/probed"), client.post("/logout"), client.post("/probed", data={"csrf_token": "x"})):
        assert (refused.status_code, "This form is too old" in refused.text) == (400, True)
    assert is_in(client)
    stranger = locked.stranger()
    assert stranger.post("/login", data={"password": PASSWORD}).status_code == 400
    other = locked.client().get("/probed").text
    assert client.post("/probed", data={"csrf_token": other}).status_code == 400


def test_over_tls_the_form_must_also_come_from_here(world: World) -> None:
    client = world.stranger()
    tls = {"base_url": "https://gauge.example.org"}
    client.get(login_url("", world.access.create_login(world.now)), **tls)
    form = {"csrf_token": client.get("/probed", **tls).text}
    statuses = [
        client.post("/probed", data=form, headers={"Referer": f"{origin}/probed"}, base_url=tls["base_url"]).status_code
        for origin in ("https://gauge.example.org", "https://evil.example")
    ]
    assert statuses == [200, 400]


def test_the_api_takes_a_post_with_a_session_from_our_own_pages_only(world: World) -> None:
    client = world.client()
    form = {"query": "1"}
    refused = client.post("/api/v1/query", data=form)
    assert (refused.status_code, refused.json and refused.json["errorType"]) == (400, "bad_data")
    assert "X-CSRFToken" in refused.text
    header = {"X-CSRFToken": client.get("/probed").text}
    assert client.post("/api/v1/query", data=form, headers=header).status_code == 200


def test_guessing_is_slowed_down_and_the_time_left_is_told(locked: World) -> None:
    assert [enter(locked.stranger(), str(n))[0] for n in range(10)] == [403] * 10
    client = locked.stranger()
    late = client.post("/login", data={"csrf_token": csrf(client), "password": PASSWORD, "next": "/probed"})
    assert late.status_code == 429
    assert 0 < int(late.headers["Retry-After"]) <= 300
    assert "Too many wrong passwords. Try again in " in late.text
    assert 'name="next" value="/probed"' in late.text
    assert enter(locked.stranger(), PASSWORD, "192.0.2.7") == (302, "/")
    assert is_in(locked.client())  # by a link


def test_what_is_no_guess_is_not_counted(locked: World) -> None:
    client = locked.stranger()
    for _ in range(11):
        assert client.post("/login", data={"password": "no csrf"}).status_code == 400
        assert enter(locked.stranger(), PASSWORD)[0] == 302


def test_an_ipv6_guest_is_counted_by_network(locked: World) -> None:
    for n in range(10):
        enter(locked.stranger(), "wrong", f"2001:db8::{n:x}")
    assert enter(locked.stranger(), PASSWORD, "2001:db8::ffff")[0] == 429
    assert enter(locked.stranger(), PASSWORD, "2001:db8:0:1::1")[0] == 302


@pytest.mark.parametrize(
    ("scope", "method", "path", "status"),
    [
        ("read", "GET", QUERY, 200), ("read", "POST", QUERY, 200), ("read", "GET", "/probed", 200),
        ("read", "POST", "/api/v9/silence", 403), ("read", "POST", "/probed", 403), ("read", "POST", "/logout", 403),
        ("read", "POST", "/api/v1/metadata", 405), ("read", "GET", "/api/v1/nothing", 404),
        ("write", "POST", QUERY, 200), ("write", "POST", "/api/v9/silence", 200), ("write", "POST", "/probed", 403),
    ],
)  # fmt: skip
def test_what_a_token_may_do(world: World, scope: Scope, method: str, path: str, status: int) -> None:
    bearer = {"Authorization": f"Bearer {world.token(scope)}"}
    answer = world.stranger().open(path, method=method, headers=bearer)
    assert answer.status_code == status
    assert "Set-Cookie" not in answer.headers or path == "/probed"  # its CSRF token wants one


def test_a_token_that_is_not_known_or_revoked_is_refused_even_beside_a_session(world: World) -> None:
    token = world.token()
    bearer = {"Authorization": f"bearer {token}"}
    client = world.client()
    assert client.get(QUERY, headers=bearer).status_code == 200
    assert world.access.revoke_token(world.access.tokens()[0].name)
    for wrong in (bearer["Authorization"], "Bearer nonsense", "Bearer "):
        assert client.get(QUERY, headers={"Authorization": wrong}).status_code == 401
    for other in (f"Basic {token}", token, ""):  # not ours: perhaps of a proxy before us
        assert world.stranger().get(QUERY, headers={"Authorization": other}).status_code == 401
        assert client.get(QUERY, headers={"Authorization": other}).status_code == 200
