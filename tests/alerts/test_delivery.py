import http.client
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from alerts import state
from alerts.delivery import Delivery, retry_wait
from alerts.notifier import Answer, Channel, Request, verdict
from alerts.post import retry_after_seconds
from tests.alerts.examples import T, alert, database, tell, webhook
from tests.alerts.receiver import BlackHole, Receiver
from tests.lab.ports import free_port, wait_until


class Hand:
    """A delivery without threads, network or waiting: each answer is given, the clock moves by hand."""

    def __init__(self, engine: Engine, *answers: Answer | Exception, channel: Channel | None = None) -> None:
        self.engine = engine
        self.channel = channel or webhook()
        self.now = T
        self.answers = list(answers)
        self.sent: list[Request] = []
        self.delivery = Delivery(engine, [self.channel], lambda: self.now, self._send, lambda: 1.0)

    def _send(self, request: Request, _timeout: float) -> Answer:
        self.sent.append(request)
        answer = self.answers.pop(0) if self.answers else Answer(200)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def go(self, after: float = 0.0) -> None:
        self.now += after
        self.delivery.deliver_next(self.channel)

    @property
    def stats(self) -> tuple[int, int, int]:
        stats = self.delivery.stats[self.channel.name]
        return stats.sent, stats.retries, stats.failed


@pytest.mark.parametrize(("status", "meaning"), [
    (200, "done"), (204, "done"), (301, "permanent"), (400, "permanent"), (401, "permanent"), (404, "permanent"),
    (408, "retry"), (429, "retry"), (500, "retry"), (503, "retry"),
])  # fmt: skip
def test_verdict(status: int, meaning: str) -> None:
    assert verdict(status) == meaning


def test_waits_grow_to_a_minute() -> None:
    assert [retry_wait(n, 1.0) for n in (0, 1, 2)] == [0.5, 0.75, 1.125]
    assert retry_wait(1000, 1.0) == 60
    assert retry_wait(1000, 0.0) == 0
    assert retry_wait(0, 1.0, retry_after=30) == 30
    assert retry_wait(0, 1.0, retry_after=1e9) == 3600


@pytest.mark.parametrize(("header", "seconds"), [
    ("", 0), ("120", 120), ("Tue, 14 Nov 2023 22:14:20 GMT", 60), ("Mon, 13 Nov 2023 22:14:20 GMT", 0), ("soon", 0),
])  # fmt: skip
def test_retry_after(header: str, seconds: float) -> None:
    assert retry_after_seconds(header, T) == seconds


def test_delivered_once(engine: Engine) -> None:
    hand = Hand(engine)
    assert tell(engine, hand.channel, alert()) == 1
    hand.go()
    hand.go()
    assert (len(hand.sent), hand.stats) == (1, (1, 0, 0))
    assert state.waiting(engine) == {}


@pytest.mark.parametrize("trouble", [
    Answer(500), Answer(408), Answer(429), ConnectionRefusedError(111, "refused"), TimeoutError("timed out"),
    http.client.RemoteDisconnected("gone"), RuntimeError("a bug"),
], ids=str)  # fmt: skip
def test_retried_until_it_works(engine: Engine, trouble: Answer | Exception) -> None:
    hand = Hand(engine, trouble, trouble)
    tell(engine, hand.channel, alert())
    hand.go()
    hand.go()  # not due
    assert len(hand.sent) == 1
    hand.go(0.5)
    hand.go(0.75)
    assert (len(hand.sent), hand.stats) == (3, (1, 2, 0))


def test_retry_after_is_honoured(engine: Engine) -> None:
    hand = Hand(engine, Answer(429, "90"))
    tell(engine, hand.channel, alert())
    hand.go()
    hand.go(89)
    assert len(hand.sent) == 1
    hand.go(1)
    assert hand.stats == (1, 1, 0)


