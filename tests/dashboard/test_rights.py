"""The table of roles and routes: written out a second time by path, and tried with everyone on everything."""

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_network

import pytest
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from dashboard.rights import LEAST, ORDER, Caller, least, may
from tests.dashboard.world import World

EXPECTED: Mapping[str, str] = {
    "anyone": """
        GET /-/healthy, GET /-/ready, GET /static/x, GET /login, POST /login, GET /a/x, POST /a/x, GET /wall/x""",
    "wall": """
        GET /, GET /trends, GET /host, GET /alerts, GET /targets, GET /drupal, GET /site/x, GET /slowest, GET /slo,
        GET /incidents, GET /incidents/1, GET /boards, GET /boards/x, GET /checks""",
    "viewer": """
        POST /logout, GET /security, GET /explore, GET /explore.csv, GET /runbooks/x, GET /settings,
        POST /settings/appearance,
        GET /api/v1/query, GET /api/v1/query_range, GET /api/v1/query_exemplars, GET /api/v1/format_query,
        GET /api/v1/series, GET /api/v1/labels, GET /api/v1/label/x/values, GET /api/v1/metadata, GET /api/v1/rules,
        GET /api/v1/alerts, GET /api/v1/targets, GET /api/v1/targets/metadata, GET /api/v1/scrape_pools,
        GET /api/v1/status/buildinfo, POST /api/v1/query, POST /api/v1/query_range, POST /api/v1/query_exemplars,
        POST /api/v1/format_query, POST /api/v1/series, POST /api/v1/labels,
        GET /api/v2/alerts, GET /api/v2/alerts/groups, GET /api/v2/silences, GET /api/v2/silence/x,
        GET /api/v2/receivers, GET /api/v2/status,
        GET /boards.yml, GET /boards/x.yml, GET /checks.yml""",
    "responder": """
        POST /alerts/x/acknowledge, POST /alerts/x/silence, POST /silences/x/end,
        POST /events/close, POST /incidents/1/acknowledge, POST /incidents/1/silence, POST /incidents/1/notes,
        POST /boards, POST /boards/import, POST /boards/x, POST /boards/panels, POST /boards/x/panels,
        POST /boards/x/panels/1, POST /api/v1/events,
        POST /api/v2/alerts, POST /api/v2/silences, DELETE /api/v2/silence/x""",
    "admin": """
        GET /settings/configuration, POST /settings/channels/x/test, GET /settings/users, POST /settings/users,
        POST /settings/users/x, POST /settings/sessions/x/end, GET /settings/tokens, POST /settings/tokens,
        POST /settings/tokens/revoke, GET /settings/audit, POST /checks, POST /checks/remove""",
}  # fmt: skip
TABLE = {
    (method, path): right
    for right, text in EXPECTED.items()
    for method, path in (each.split() for each in text.split(","))
}
RIGHT_OF = {
    "stranger": "anyone", "wall": "wall", "viewer": "viewer", "responder": "responder", "admin": "admin",
    "owner": "admin", "read token": "viewer", "write token": "responder", "revoked token": "anyone",
    "header viewer": "viewer", "header admin": "admin",
}  # fmt: skip
RAW = "a text that the session keeps"
JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("rights"), proxies=[ip_network("127.0.0.1")], user_header="X-Remote-User")
    for role in ("viewer", "responder", "admin"):
        world.access.users.add(role, "correct horse battery", role, world.now)
    return world


