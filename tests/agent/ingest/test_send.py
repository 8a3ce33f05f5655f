"""What is sent on, to a receiver that is as strict as Prometheus and loses answers."""

import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.ingest.remote_write import RemoteWrite
from agent.ingest.send import DROPPED, REFUSED, SENT, Forwarding, Sender
from agent.ingest.wire import decode, unpacked
from collectors.model import Family, Gauge, Sample, Target
from history.samples import STALE_BITS
from tests.lab.ports import wait_until

LOAD = Gauge("load", "Load.", ("cpu",))
TARGET = Target("node", "a", "a")


@dataclass
class Strict:
    """Takes a request as a whole or not at all, and of a series nothing from before what it has."""

    statuses: list[int] = field(default_factory=list)
    """Of the first answers; 0: it takes the request, and the answer gets lost."""
    paths: list[str] = field(default_factory=list)
    taken: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    url: str = ""

    def answer(self, body: bytes) -> int:
        status = self.statuses.pop(0) if self.statuses else 204
        if status not in (0, 204):
            return status
        series = decode(unpacked(body))
        for each in series:
            have = self.taken.get(each.labels.get("cpu", ""), [])
            if have and each.points[0][0] < have[-1][0]:
                return 400
        for each in series:
            have = self.taken.setdefault(each.labels.get("cpu", ""), [])
            have += [point for point in each.points if point not in have]
        return status


@contextmanager
def serving(strict: Strict) -> Iterator[Strict]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            strict.paths.append(self.path)
            status = strict.answer(self.rfile.read(int(self.headers["Content-Length"])))
            if status:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    strict.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield strict
    server.shutdown()
    server.server_close()
    thread.join()


class Kept:
    """A sink that keeps nothing."""

    def append(self, target: Target, t: float, samples: Sequence[Sample]) -> None: ...
    def record(self, *events: Any) -> None: ...


@contextmanager
def sending(strict: Strict, folder: Path, path: str = "/write") -> Iterator[tuple[Sender, Forwarding]]:
    sender = Sender(RemoteWrite.model_validate({"url": strict.url + path}), folder)
    sender.start()
    yield sender, Forwarding(Kept(), [sender])
    sender.stop()


def count(sender: Sender, family: Family) -> float:
    return next(sample.value for sample in sender.samples() if sample.family is family)


def ticks(forwarding: Forwarding, stamps: Sequence[int]) -> None:
    for stamp in stamps:
        forwarding.append(TARGET, stamp, [LOAD(stamp, "0")])


def wanted(*stamps: int) -> list[tuple[int, float]]:
    return [(stamp * 1000, float(stamp)) for stamp in stamps]


def test_an_answer_that_got_lost_costs_nothing_of_what_came_after_it(tmp_path: Path) -> None:
    """What was taken comes again together with new ticks, and the receiver rejects all of that."""
    with serving(Strict([503])) as strict, sending(strict, tmp_path) as (sender, forwarding):
        ticks(forwarding, [1, 2])
        wait_until(lambda: strict.paths, 10, "it was asked once")
        strict.statuses = [0]
        wait_until(lambda: strict.taken, 10, "it has taken the first two, and we do not know")
        ticks(forwarding, [3, 4, 5])
        wait_until(lambda: len(strict.taken["0"]) == 5, 10, "the others have arrived")
        wait_until(lambda: not sender.queue.batch(1)[0], 10, "nothing waits")
        assert strict.taken["0"] == wanted(1, 2, 3, 4, 5)


@pytest.mark.parametrize("status", [301, 302, 429, 500, 503])
def test_what_was_not_taken_is_sent_again(tmp_path: Path, status: int) -> None:
    with serving(Strict([status])) as strict, sending(strict, tmp_path) as (sender, forwarding):
        ticks(forwarding, [1])
        wait_until(lambda: strict.taken, 10, "it has arrived")
        wait_until(lambda: count(sender, SENT) == 1, 10, "once")
        assert (len(strict.paths), count(sender, REFUSED)) == (2, 0)


@pytest.mark.parametrize("status", [400, 401, 404])
def test_what_is_rejected_is_counted_and_not_sent_again(tmp_path: Path, status: int) -> None:
    with serving(Strict([status])) as strict, sending(strict, tmp_path) as (sender, forwarding):
        ticks(forwarding, [1])
        wait_until(lambda: count(sender, REFUSED) == 1, 10, "it was rejected")
        ticks(forwarding, [2])
        wait_until(lambda: count(sender, SENT) == 1, 10, "the next is taken")
        assert strict.taken["0"] == wanted(2)
        assert count(sender, DROPPED) == 0


def test_the_address_keeps_its_query(tmp_path: Path) -> None:
    with serving(Strict()) as strict, sending(strict, tmp_path, "/write?db=drupal") as (_, forwarding):
        ticks(forwarding, [1])
        wait_until(lambda: strict.paths == ["/write?db=drupal"], 10, "it was asked with its query")


def test_a_series_that_ends_has_a_stale_marker(tmp_path: Path) -> None:
    with serving(Strict()) as strict, sending(strict, tmp_path) as (_, forwarding):
        forwarding.append(TARGET, 1, [LOAD(1, "0"), LOAD(1, "1")])
        forwarding.append(TARGET, 2, [LOAD(2, "1")])
        wait_until(lambda: len(strict.taken.get("0", ())) == 2, 10, "both have arrived")
        assert [stamp for stamp, _ in strict.taken["0"]] == [1000, 2000]
        assert struct.pack("<d", strict.taken["0"][1][1]) == STALE_BITS.tobytes()


@pytest.mark.parametrize("url", ["http://host:99999/x", "ftp://host/x", "http:///x", "write"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="expected an http:// or https:// address"):
        RemoteWrite.model_validate({"url": url})
