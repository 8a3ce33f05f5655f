"""Rules, routes and channels as the configuration gives them to the process."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.alerting import Rules, desk
from agent.configuration import parse
from history.database import open_database
from history.embedded import Embedded
from history.events import Events
from history.local import Local
from history.store import Store

CHANNELS = "notify:\n  webhook: {ops: {url: 'http://127.0.0.1:1/'}%s}\n"


@pytest.fixture
def rules(tmp_path: Path) -> Iterator[Rules]:
    engine = open_database(tmp_path)
    store = Store(engine)
    configuration = parse(CHANNELS % "", "raingauge.yml")
    yield Rules(configuration, Embedded(store), engine, Local(store, Events(engine)), lambda: 1_790_000_000.0)
    engine.dispose()


def test_routes_change_with_a_reload(rules: Rules) -> None:
    assert {route.receiver for route in rules.evaluator.plan().root.routes} == {"ops"}
    rules.reload(parse(CHANNELS % "" + "  route: {receiver: ops, group_wait: 7s}\n", "raingauge.yml"))
    assert rules.desk.plan().root.group_wait == 7


def test_routes_to_a_channel_that_is_not_there_yet_wait_for_the_next_start(
    rules: Rules, caplog: pytest.LogCaptureFixture
) -> None:
    before = rules.evaluator.plan()
    more = CHANNELS % ", new: {url: 'http://127.0.0.1:1/'}"
    rules.reload(parse(more + "  route: {receiver: new}\n", "raingauge.yml"))
    assert rules.evaluator.plan() == before
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "new=new" in caplog.text


def test_the_desk_of_a_configuration(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    found = desk(parse(CHANNELS % "", "raingauge.yml"), engine)
    assert list(found.receivers) == ["ops"]
    assert found.standings() == []
    engine.dispose()
