"""What is known beyond the alerts, in messages."""

import pytest
from sqlalchemy import Engine

from alerts.delivery import Delivery
from alerts.message.context import Context
from alerts.notices import Notice
from alerts.notifier import Answer, Request
from tests.alerts import told
from tests.alerts.examples import T, alert, tell


def test_what_is_known_beyond_the_alerts_is_asked_for_at_each_try(engine: Engine) -> None:
    asked: list[Notice] = []
    channel = told.channel("ntfy")
    sent: list[Request] = []

    def context(notice: Notice) -> Context:
        asked.append(notice)
        return Context(number=f"{len(asked)} of 9")

    def send(request: Request, _timeout: float) -> Answer:
        sent.append(request)
        return Answer(503 if len(sent) == 1 else 200)

    delivery = Delivery(engine, [channel], lambda: T + 60 * len(asked), send, lambda: 0.0, context=context)
    tell(engine, channel, alert())
    delivery.deliver_next(channel)
    delivery.deliver_next(channel)
    lines = [request.json["message"].partition("\n")[0] for request in sent]
    assert lines == ["web1 is broken: 1 of 9, for 1 min", "web1 is broken: 2 of 9, for 2 min"]
    assert len({notice.id for notice in asked}) == 1


def test_a_message_goes_without_what_cannot_be_found_out(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    def context(_notice: Notice) -> Context:
        raise KeyError("s3cret")

    channel = told.channel("ntfy")
    delivery = Delivery(engine, [channel], lambda: T, lambda *_: Answer(200), context=context)
    tell(engine, channel, alert())
    delivery.deliver_next(channel)
    assert delivery.stats["ops"].sent == 1
    assert "message without its context: KeyError in context" in caplog.text
    assert "s3cret" not in caplog.text