def routes(world: World) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, path with x, or a number, for what is open)."""
    for rule in world.app.url_map.iter_rules():
        path = re.sub("<[^>]*>", "x", re.sub("<int:[^>]*>", "1", rule.rule))
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule.endpoint, method, path


def test_every_route_is_in_the_table_and_nothing_else_is(world: World) -> None:
    assert {endpoint for endpoint, _, _ in routes(world)} == set(LEAST)
    assert {(method, path): least(endpoint) for endpoint, method, path in routes(world)} == TABLE


def test_what_is_not_in_the_table_is_for_admins() -> None:
    assert least("later.page") == "admin"
    for right in ORDER:
        assert may(Caller("kim", right, "session"), "later.page", "GET") == (right == "admin")


def test_a_wall_takes_no_form_even_of_a_page_that_it_shows() -> None:
    wall = Caller("wall hall", "wall", "wall")
    assert [may(wall, "overview.overview", method) for method in ("GET", "POST", "DELETE")] == [True, False, False]


@pytest.fixture(scope="module")
def ask(world: World) -> Callable[[str, str, str], TestResponse]:
    """Who asks, the method, the path: everyone with the CSRF token of their session, and a session of their own."""
    token = URLSafeTimedSerializer(world.services.secret_key, salt="wtf-csrf-token").dumps(RAW)
    bearer = {f"{scope} token": world.token(scope) for scope in ("read", "write")}
    bearer["revoked token"] = world.access.create_token("write", world.now, "gone")
    world.access.revoke_token("gone")
    wall = world.access.walls.create("office", world.now)

    def opened(who: str) -> FlaskClient:
        if who == "owner":
            return world.client()
        client = world.as_user(who) if who in ("viewer", "responder", "admin") else world.stranger()
        if who == "wall":
            assert client.get(f"/wall/{wall}").location == "/"
        return client

    def asked(who: str, method: str, path: str) -> TestResponse:
        client = opened(who)
        with client.session_transaction() as session:
            session["csrf_token"] = RAW
        headers = {"X-CSRFToken": token}
        if who in bearer:
            headers["Authorization"] = f"Bearer {bearer[who]}"
        if who.startswith("header "):
            headers["X-Remote-User"] = "admin" if who == "header admin" else "somebody new"
        return client.open(path, method=method, headers=headers)

    return asked


def expected(who: str, method: str, path: str) -> str:
    """in, login or refused: told anew from the words of the roles."""
    needed, right = TABLE[method, path], RIGHT_OF[who]
    if needed == "anyone":
        return "in"
    if right == "anyone":
        return "in" if (who, path) == ("stranger", "/logout") else "login"  # both lead to the login
    if ORDER.index(right) < ORDER.index(needed):
        return "refused"
    if "token" in who and method != "GET" and not path.startswith("/api/"):
        return "refused"
    return "in"


def outcome(answer: TestResponse, path: str) -> str:
    if (
        answer.status_code == 401
        or (answer.location or "").startswith("/login?")
        or (answer.status_code == 302 and answer.location == "/login" and path != "/logout")
    ):
        return "login"
    if "This needs the role" in answer.text or "raingauge token create --scope" in answer.text:
        return "refused"
    return "in"


@pytest.mark.parametrize("who", RIGHT_OF)
def test_everyone_on_everything(ask: Callable[[str, str, str], TestResponse], who: str) -> None:
    found = {}
    for method, path in TABLE:
        answer = ask(who, method, path)
        found[method, path] = outcome(answer, path)
        assert answer.status_code < 500, (method, path)
        if found[method, path] != "in" and path.startswith("/api/"):
            assert answer.json is not None
            assert (answer.json["status"], set(answer.json)) == ("error", {"status", "errorType", "error"})
    assert found == {asked: expected(who, *asked) for asked in TABLE}


def test_who_may_not_is_told_what_it_needs_and_pages_offer_no_more(world: World) -> None:
    viewer = world.as_user("viewer")
    refused = viewer.get("/settings/users")
    assert (refused.status_code, "This needs the role admin; viewer has the role viewer." in refused.text) == (
        403,
        True,
    )
    assert viewer.get("/settings/users", headers=JSON).json == {
        "status": "error", "errorType": "forbidden", "error": "This needs the role admin; viewer has the role viewer.",
    }  # fmt: skip
    assert "/settings/users" not in viewer.get("/settings").text
    assert "/settings/users" in world.as_user("admin").get("/settings").text
