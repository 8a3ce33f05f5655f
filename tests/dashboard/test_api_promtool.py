"""promtool asks us as it asks Prometheus: another program's decoder reads what we answer."""

import subprocess
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from collectors.model import Gauge, Target
from tests.dashboard.browsing import served
from tests.dashboard.world import NOW, World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

pytestmark = pytest.mark.servers

LOAD = Gauge("node_load1", "Load over 1 minute.")
ODD = (0.1, 1e-7, 1e21, 2.5e300, float("inf"), float("-inf"), float("nan"), 1e20, 123456789.125)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's promtool sends no token, so the door is opened for it."""
    world = World(tmp_path_factory.mktemp("world"))
    for at, value in enumerate(ODD):
        world.store.append(Target("node", "a", "a"), NOW - 80 + 10 * at, [LOAD(value)])
    inner = world.app.wsgi_app
    token = world.token()

    def opened(environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        return inner({**environ, "HTTP_AUTHORIZATION": f"Bearer {token}"}, start_response)

    world.app.wsgi_app = opened  # type: ignore[method-assign]
    with served(world) as base:
        yield base


def promtool(*arguments: str) -> list[str]:
    done = subprocess.run(
        ["promtool", "query", *arguments], capture_output=True, text=True, timeout=120, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_an_instant(url: str) -> None:
    [line] = promtool("instant", f"--time={NOW:.0f}", url, "node_load1")
    assert line == f'node_load1{{host="a", instance="a", job="node"}} => 123456789.125 @[{NOW:.0f}]'


def test_a_range_with_every_kind_of_number(url: str) -> None:
    span = (f"--start={NOW - 80:.0f}", f"--end={NOW:.0f}", "--step=10s")
    name, *points = promtool("range", *span, url, "node_load1")
    assert name == 'node_load1{host="a", instance="a", job="node"} =>'
    read = [float(point.split(" @")[0]) for point in points]
    assert [repr(value) for value in read] == [repr(value) for value in ODD]


def test_series_and_labels(url: str) -> None:
    span = (f"--start={NOW - 80:.0f}", f"--end={NOW:.0f}")
    [line] = promtool("series", "--match=node_load1", *span, url)
    assert line == '{__name__="node_load1", host="a", instance="a", job="node"}'
    assert promtool("labels", *span, url, "host") == ["a"]


def test_a_mistake_is_shown(url: str) -> None:
    done = subprocess.run(
        ["promtool", "query", "instant", url, "node_load1 +"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "bad_data: parse error" in done.stderr