def test_refused_for_good_is_kept_and_logged_once(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    hand = Hand(engine, Answer(400))
    tell(engine, hand.channel, alert())
    hand.go()
    hand.go(1000)
    assert (len(hand.sent), hand.stats) == (1, (0, 0, 1))
    assert state.failed(engine) == [("ops", '{}:{alertname="Broken", host="web1"}', T, "HTTP 400")]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_each_try_bears_the_same_key(engine: Engine) -> None:
    hand = Hand(engine, Answer(503))
    tell(engine, hand.channel, alert())
    hand.go()
    hand.go(60)
    first, second = (request.headers["Idempotency-Key"] for request in hand.sent)
    assert first == second


def test_given_up_after_a_day(engine: Engine) -> None:
    hand = Hand(engine, *[Answer(503)] * 9)
    tell(engine, hand.channel, alert())
    hand.go()
    hand.go(86400)
    assert hand.stats == (0, 1, 1)


def test_trouble_is_logged_on_change(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    hand = Hand(engine, Answer(500), Answer(500), Answer(503))
    tell(engine, hand.channel, alert())
    for _ in range(4):
        hand.go(60)
    assert [record.getMessage().rpartition(" ")[2] for record in caplog.records] == ["500", "503", "again"]


def test_fired_and_resolved_before_delivery_is_one_message(engine: Engine) -> None:
    hand = Hand(engine, Answer(500))
    tell(engine, hand.channel, alert())
    hand.go()
    tell(engine, hand.channel, alert(state="resolved"), now=T + 30)
    hand.go(60)
    hand.go(60)
    assert [request.json["status"] for request in hand.sent] == ["firing", "resolved"]
    assert hand.sent[1].json["alerts"][0]["startsAt"] < hand.sent[1].json["alerts"][0]["endsAt"]
    assert hand.stats == (1, 1, 0)


def test_replaced_while_on_its_way_the_newer_one_still_goes(engine: Engine) -> None:
    hand = Hand(engine)
    tell(engine, hand.channel, alert())
    message = state.next_message(engine, "ops")
    assert message
    tell(engine, hand.channel, alert(state="resolved"), now=T + 30)
    state.sent(engine, message)
    hand.go()
    hand.go()
    assert [request.json["status"] for request in hand.sent] == ["resolved"]


def test_refused_while_replaced_the_newer_one_is_tried(engine: Engine) -> None:
    hand = Hand(engine)
    tell(engine, hand.channel, alert())
    message = state.next_message(engine, "ops")
    assert message
    tell(engine, hand.channel, alert(), alert(disk="sda"), now=T + 30)
    state.bury(engine, message, T + 31, "HTTP 400")
    hand.go(32)
    assert len(hand.sent[0].json["alerts"]) == 2


def test_a_resolve_goes_only_to_who_got_the_firing(engine: Engine) -> None:
    hand = Hand(engine, Answer(400))
    tell(engine, hand.channel, alert())
    hand.go()
    assert tell(engine, hand.channel, alert(state="resolved"), now=T + 30) == 0
    assert tell(engine, webhook(name="new"), alert(state="resolved"), now=T + 30) == 0
    assert tell(engine, hand.channel, alert(), now=T + 60) == 1  # news again


def test_no_secret_in_logs_or_the_database(engine: Engine, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.DEBUG)
    channel = webhook(f"http://127.0.0.1:{free_port()}/s3cret", token="s3cret\nbad")
    delivery = Delivery(engine, [channel], lambda: T, fraction=lambda: 0.0)
    tell(engine, channel, alert())
    delivery.deliver_next(channel)  # ValueError: newline in a header
    channel = webhook(f"http://127.0.0.1:{free_port()}/s3cret path\x7f")
    delivery.deliver_next(channel)  # InvalidURL
    assert len(caplog.records) >= 1
    assert "s3cret" not in caplog.text
    assert b"s3cret" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


class TestOverTheWire:
    def test_a_receiver_that_fails_first(self, engine: Engine) -> None:
        with Receiver(500, 429) as receiver:
            channel = webhook(receiver.url, token="t0ken")
            tell(engine, channel, alert())
            delivery = Delivery(engine, [channel], lambda: T, fraction=lambda: 0.0)
            delivery.start()
            bodies = [receiver.body() for _ in range(3)]
            wait_until(lambda: not state.waiting(engine), 10, "the outbox is empty")
            delivery.stop()
        assert [body["answered"] for body in bodies] == [500, 429, 200]
        assert receiver.headers[0]["Authorization"] == "Bearer t0ken"
        assert receiver.headers[0]["Content-Type"] == "application/json"

    def test_a_receiver_that_hangs_delays_no_other(self, engine: Engine) -> None:
        with BlackHole() as hole, Receiver() as receiver:
            stuck, well = webhook(hole.url, "stuck", timeout=30), webhook(receiver.url, "well")
            delivery = Delivery(engine, [stuck, well])
            delivery.start()
            for channel in (stuck, well):
                tell(engine, channel, alert())
            delivery.wake()
            assert receiver.body()["receiver"] == "well"
            tell(engine, well, alert(), alert(disk="sda"), now=T + 1)
            delivery.wake()
            assert len(receiver.body()["alerts"]) == 2
            delivery.stop(timeout=0.1)
            assert state.waiting(engine)["stuck"] == (1, T)

    def test_no_answer_in_time_is_retried(self, engine: Engine) -> None:
        with BlackHole() as hole:
            channel = webhook(hole.url, timeout=0.05)
            tell(engine, channel, alert())
            delivery = Delivery(engine, [channel], lambda: T)
            delivery.deliver_next(channel)
        assert delivery.stats["ops"].last_error == "TimeoutError: timed out"
        assert delivery.stats["ops"].retries == 1


KILLED = """
import os, signal, sys
from pathlib import Path
from alerts.delivery import Delivery
from tests.alerts.examples import alert, database, tell, webhook

state, url, when = sys.argv[1:]
engine = database(Path(state))
channel = webhook(url)
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
if when == "in the transaction":
    with engine.begin() as connection:
        from alerts.pipeline import tell_channels
        tell_channels(connection, [channel], [alert()], 1700000000.0)
        die()
tell(engine, channel, alert())
if when == "saved":
    die()
delivery = Delivery(engine, [channel])
if when == "sent":
    import alerts.state
    alerts.state.sent = die
delivery.deliver_next(channel)
"""


@pytest.mark.parametrize(("when", "messages"), [("in the transaction", 0), ("saved", 1), ("sent", 2)])
def test_killed_at_any_point_it_is_told_at_least_once(tmp_path: Path, when: str, messages: int) -> None:
    with Receiver() as receiver:
        command = [sys.executable, "-c", KILLED, str(tmp_path), receiver.url, when]
        killed = subprocess.run(command, check=False, capture_output=True, text=True, cwd=Path(__file__).parents[2])
        assert killed.returncode == -9, killed.stderr
        engine = database(tmp_path)
        channel = webhook(receiver.url)
        delivery = Delivery(engine, [channel])
        delivery.deliver_next(channel)
        assert receiver.bodies.qsize() == messages
        # What was lost with its transaction is news at the next cycle; what was not is none.
        assert tell(engine, channel, alert()) == (1 if messages == 0 else 0)
        received = [receiver.body() for _ in range(messages)]
        assert len({json.dumps([body["groupKey"], body["alerts"]]) for body in received}) == min(messages, 1)
        engine.dispose()
