import pytest
from sqlalchemy import Engine

from alerts.model import Alert
from alerts.received import RESOLVE_SECONDS, Posted, let_go, receive, received
from tests.alerts.examples import T

LABELS = {"alertname": "Theirs", "host": "db1"}


def kept(engine: Engine, now: float) -> list[Alert]:
    with engine.begin() as connection:
        let_go(connection, now)
        return received(connection, now)


@pytest.mark.a3("Interop", "An alert that is posted fires until its end, or 5 minutes after it came last.")
def test_posted(engine: Engine) -> None:
    receive(engine, [Posted(LABELS, {"summary": "x"}, T - 60)], T)
    [one] = kept(engine, T + 10)
    assert (one.state, one.fired_at, one.annotations) == ("firing", T - 60, {"summary": "x"})
    receive(engine, [Posted({**LABELS, "empty": ""}, {}, T - 30)], T + 200)
    [one] = kept(engine, T + RESOLVE_SECONDS + 100)
    assert (one.state, one.fired_at) == ("firing", T - 60)
    [one] = kept(engine, T + 200 + RESOLVE_SECONDS)
    assert (one.state, one.resolved_at) == ("resolved", T + 200 + RESOLVE_SECONDS)
    assert kept(engine, T + 2 * 3600) == []


def test_ended_by_who_posted_it(engine: Engine) -> None:
    receive(engine, [Posted(LABELS, {}, T, T + 30)], T)
    assert [one.state for one in kept(engine, T + 29)] == ["firing"]
    receive(engine, [Posted(LABELS, {}, T, T + 20)], T + 25)
    assert [(one.state, one.resolved_at) for one in kept(engine, T + 29)] == [("resolved", T + 20)]


def test_over_before_it_came(engine: Engine) -> None:
    receive(engine, [Posted(LABELS, {}, T - 60, T - 30)], T)
    assert kept(engine, T) == []


def test_without_labels(engine: Engine) -> None:
    with pytest.raises(ValueError, match="at least one label"):
        receive(engine, [Posted({"a": ""}, {})], T)


def test_more_than_are_kept(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many come at once; those that are known are still told of."""
    monkeypatch.setattr("alerts.received.MOST", 2)
    three = [Posted({"alertname": name}, {}) for name in "abc"]
    with pytest.raises(ValueError, match="2 alerts are kept"):
        receive(engine, three, T)
    receive(engine, [three[0], three[1], three[0]], T)
    receive(engine, three[:2], T + RESOLVE_SECONDS - 1)
    with pytest.raises(ValueError, match="2 alerts are kept"):
        receive(engine, three[2:], T)
    assert [one.state for one in kept(engine, T + RESOLVE_SECONDS + 1)] == ["firing", "firing"]
