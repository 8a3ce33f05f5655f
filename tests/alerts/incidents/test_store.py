"""Incidents are kept."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from alerts.incidents import store
from alerts.incidents.grouping import step
from alerts.incidents.model import Cause, Change, Incident, Mover
from alerts.model import Alert
from tests.alerts.examples import T
from tests.alerts.incidents.test_grouping import GRAPH, fires, over


def seen(engine: Engine, now: float, *alerts: Alert) -> None:
    with engine.begin() as connection:
        before = store.current(connection, now)
        store.save(connection, before, step(before, alerts, now, GRAPH), now)


def kept(engine: Engine, **options: bool) -> tuple[Incident, ...]:
    with engine.connect() as connection:
        return store.incidents(connection, **options)


def test_open_ones_come_first_then_the_newest(engine: Engine) -> None:
    old, new = fires("A"), fires("B", T + 5000)
    seen(engine, T, old)
    seen(engine, T + 5000, old, new)
    seen(engine, T + 5100, old, over(new, T + 5100))
    assert [one.alerts[0].name for one in kept(engine)] == ["A", "B"]
    assert [one.alerts[0].name for one in kept(engine, open_only=True)] == ["A"]


def test_it_comes_back_as_it_was(engine: Engine) -> None:
    a, b = fires("A", site="shop"), fires("B", T + 60, severity="warning")
    seen(engine, T, a)
    seen(engine, T + 60, a, b)
    (found,) = kept(engine)
    assert found == replace(step((), [a, b], T + 60, GRAPH)[0], id=1)
    explained = replace(
        found, symptom="slow", command="ls", causes=(Cause("database", "it is down", ("a", "b"), T, "MysqlDown"),),
        movers=(Mover("Queries", "q", "database", 1.5, 2.5, "per_second", T, 9.0),),
        changes=(Change(T, "deploy", "Deployed", "shop"),),
    )  # fmt: skip
    with engine.begin() as connection:
        assert store.unexplained(connection, T + 61) == (found,)
        store.explain(connection, explained, T + 61)
        assert store.unexplained(connection, T + 62) == ()
        assert store.incident(connection, 1) == explained
        assert store.incident(connection, 2) is None


def test_it_is_explained_again_as_it_grows_or_is_back(engine: Engine) -> None:
    def due(now: float = T + 9000) -> bool:
        with engine.connect() as connection:
            return bool(store.unexplained(connection, now))

    def explain(at: float) -> None:
        with engine.begin() as connection:
            store.explain(connection, kept(engine)[0], at)

    a, b = fires("A"), fires("B", T + 60)
    seen(engine, T, a)
    explain(T)
    seen(engine, T + 30, replace(a, annotations={"summary": "worse"}))
    assert not due()
    seen(engine, T + 60, a, b)
    assert due()
    explain(T + 60)
    seen(engine, T + 70, over(a, T + 70), over(b, T + 70))
    assert not due()
    seen(engine, T + 90, a)
    assert due()


def test_a_quiet_cycle_keeps_what_was_explained(engine: Engine) -> None:
    a = fires("A")
    seen(engine, T, a)
    with engine.begin() as connection:
        store.explain(connection, replace(kept(engine)[0], symptom="Pages fail"), T)
    seen(engine, T + 10, a, fires("B", T + 10))
    assert kept(engine)[0].symptom == "Pages fail"


def test_notes(engine: Engine) -> None:
    seen(engine, T, fires("A"))
    with engine.begin() as connection:
        store.add_note(connection, 1, "jo", " restarted it ", T + 5)
        with pytest.raises(KeyError):
            store.add_note(connection, 9, "jo", "x", T)
        with pytest.raises(ValueError, match="expected 1 to 4000 characters"):
            store.add_note(connection, 1, "jo", " ", T)
    assert [(note.by, note.text, note.at) for note in kept(engine)[0].notes] == [("jo", "restarted it", T + 5)]


def test_after_a_year_and_a_month_it_is_let_go(engine: Engine) -> None:
    a = fires("A")
    seen(engine, T, a)
    with engine.begin() as connection:
        store.add_note(connection, 1, "jo", "x", T)
    seen(engine, T + 60, over(a, T + 60))
    late = T + store.KEPT_SECONDS + 100
    seen(engine, late, fires("B", late))
    assert [one.alerts[0].name for one in kept(engine)] == ["B"]
    assert kept(engine)[0].notes == ()
