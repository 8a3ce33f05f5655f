"""The ping to a watch outside: it comes while there is progress, and stays away when something is stuck."""

from collections.abc import Mapping

import pytest

from agent.configuration import ConfigurationError, parse
from agent.dead_man import PINGS, PROGRESS, DeadMan, Watch, stuck
from collectors.config import Secret
from tests.alerts.receiver import Receiver

URL = "http://127.0.0.1:1/hunter2"


def counted(watch: Watch) -> Mapping[str, float]:
    return {sample.labels[0]: sample.value for sample in watch.samples() if sample.family is PINGS}


def test_what_is_stuck_is_named() -> None:
    assert stuck({"rules": 100.0, "delivery": 280.0}, 281.0, 60.0) == ["rules"]
    assert stuck({"rules": 100.0}, 280.0, 60.0) == []
    assert stuck({"rules": 100.0}, 50.0, 60.0) == []


def test_it_is_sent_while_all_gets_on_and_withheld_else(caplog: pytest.LogCaptureFixture) -> None:
    now, progress = 1000.0, {"rules": 1000.0}
    with Receiver() as outside:
        watch = Watch(DeadMan(url=Secret(outside.url)), lambda: progress, lambda: now)
        watch.ping()
        now = 2000.0
        watch.ping()
        progress = {"rules": 1990.0}
        watch.ping()
    assert counted(watch) == {"sent": 2, "withheld": 1, "failed": 0}
    assert "no progress of rules" in caplog.text


def test_a_watch_that_is_away_is_said_once_and_its_address_never(caplog: pytest.LogCaptureFixture) -> None:
    watch = Watch(DeadMan(url=Secret(URL)), dict, lambda: 1.0)
    for _ in range(3):
        watch.ping()
    assert counted(watch) == {"sent": 0, "withheld": 0, "failed": 3}
    assert len(caplog.records) == 1
    assert "hunter2" not in caplog.text + repr(watch._settings)


def test_a_peer_is_shown_what_got_on_when() -> None:
    watch = Watch(DeadMan(), lambda: {"rules": 100.0, "delivery": 0.0}, lambda: 1.0)
    assert watch.samples() == [PROGRESS(100.0, "rules")]  # delivery has not begun


def test_without_an_address_there_is_no_ping() -> None:
    watch = Watch(DeadMan(), dict, lambda: 1.0)
    watch.start()
    watch.stop()
    assert watch.samples() == []
    with pytest.raises(ConfigurationError, match=r"dead_man\.url"):
        parse("dead_man: {url: 'ftp://x'}", "f.yml")
