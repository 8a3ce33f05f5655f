"""POST /api/v1/events: what CI tells."""

from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.world import NOW, World

DEPLOY = {"kind": "deploy", "title": "Release 7\x1b of shop", "site": "shop"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def post(world: World, body: Any, scope: Any = "write") -> Any:
    headers = {"Authorization": f"Bearer {world.token(scope)}"} if scope else {}
    return world.stranger().post("/api/v1/events", json=body, headers=headers)


def test_an_event_is_recorded_and_its_id_answered(world: World) -> None:
    answer = post(world, DEPLOY)
    (found,) = world.events.events(0, NOW)
    assert answer.get_json() == {"status": "success", "data": {"id": found.id}}
    assert (found.kind, found.title, found.site, found.severity, found.state, found.first, found.source) == (
        "deploy", "Release 7  of shop", "shop", "info", "closed", NOW, "api",
    )  # fmt: skip


def test_one_above_info_stays_open(world: World) -> None:
    assert post(world, {**DEPLOY, "severity": "warning"}).status_code == 200
    assert [event.state for event in world.events.events(0, NOW)] == ["open"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "expected JSON"),
        ({"title": "x"}, "kind: expected a word"),
        ({"kind": "deploy"}, "title: expected 1 to 250 characters, found 0"),
        ({**DEPLOY, "severity": "bad"}, "severity: expected info, warning or critical, found 'bad'"),
        ({**DEPLOY, "title": 7}, "title: expected only texts"),
        ({**DEPLOY, "host": "other"}, "host: expected only texts"),
        ({**DEPLOY, "kind": "security.upload"}, "which Raingauge tells itself"),
        ({**DEPLOY, "kind": "alert"}, "which Raingauge tells itself"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_recorded(world: World, body: Any, words: str) -> None:
    answer = post(world, body)
    assert answer.status_code == 400
    assert words in answer.get_json()["error"]
    assert world.events.events(0, NOW) == []


@pytest.mark.parametrize(("scope", "status"), [("read", 403), ("", 401)])
def test_only_a_token_that_may_write(world: World, scope: str, status: int) -> None:
    assert post(world, DEPLOY, scope).status_code == status
    assert world.events.events(0, NOW) == []
