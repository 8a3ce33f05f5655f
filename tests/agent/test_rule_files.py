import logging
import os
from pathlib import Path

import pytest

from agent.configuration import Configuration
from agent.rule_files import RuleFiles
from alerts.model import Group
from tests.alerts.examples import T, database
from tests.alerts.test_evaluator import Host, group

GOOD = "groups: [{name: own, rules: [{alert: A, expr: vector(1)}]}]\n"
OTHER = "groups: [{name: own, rules: [{alert: B, expr: vector(1)}]}]\n"
BAD = "groups:\n- name: own\n  colour: red\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    return tmp_path / "rules" / "own.yml"


def files(file: Path) -> RuleFiles:
    return RuleFiles(Configuration(rules=(str(file.parent / "*.yml"),), shipped_rules=False))


def write(file: Path, text: str) -> None:
    """With another stamp than before, however coarse the file system's clock is."""
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text)
    os.utime(file, ns=(before + 10**9, before + 10**9))


def names(groups: list[Group]) -> list[str]:
    return [rule.alert for group in groups for rule in group.rules]


def test_a_change_is_seen_once(file: Path) -> None:
    write(file, GOOD)
    watched = files(file)
    running, errors = watched.load()
    assert (names(running), errors, watched.changed(running)) == (["A"], [], None)
    write(file, OTHER)
    loaded = watched.changed(running)
    assert loaded
    assert names(loaded[0]) == ["B"]
    assert watched.changed(loaded[0]) is None


def test_files_come_and_go(file: Path) -> None:
    write(file, GOOD)
    watched = files(file)
    running, _ = watched.load()
    write(file.with_name("second.yml"), OTHER)
    loaded = watched.changed(running)
    assert loaded
    assert names(loaded[0]) == ["A", "B"]
    file.unlink()
    loaded = watched.changed(loaded[0])
    assert loaded
    assert names(loaded[0]) == ["B"]


def test_another_configuration_is_taken_at_the_next_look(file: Path) -> None:
    write(file, GOOD)
    watched = files(file)
    running, _ = watched.load()
    watched.configure(Configuration(rules=(), shipped_rules=False))
    assert watched.changed(running) == ([], [])
    assert watched.changed([]) is None


def test_a_bad_file_never_replaces_the_good_one_and_is_logged_once(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(file, GOOD)
    watched = files(file)
    running, _ = watched.load()
    assert [sample.value for sample in watched.samples()] == [0]
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            write(file, BAD)
            loaded = watched.changed(running)
            assert loaded
            running, errors = loaded
            assert names(running) == ["A"]
            assert next(str(error) for error in errors).startswith(f"{file}:3: colour: expected ")
    assert len(caplog.records) == 1
    assert [(sample.labels, sample.value) for sample in watched.samples()] == [((str(file),), 1)]
    write(file, OTHER)
    loaded = watched.changed(running)
    assert loaded
    assert (names(loaded[0]), loaded[1]) == (["B"], [])
    assert [sample.value for sample in watched.samples()] == [0]


def test_the_evaluator_takes_it_at_its_next_cycle(file: Path, tmp_path: Path) -> None:
    write(file, GOOD)
    watched = files(file)
    engine = database(tmp_path)
    host: Host
    host = Host(engine, group(), changed=lambda: watched.changed(host.evaluator.groups()))
    assert host.tick() == [("A", "firing")]
    write(file, OTHER)
    assert host.tick() == [("B", "firing")]
    assert [(event.title, event.state) for event in host.sink.events][-2:] == [
        ("A resolved", "closed"),
        ("B firing", "open"),
    ]
    write(file, BAD)
    assert host.tick() == [("B", "firing")]
    assert [error.line for error in host.evaluator.errors()] == [3]
    assert host.now == T + 30
    engine.dispose()
