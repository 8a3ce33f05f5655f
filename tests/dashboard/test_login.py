"""Who may see the pages and ask the API, and what a stranger is told."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from dashboard.login import local_path, login_url
from history.access import LOGIN_SECONDS, SESSION_SECONDS
from tests.dashboard.world import World

PASSWORD = "correct horse battery staple"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def locked(tmp_path: Path) -> World:
    return World(tmp_path, password=PASSWORD)


def csrf(client: FlaskClient) -> str:
    page = client.get("/login").text
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]


def enter(client: FlaskClient, password: str, **more: str) -> tuple[int, str]:
    answer = client.post("/login", data={"csrf_token": csrf(client), "password": password, **more})
    return answer.status_code, answer.location or answer.text


def test_a_stranger_is_sent_to_the_login_and_comes_back(world: World) -> None:
    answer = world.stranger().get("/?from=now-1h&to=now")
    assert (answer.status_code, answer.location) == (302, "/login?next=/?from%3Dnow-1h%26to%3Dnow")
    assert world.stranger().get("/api/v1/query?query=1").status_code == 401
    assert world.stranger().get("/", headers={"Accept": "application/json"}).json == {
        "status": "error",
        "errorType": "unauthorized",
        "error": "log in, or send a token of `raingauge token create` as Authorization: Bearer",
    }


def test_a_link_logs_in_once(world: World) -> None:
    url = login_url("http://127.0.0.1:9875", world.access.create_login(world.now))
    path = url.removeprefix("http://127.0.0.1:9875")
    client, other = world.stranger(), world.stranger()
    assert (client.get(path).location, client.get("/api/v1/query?query=1").status_code) == ("/", 200)
    assert (other.get(path).status_code, "used before" in other.get(path).text) == (403, True)
    assert other.get("/api/v1/query?query=1").status_code == 401


def test_a_link_is_good_for_a_quarter_of_an_hour(world: World) -> None:
    secret = world.access.create_login(world.now)
    world.now += LOGIN_SECONDS + 1
    assert world.stranger().get(f"/login?key={secret}").status_code == 403


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "evil.example", "/a\nb", "",
     "javascript:alert(1)", "/%09/evil.example\t", "///evil.example"],
)  # fmt: skip
def test_next_leads_nowhere_else(world: World, target: str) -> None:
    secret = world.access.create_login(world.now)
    location = world.stranger().get("/login", query_string={"key": secret, "next": target}).location
    assert location in ("/", target.strip()) if target.startswith("/%09") else location == "/"


@given(st.text())
def test_whatever_next_is_it_stays_here(target: str) -> None:
    path = local_path(target)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert not any(character < " " for character in path)


def test_the_session_is_new_at_each_login_and_ends_at_logout(locked: World) -> None:
    world = locked
    client = world.client()
    first = client.get_cookie("raingauge_session")
    assert first is not None
    assert (first.http_only, first.same_site, first.secure) == (True, "Lax", False)
    client.get(f"/login?key={world.access.create_login(world.now)}")
    second = client.get_cookie("raingauge_session")
    assert second is not None
    assert second.value != first.value
    page = world.app.test_client()
    page.set_cookie("raingauge_session", second.value)
    assert page.get("/api/v1/query?query=1").status_code == 200
    token = csrf(client)
    assert client.post("/logout", data={"csrf_token": token}).location == "/login"
    assert client.get("/api/v1/query?query=1").status_code == 401
    assert page.get("/api/v1/query?query=1").status_code == 401  # the cookie alone is worth nothing


def test_a_session_ends_by_itself(world: World) -> None:
    client = world.client()
    world.now += SESSION_SECONDS + 1
    assert client.get("/api/v1/query?query=1").status_code == 401


def test_the_cookie_is_secure_over_tls(world: World) -> None:
    client = world.stranger()
    secret = world.access.create_login(world.now)
    answer = client.get(f"/login?key={secret}", base_url="https://gauge.example.org")
    assert "; Secure;" in answer.headers["Set-Cookie"]


def test_the_password_lets_in_and_leads_on(locked: World) -> None:
    client = locked.stranger()
    assert enter(client, PASSWORD, next="/alerts?name=X") == (302, "/alerts?name=X")
    assert client.get("/api/v1/query?query=1").status_code == 200
    status, text = enter(locked.stranger(), "wrong")
    assert (status, "That is not the password." in text) == (403, True)
    assert enter(locked.stranger(), "")[0] == 403


def test_without_a_password_none_fits(world: World) -> None:
    client = world.stranger()
    assert 'type="password"' not in client.get("/login").text
    assert client.post("/login", data={"password": ""}).status_code == 400  # no form, so no CSRF field either


def test_a_form_of_another_site_does_nothing(locked: World) -> None:
    client = locked.stranger()
    answer = client.post("/login", data={"password": PASSWORD})
    assert (answer.status_code, "This form is too old" in answer.text) == (400, True)
    client = locked.client()
    assert client.post("/logout").status_code == 400
    assert client.get("/api/v1/query?query=1").status_code == 200


def test_guessing_is_slowed_down_and_the_time_left_is_told(tmp_path: Path) -> None:
    world = World(tmp_path, password=PASSWORD)
    client = world.stranger()
    token = csrf(client)
    answers = [client.post("/login", data={"csrf_token": token, "password": str(n)}).status_code for n in range(10)]
    assert answers == [403] * 10
    late = client.post("/login", data={"csrf_token": token, "password": PASSWORD})
    assert late.status_code == 429
    assert "Too many tries. The next one is possible in " in late.text


def test_a_token_reads_and_does_nothing_else(world: World) -> None:
    client = world.stranger()
    bearer = {"Authorization": f"Bearer {world.token()}"}
    assert client.get("/api/v1/query?query=1", headers=bearer).status_code == 200
    assert client.post("/api/v1/query", data={"query": "1"}, headers=bearer).status_code == 200
    assert client.post("/logout", headers=bearer).status_code != 200
    for wrong in ("Bearer nonsense", "Bearer", f"Basic {world.token()}", ""):
        assert client.get("/api/v1/query?query=1", headers={"Authorization": wrong}).status_code == 401
    name = world.access.tokens()[0].name
    assert world.access.revoke_token(name)
    assert client.get("/api/v1/query?query=1", headers=bearer).status_code == 401
