"""What is written to us: how it is grouped into ticks, and what is refused so that it is sent again, or is not."""

import http.client
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.exporter import Exporter, Receiving
from agent.ingest.receive import AHEAD, AT_ONCE, MOST_STAMP, ReceiveError, Receiver
from agent.ingest.wire import Series, encode, packed
from agent.pages import Pages
from history.database import open_database
from history.embedded import Embedded
from history.model import Vector
from history.samples import STALE_BITS
from history.store import Store

NOW = 1_790_000_000
STALE = float(STALE_BITS.view("float64"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(open_database(tmp_path))


def at(seconds: float, value: float, name: str = "node_load1", **labels: str) -> Series:
    return Series({"__name__": name, "job": "node", "instance": "a", **labels}, [(round(seconds * 1000), value)])


def body(*series: Series) -> bytes:
    return packed(encode(series))


def values(store: Store, expr: str, seconds: float) -> list[float]:
    found = Embedded(store).query(expr, seconds)
    assert isinstance(found, Vector)
    return [point.value for point in found.points]


@pytest.mark.parametrize("name", ["instance:load:avg", "ALERTS", "ALERTS_FOR_STATE"])
def test_what_a_rule_has_recorded_does_not_end_the_series_of_the_scrape(store: Store, name: str) -> None:
    receiver = Receiver(store, lambda: NOW)
    for second in (0, 15):
        receiver.take(body(at(NOW + second, 1)))
        receiver.take(body(at(NOW + second + 5, 2, name)))
    for second in (16, 21):
        assert values(store, "node_load1", NOW + second) == [1]
        assert values(store, f'{{__name__="{name}"}}', NOW + second) == [2]


def test_a_scrape_in_several_requests_is_one_and_what_comes_again_changes_nothing(store: Store) -> None:
    receiver = Receiver(store, lambda: NOW)
    first, second = body(at(NOW, 1, cpu="0")), body(at(NOW, 2, cpu="1"))
    for request in (first, second, first):
        receiver.take(request)
    assert sorted(values(store, "node_load1", NOW + 1)) == [1, 2]


def test_a_stale_marker_ends_its_series_and_no_other(store: Store) -> None:
    receiver = Receiver(store, lambda: NOW)
    receiver.take(body(at(NOW, 1, cpu="0"), at(NOW, 2, cpu="1")))
    receiver.take(body(at(NOW + 15, STALE, cpu="0"), at(NOW + 15, 3, cpu="1")))
    assert values(store, "node_load1", NOW + 16) == [3]


@pytest.mark.parametrize(
    ("series", "words"),
    [
        (Series({"job": "a"}, [(NOW * 1000, 1.0)]), "expected the label __name__"),
        (at(NOW + AHEAD + 1, 1), "1 samples are from before what is sealed, or ahead of us"),
        (Series({"__name__": "a"}, [(2**63 - 1, 1.0)]), "no time in milliseconds"),
        (Series({"__name__": "a"}, [(-MOST_STAMP - 1, 1.0)]), "no time in milliseconds"),
    ],
)
def test_what_can_never_be_stored_is_not_asked_for_again(store: Store, series: Series, words: str) -> None:
    receiver = Receiver(store, lambda: NOW)
    with pytest.raises(ReceiveError, match=words) as caught:
        receiver.take(body(series))
    assert caught.value.status == 400
    assert store.newest is None


class Slow:
    """A store that takes as long as it is told to."""

    def __init__(self) -> None:
        self.inside = threading.Semaphore(0)
        self.go_on = threading.Event()

    def append_many(self, _ticks: Sequence[Any], *, more: bool) -> None:
        self.inside.release()
        self.go_on.wait(20)


def test_when_too_many_write_the_next_is_told_to_come_again() -> None:
    slow: Any = Slow()
    receiver = Receiver(slow, lambda: NOW, patience=0.05)
    threads = [threading.Thread(target=receiver.take, args=[body(at(NOW, 1))]) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert slow.inside.acquire(timeout=20)
    with pytest.raises(ReceiveError) as caught:
        receiver.take(body(at(NOW, 1)))
    assert caught.value.status == 503
    slow.go_on.set()
    for thread in threads:
        thread.join(20)
    receiver.take(body(at(NOW, 1)))


@pytest.fixture
def exporter(store: Store) -> Iterator[Exporter]:
    receiver = Receiver(store, lambda: NOW)
    running = Exporter("127.0.0.1", 0, Pages(), receiving=Receiving(receiver.take, lambda header: header == "yes"))
    running.start()
    yield running
    running.stop()


@pytest.mark.parametrize(
    ("content_type", "token", "status"),
    [
        ("application/x-protobuf", "yes", 204),
        ("application/x-protobuf;proto=prometheus.WriteRequest", "yes", 204),
        ("application/x-protobuf;proto=io.prometheus.write.v2.Request", "yes", 415),
        ("application/x-protobuf", "no", 401),
    ],
)
def test_what_the_exporter_answers(exporter: Exporter, content_type: str, token: str, status: int) -> None:
    connection = http.client.HTTPConnection(exporter.url.removeprefix("http://"), timeout=60)
    connection.request(
        "POST", "/api/v1/write", body(at(NOW, 1)), {"Content-Type": content_type, "Authorization": token}
    )
    assert connection.getresponse().status == status
    connection.close()
