"""Users, their sessions, tokens and walls: what pages and the command line make of them."""

import html
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from unittest.mock import patch

import argon2
import pytest
from flask.testing import FlaskClient

from history.sessions import SESSION_SECONDS
from tests.dashboard.test_login import csrf, enter
from tests.dashboard.world import World

PASSWORD = "correct horse battery staple"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.access.users.add("kim", PASSWORD, "responder", world.now)
    return world


def send(client: FlaskClient, path: str, **form: str) -> str:
    """What the page says then."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/settings/users").text)
    assert token
    answer = client.post(path, data={"csrf_token": token[1], **form})
    assert answer.status_code in (200, 303), answer.text
    page = client.get(answer.location).text if answer.location else answer.text
    notices = "".join(re.findall(r'<p class="notice.*?</p>|<div class="notice.*?</div>', page, re.DOTALL))
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", notices)).split())


def audit(world: World) -> list[tuple[str, str]]:
    return [(entry.who, entry.what) for entry in world.access.audit.newest(20)]


def test_a_user_logs_in_with_name_and_password_and_is_called_so(world: World) -> None:
    client = world.stranger()
    assert enter(client, PASSWORD, name="kim", next="/settings") == (302, "/settings")
    assert "You are kim, with the role responder." in client.get("/settings").text
    assert audit(world) == [("kim", "login by password")]


def test_whether_a_name_is_there_shows_neither_in_the_answer_nor_in_the_work(world: World) -> None:
    """One hash of the same cost is looked at for either."""
    seen = []
    verify = argon2.PasswordHasher.verify

    def watched(self: argon2.PasswordHasher, kept: str, given: str) -> bool:
        seen.append(kept.rsplit("$", 2)[0])
        return bool(verify(self, kept, given))

    with patch.object(argon2.PasswordHasher, "verify", watched):
        answers = [enter(world.stranger(), "wrong", name=name) for name in ("kim", "nobody")]
    hide = re.compile(r'name="csrf_token" value="[^"]+"')
    texts = {(status, hide.sub("", text)) for status, text in answers}
    assert (len(texts), len(seen), len(set(seen))) == (1, 2, 1)
    assert audit(world) == [("a stranger", "login refused, by password"), ("kim", "login refused, by password")]


def test_a_role_counts_from_the_next_request_and_a_removed_user_is_out(world: World) -> None:
    admin, kim = world.client(), world.as_user("kim")
    assert kim.get("/settings/users").status_code == 403
    assert send(admin, "/settings/users/kim", what="role", role="admin") == "kim is admin now."
    assert kim.get("/settings/users").status_code == 200
    assert send(admin, "/settings/users/kim", what="remove") == "kim is removed."
    assert kim.get("/settings").status_code == 302
    world.access.users.add("kim", PASSWORD, "admin", world.now)
    assert kim.get("/settings").status_code == 302
    assert audit(world)[:2] == [("the dashboard", "user: kim is removed"), ("the dashboard", "user: kim is admin now")]


def test_another_password_ends_the_sessions(world: World) -> None:
    admin, kim = world.client(), world.as_user("kim")
    send(admin, "/settings/users/kim", what="password", password="x" * 9)
    assert kim.get("/settings").status_code == 200
    send(admin, "/settings/users/kim", what="password", password="another one of mine")
    assert kim.get("/settings").status_code == 302
    assert world.access.users.check("kim", "another one of mine")


@pytest.mark.parametrize(("name", "password", "words"), [
    ("kim", PASSWORD, "A user named 'kim' exists."),
    ("ada", "short", "The password needs 10 to 1000 characters, found 5."),
    ("a b", PASSWORD, "Expected a name of letters, digits and . _ @ -, at most 64, found 'a b'."),
])  # fmt: skip
def test_a_user_that_cannot_be_is_told_why(world: World, name: str, password: str, words: str) -> None:
    said = send(world.client(), "/settings/users", name=name, password=password, role="viewer")
    assert said == words
    assert [user.name for user in world.access.users.all()] == ["kim"]


def test_a_session_is_listed_and_ended(world: World) -> None:
    admin, kim = world.client(), world.as_user("kim")
    kim.get("/settings")
    (session,) = [each for each in world.access.sessions.all(world.now) if each.user == "kim"]
    assert session.id in admin.get("/settings/users").text
    assert send(admin, f"/settings/sessions/{session.id}/end") == "The session is ended."
    assert kim.get("/settings").status_code == 302


def test_the_session_of_who_looks_is_marked(world: World) -> None:
    client, _ = world.client(), world.client()
    own, other = re.findall(
        r"<b>the dashboard</b> <span[^>]*>(this browser, )?from", client.get("/settings/users").text
    )
    assert {own, other} == {"this browser, ", ""}


def test_a_token_is_shown_once_and_works_until_it_is_revoked(world: World) -> None:
    admin = world.client()
    said = send(admin, "/settings/tokens", what="read", name="grafana")
    token = next(word for word in said.split() if word.startswith("rg_"))
    bearer = {"Authorization": f"Bearer {token}"}
    assert token not in admin.get("/settings/tokens").text
    assert world.stranger().get("/api/v1/labels", headers=bearer).status_code == 200
    assert send(admin, "/settings/tokens/revoke", what="token", name="grafana") == "grafana is revoked."
    assert world.stranger().get("/api/v1/labels", headers=bearer).status_code == 401


def test_a_wall_looks_and_does_nothing_until_its_end(world: World) -> None:
    admin, wall = world.client(), world.stranger()
    said = send(admin, "/settings/tokens", what="wall", name="office", days="7")
    path = next(word for word in said.split() if "/wall/" in word).removeprefix("http://localhost")
    assert (wall.head(path).status_code, wall.get(path).location) == (302, "/")
    page = wall.get("/")
    assert (page.status_code, 'class="wall"' in page.text) == (200, True)
    assert wall.get("/security").status_code == wall.get("/settings").status_code == 403
    assert wall.post("/logout", data={"csrf_token": csrf(wall)}).status_code == 403
    assert admin.get(path).location == "/"
    assert admin.get("/settings/users").status_code == 200  # who has logged in stays who they are
    world.now += 7 * 86400 + 1
    assert wall.get("/").status_code == 302
    assert world.stranger().get(path).status_code == 403


def test_a_revoked_wall_goes_dark_at_once(world: World) -> None:
    admin, wall = world.client(), world.stranger()
    assert wall.get(f"/wall/{world.access.walls.create('office', world.now)}").location == "/"
    assert send(admin, "/settings/tokens/revoke", what="wall", name="office") == "office is revoked."
    assert wall.get("/").status_code == 302


def test_what_is_written_down_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("history.audit.MOST", 5)
    client = world.client()
    for number in range(9):
        send(client, "/settings/users/kim", what="role", role=("viewer", "admin")[number % 2])
    assert len(audit(world)) == 5
    world.now += 91 * 86400
    world.client()
    assert len(audit(world)) == 1
    assert SESSION_SECONDS < 91 * 86400


def test_each_browser_has_a_look_of_its_own(world: World) -> None:
    client = world.as_user("kim")
    form = {"theme": "light", "zone": "browser", "browser": "Asia/Kathmandu"}
    assert send(world.client(), "/settings/appearance", **form) == "This browser shows it so from now on."
    page = client.get("/settings").text
    client.post("/settings/appearance", data={**form, "csrf_token": re.findall(r'csrf_token" value="([^"]+)', page)[0]})
    page = client.get("/settings").text
    assert 'data-theme="light"' in page
    assert "times are UTC+5:45" in page
    client.set_cookie("zone", "../../../etc/passwd")
    assert "times are UTC<" in client.get("/settings").text


def test_the_last_admin_stays_one(world: World) -> None:
    """Else nobody could change anything here any more; but who runs Raingauge can log in without being a user."""
    world.access.users.add("ada", PASSWORD, "admin", world.now)
    ada = world.as_user("ada")
    for form in ({"what": "role", "role": "viewer"}, {"what": "remove"}):
        assert send(ada, "/settings/users/ada", **form) == "ada is the last admin: make somebody else one first."
    assert send(ada, "/settings/users/kim", what="role", role="viewer") == "kim is viewer now."
    send(ada, "/settings/users/kim", what="role", role="admin")
    assert send(ada, "/settings/users/kim", what="role", role="admin") == "kim is admin now."
    send(ada, "/settings/users/kim", what="remove")
    send(ada, "/settings/users", name="eve", password=PASSWORD, role="admin")
    assert send(world.client(), "/settings/users/ada", what="remove") == "ada is removed."
    assert [(user.name, user.role) for user in world.access.users.all()] == [("eve", "admin")]
    assert send(world.client(), "/settings/users/eve", what="remove") == "eve is removed."


def test_what_is_none_is_not_taken(world: World) -> None:
    client = world.client()
    found = re.findall(r'csrf_token" value="([^"]+)', client.get("/settings/users").text)
    form = {"csrf_token": found[0]}

    def status(path: str, **more: str) -> int:
        return client.post(path, data={**form, **more}).status_code

    for role in ("owner", "wall", "anyone", ""):
        assert status("/settings/users", name="ada", password=PASSWORD, role=role) == 400
        assert status("/settings/users/kim", what="role", role=role) == 400
    for what in ("role", "remove", "password"):
        assert status("/settings/users/nobody", what=what, role="admin", password=PASSWORD) == 404
    assert status("/settings/users/kim", what="everything") == 400
    assert status("/settings/tokens", what="all", name="x") == 400
    assert status("/settings/tokens/revoke", what="token", name="x") == 404
    assert status("/settings/sessions/x/end") == 404
    assert send(client, "/settings/tokens", what="read", name="  ") == "Expected a name, found none."
    send(client, "/settings/tokens", what="read", name="n" * 999)
    assert [token.name for token in world.access.tokens()] == ["n" * 64]
    assert [(user.name, user.role) for user in world.access.users.all()] == [("kim", "responder")]


def test_who_followed_a_revoked_link_is_not_let_in_by_a_new_wall_of_its_name(world: World) -> None:
    admin, wall = world.client(), world.stranger()
    wall.get(f"/wall/{world.access.walls.create('office', world.now)}")
    other = world.stranger()
    other.get(f"/wall/{world.access.walls.create('hall', world.now)}")
    send(admin, "/settings/tokens/revoke", what="wall", name="office")
    world.access.walls.create("office", world.now)
    assert (wall.get("/").status_code, other.get("/").status_code) == (302, 200)
    assert admin.get("/settings/users").status_code == 200


def test_secrets_are_kept_as_hashes(world: World) -> None:
    access = world.access
    secrets = [access.create_token("write", world.now, "t"), access.create_login(world.now),
               access.walls.create("w", world.now), access.sessions.open(world.now, "kim", agent="a" * 999),
               ]  # fmt: skip
    world.engine.dispose()
    kept = b"".join(file.read_bytes() for file in world.folder.iterdir() if file.is_file())
    assert [secret for secret in (*secrets, PASSWORD) if secret.encode() in kept] == []
    assert [len(each.agent) for each in access.sessions.all(world.now)] == [200]


def test_of_two_who_follow_a_link_at_once_one_is_let_in(world: World) -> None:
    secret = world.access.create_login(world.now)
    start = Barrier(8)

    def follow(_number: int) -> bool:
        start.wait()
        return world.access.use_login(secret, world.now)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(follow, range(8))) == 1


def test_sessions_are_ended_and_listed_one_by_one(world: World) -> None:
    """Of one user those of others go on; those that are over are not listed; when each was used last is."""
    world.access.users.add("ada", PASSWORD, "admin", world.now)
    kim, ada = world.as_user("kim"), world.as_user("ada")
    world.now += 3600
    assert kim.get("/settings").status_code == 200
    assert [(each.user, each.seen) for each in world.access.sessions.all(world.now)] == [
        ("kim", world.now), ("ada", world.now - 3600),
    ]  # fmt: skip
    assert send(ada, "/settings/users/kim", what="password", password="x" * 1001).endswith("found 1001.")
    send(ada, "/settings/users/kim", what="password", password="another one of mine")
    assert (kim.get("/settings").status_code, ada.get("/settings").status_code) == (302, 200)
    assert world.access.sessions.all(world.now + SESSION_SECONDS) == []


def test_the_link_of_a_wall_is_below_the_address_that_is_configured_whatever_host_is_asked(world: World) -> None:
    world.app.extensions["raingauge"] = replace(world.services, external_url="https://gauge.example.org/rain")
    admin = world.client()
    form = {"csrf_token": re.findall(r'csrf_token" value="([^"]+)', admin.get("/settings/users").text)[0]}
    below = {"base_url": "http://localhost/rain", "headers": {"X-Forwarded-Host": "evil.example"}}
    page = admin.post("/settings/tokens", data={**form, "what": "wall", "name": "hall"}, **below).text
    assert re.findall(r"https?://[^\s<\"]*/wall/", page)[:1] == ["https://gauge.example.org/rain/wall/"]
    assert "evil.example" not in page
