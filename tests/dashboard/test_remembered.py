"""History is asked once a tick, and again as soon as anything was measured."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

from dashboard.asked import once
from dashboard.moments import Zone
from dashboard.remembered import MOST, Memory
from dashboard.services import Services
from dashboard.shell import View
from dashboard.sliding import ANEW_SECONDS, Asked, Sliding
from dashboard.timerange import DEFAULT, parse
from history.embedded import Embedded
from history.model import Matrix, QueryError, Scalar, Text, Vector
from tests.dashboard import scene, situations
from tests.dashboard.scene import Scene
from tests.dashboard.world import NOW, World

HOST = (scene.NODE, scene.OWN)


class Counted(Embedded):
    asked = 0

    def query(self, expr: str, at: float) -> Vector | Matrix | Scalar | Text:
        self.asked += expr != "sum(timestamp(up))"
        return super().query(expr, at)

    def query_range(self, expr: str, start: float, end: float, step: float) -> Matrix:
        self.asked += 1
        return super().query_range(expr, start, end, step)


def test_the_same_question_is_asked_once_until_a_sample_comes(tmp_path: Path) -> None:
    world = World(tmp_path)
    Scene(NOW, hours=0.1, targets=HOST).fill(world.store)
    source, memory = Counted(world.store), Memory()
    for _ in range(3):
        found = memory.of(source, NOW)
        answers = [found.query("node_load1", NOW), found.query_range("node_load1", NOW - 60, NOW, 10)]
    assert source.asked == 2
    assert isinstance(answers[0], Vector)
    assert len(answers[0].points) == 1
    Scene(NOW + 10, hours=1 / 720, targets=(scene.OWN,)).fill(world.store, NOW)
    memory.of(source, NOW + 10).query("node_load1", NOW)
    assert source.asked == 3


def test_nothing_is_kept_when_history_does_not_answer_or_too_much_was_asked(tmp_path: Path) -> None:
    class Gone(Counted):
        def query(self, expr: str, at: float) -> Vector | Matrix | Scalar | Text:
            if expr == "sum(timestamp(up))":
                raise QueryError("unavailable", f"gone at {at}")
            return super().query(expr, at)

    world = World(tmp_path)
    gone, memory = Gone(world.store), Memory()
    for _ in range(2):
        memory.of(gone, NOW).query("1", NOW)
    assert gone.asked == 2
    Scene(NOW, hours=0.1, targets=HOST).fill(world.store)
    source = Counted(world.store)
    for at in range(MOST + 2):
        memory.of(source, NOW).query("1", at)
    memory.of(source, NOW).query("1", 0)
    assert source.asked == MOST + 3


def test_pages_ask_once_for_html_and_json(tmp_path: Path) -> None:
    world = situations.calm(tmp_path)
    client = world.client()
    source = Counted(world.store)
    world.app.extensions["raingauge"] = replace(world.services, source=source)
    client.get("/?from=now-3h")
    first = source.asked
    client.get("/?from=now-3h", headers={"Accept": "application/json"})
    assert first > 50
    assert source.asked == first


def test_a_span_that_slides_is_asked_for_its_newest_columns_and_is_as_if_asked_anew(tmp_path: Path) -> None:
    world, sliding = World(tmp_path), Sliding()
    Scene(NOW, hours=0.5, targets=HOST).fill(world.store)
    spans: list[tuple[float, float]] = []

    class Watched(Embedded):
        def query_range(self, expr: str, start: float, end: float, step: float) -> Matrix:
            spans.append((start, end))
            return super().query_range(expr, start, end, step)

    source, expr = Watched(world.store), "sum by (mode) (rate(node_cpu_seconds_total[40s]))"
    for tick in range(12):
        if tick == 6:
            Scene(NOW + 120, hours=0.5 + 120 / 3600, targets=HOST).fill(world.store, NOW)
        at = NOW + 10 * tick
        found = sliding.query_range(source, Asked(expr, at - 900, at, 10), at)
        anew = Embedded(world.store).query_range(expr, at - 900, at, 10)
        assert [line.labels for line in found.lines] == [line.labels for line in anew.lines]
        for line, other in zip(found.lines, anew.lines, strict=True):
            assert line.times.tolist() == other.times.tolist()
            assert line.values.tolist() == other.values.tolist()
    assert [start for start, _ in spans[1:]] == [NOW - 50 + 10 * tick for tick in range(11)]
    sliding.query_range(source, Asked(expr, NOW - 900, NOW, 10), NOW + ANEW_SECONDS + 10)
    assert spans[-1] == (NOW - 900, NOW)
    for _ in range(2):
        sliding.query_range(source, Asked("node_load1 @ end()", NOW - 900, NOW, 10), NOW)
    assert spans[-2:] == [(NOW - 900, NOW)] * 2


def test_what_is_settled_is_asked_once_for_all_ticks(tmp_path: Path) -> None:
    world, sliding = World(tmp_path), Sliding()
    Scene(NOW, hours=0.1, targets=HOST).fill(world.store)
    source = Counted(world.store)
    for tick in range(5):
        sliding.query(source, "node_load1", NOW - 60, NOW + 10 * tick)
    assert source.asked == 1
    sliding.query(source, "node_load1", NOW - 60, NOW + ANEW_SECONDS + 1)
    sliding.query(source, "node_load1", NOW, NOW + 10)
    sliding.query(source, "node_load1", NOW, NOW + 10)
    assert source.asked == 4


def test_who_asks_while_a_page_is_built_waits_for_it(tmp_path: Path) -> None:
    """Two hundred ask at once after each tick: built for each of them, the page came to nobody for seconds."""
    world = situations.full(tmp_path)
    services = replace(world.services, source=Memory().of(world.services.source, NOW))
    asked = View(NOW, Zone(0, "UTC"), parse(*DEFAULT, NOW, Zone(0, "UTC")), 240)
    built: list[int] = []
    another = Event()

    def build(_services: Services, _asked: View) -> str:
        built.append(1)
        if len(built) > 1:
            another.set()
        another.wait(0.5)
        return "page"

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda _: once(build, services, asked), range(4))) == ["page"] * 4
    assert len(built) == 1
