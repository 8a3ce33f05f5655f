from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from collectors.model import Event
from history.database import open_database
from history.events import Events
from history.open_events import DAY, close, close_quiet, mark, open_events

T = 1_700_000_000.0
SHELL = Event(
    "shell:1", "security.web_child_process", "critical", "web1", "", T, T, 1, "php-fpm started sh",
    ({"pid": "77"},), "shell", "open", "security",
)  # fmt: skip
PORT = replace(SHELL, id="port:1", kind="security.listener", severity="warning", dedup_key="port", title="nc listens")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path)
    Events(engine).record(
        SHELL, PORT, replace(SHELL, id="info", severity="info"), replace(SHELL, id="over", state="closed"),
        replace(SHELL, id="told", kind="alert"),
    )  # fmt: skip
    yield engine
    engine.dispose()


def ids(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [event.id for event in open_events(connection)]


def test_those_above_info_that_nobody_closed(engine: Engine) -> None:
    assert ids(engine) == ["port:1", "shell:1"]


def test_one_that_is_closed_says_by_whom_and_why(engine: Engine) -> None:
    with engine.begin() as connection:
        assert close(connection, SHELL.id, T + 60, "anna", "our own\x1b converter ") == 1
        assert close(connection, SHELL.id, T + 61, "ben", "again") == 0
    assert ids(engine) == ["port:1"]
    (found,) = (event for event in Events(engine).events(T, T) if event.id == SHELL.id)
    note = {"closed": "2023-11-14 22:14:20 UTC", "by": "anna", "note": "our own  converter"}
    assert (found.state, found.evidence) == ("closed", ({"pid": "77"}, note))


def test_with_those_of_its_key(engine: Engine) -> None:
    more = [replace(SHELL, id=f"shell:{number}", last=T + number) for number in range(2, 4)]
    Events(engine).record(*more, replace(SHELL, id="else", dedup_key=""), replace(SHELL, id="also", dedup_key=""))
    with engine.begin() as connection:
        assert close(connection, SHELL.id, T + 60, "anna", "") == 3
        assert close(connection, "else", T + 60, "anna", "") == 1
    assert ids(engine) == ["also", "port:1"]


def test_what_stays_quiet_is_closed_a_warning_sooner(engine: Engine) -> None:
    def at(now: float) -> list[str]:
        with engine.begin() as connection:
            close_quiet(connection, now)
        return ids(engine)

    assert at(T + DAY) == ["port:1", "shell:1"]
    assert at(T + DAY + 1) == ["shell:1"]
    assert at(T + 7 * DAY) == ["shell:1"]
    assert at(T + 7 * DAY + 1) == []


def test_the_mark_moves_with_whatever_happens_to_them(engine: Engine) -> None:
    seen = []

    def look() -> None:
        with engine.connect() as connection:
            seen.append(mark(connection))

    look()
    Events(engine).record(replace(SHELL, id="shell:2"))
    look()
    with engine.begin() as connection:
        close(connection, PORT.id, T, "anna", "")
    look()
    Events(engine).record(*(replace(SHELL, id=f"shell:{number}") for number in range(3, 9)))  # folded in the end
    look()
    assert len(set(seen)) == 4
    Events(engine).record(replace(SHELL, id="info:2", severity="info", dedup_key="x", state="closed"))
    look()
    assert seen[-1] == seen[-2]


def test_a_folded_one_takes_the_worst_severity_and_opens_again(engine: Engine) -> None:
    quiet = replace(PORT, dedup_key="fold", state="closed", severity="info")
    Events(engine).record(*(replace(quiet, id=f"fold:{number}") for number in range(5)))
    assert "fold:4" not in ids(engine)
    Events(engine).record(replace(quiet, id="fold:5", severity="warning", state="open", title="worse"))
    Events(engine).record(replace(quiet, id="fold:6", title="less"))
    with engine.connect() as connection:
        (found,) = (event for event in open_events(connection) if event.dedup_key == "fold")
    assert (found.id, found.severity, found.count, found.title) == ("fold:4", "warning", 3, "worse")
