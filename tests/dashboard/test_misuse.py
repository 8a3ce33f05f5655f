"""What is too large, too deep or out of any range: refused in words, and never a bug."""

from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import pytest

from agent import serving
from dashboard import board_files, evaluating
from dashboard.board_forms import MOST_CHARACTERS
from dashboard.exploring import MOST_WORDS, metrics
from history.embedded import Embedded
from history.model import Metadata
from tests.dashboard.test_boards import send
from tests.dashboard.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("number", [2**31, 2**63, 10**40])
@pytest.mark.parametrize("what", ["", "/acknowledge", "/silence", "/notes"])
def test_an_incident_with_a_number_that_no_database_has(world: World, number: int, what: str) -> None:
    path, client = f"/incidents/{number}{what}", world.client()
    answer = send(client, path, text="x") if what else client.get(path)
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/events", "/api/v2/alerts", "/api/v2/silences"])
@pytest.mark.parametrize("body", ["[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 50_000 + "1" + "}" * 50_000])
def test_json_of_any_depth(world: World, path: str, body: str) -> None:
    bearer = {"Authorization": f"Bearer {world.token('write')}"}
    answer = world.stranger().post(path, data=body, content_type="application/json", headers=bearer)
    assert (answer.status_code, "expected" in answer.text) == (400, True)


@pytest.mark.parametrize("host", ["x" * 64, f"{'x' * 64}.example.org", "a" * 5000], ids=len)
def test_a_host_that_is_none(world: World, host: str) -> None:
    for client in (world.stranger(), world.client()):
        for path in ("/", "/login", "/nothing"):
            assert client.get(path, headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(
    "text", ["[" * 5000, "- " * 5000, "{a: " * 3000, "&a [*a]", "!!python/object/apply:os.system [id]"]
)
def test_yaml_of_any_shape(world: World, text: str) -> None:
    answer = send(world.client(), "/boards/import", text=text)
    assert (answer.status_code, "xpected" in answer.text) == (400, True)


def test_yaml_that_is_long_is_not_read(world: World) -> None:
    with patch.object(board_files, "read", side_effect=AssertionError):
        answer = send(world.client(), "/boards/import", text="#" * (MOST_CHARACTERS + 1))
    assert (answer.status_code, "xpected at most 250,000 characters, found 250,001" in answer.text) == (400, True)


def test_of_an_expression_only_so_many_names_are_looked_up(world: World) -> None:
    asked: list[str] = []

    class Counting(Embedded):
        def metadata(self, metric: str | None = None) -> dict[str, list[Metadata]]:
            asked.append(str(metric))
            return {}

    assert list(metrics(Counting(world.store), "up{" + ",".join(f'a{n}="b"' for n in range(1000)) + "}")) == []
    assert len(set(asked)) == MOST_WORDS


def test_slow_queries_leave_threads_for_the_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty of them had all threads for more than a minute."""
    monkeypatch.setattr(evaluating, "PATIENCE", 0.0)
    client, words = world.client(), "4 other queries are still being evaluated"
    with ExitStack() as slow:
        for _ in range(evaluating.AT_ONCE):
            slow.enter_context(evaluating.slot())
        for path in ("/api/v1/query?query=1", "/api/v1/query_range?query=1&start=0&end=1&step=1"):
            answer = client.get(path)
            assert (answer.status_code, words in answer.text) == (503, True)
        assert words in client.get("/explore?q=up").text
        assert words in client.get("/explore.csv?q=up").text
        assert client.get("/").status_code == 200
    assert client.get("/api/v1/query?query=1").status_code == 200
    assert client.get("/api/v1/query?query=rate(").status_code == 400
    assert evaluating.AT_ONCE == serving.THREADS // 2
