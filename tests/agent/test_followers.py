"""Followers: nothing is counted twice or lost, whenever the process is killed."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.followers import Followed, Kept
from agent.reading import trial
from agent.runner import Runner
from agent.ticking import Watch
from collectors.config import Config
from collectors.errors import Absent, Denied
from collectors.inventory import Inventory
from collectors.model import Collector, Counter, Event, Follower, Sample, State, Target
from collectors.sources.tail import read_new
from history.database import open_database
from history.events import Events
from tests.lab.ports import wait_until

LINES = Counter("web_lines_total", "Lines.", ("word",))
TARGET = Target("web", "h1", "h1")


class Log(Config):
    path: str = ""


def read(config: Log, cursor: Any) -> tuple[Any, Any]:
    if Path(f"{config.path}.closed").exists():
        raise Denied(f"{config.path}: permission denied")
    return read_new(config.path, cursor, 200)


def step(state: State, piece: Any) -> tuple[State, Sequence[Event]]:
    state = dict(state)
    events = []
    offset = piece["offset"]
    for line in piece["text"].splitlines(keepends=True):
        word = line.split()[0]
        if word == "bug":
            raise RuntimeError("a defect of ours")
        state[word] = state.get(word, 0) + 1
        if word == "alarm":
            found = f"log:{piece['node']}:{offset}"
            events.append(Event(found, "test.alarm", "info", "", "", 5.0, 5.0, 1, line.strip(), dedup_key=found))
        offset += len(line.encode())
    return state, events


def samples(state: State) -> Iterable[Sample]:
    return [LINES(count, word) for word, count in state.items()]


FOLLOWER = Follower("lines", (LINES,), read, step, samples)
COLLECTOR = Collector("log", "web", Log, (), lambda _config, host: host, lambda _inventory: [], followers=(FOLLOWER,))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def counts(followed: Followed) -> dict[str, float]:
    return {sample.labels[0]: sample.value for sample in followed.latest()}


def drain(followed: Followed) -> None:
    while followed.look():
        pass


@settings(deadline=None)
@given(st.lists(st.sampled_from(["write", "look", "look", "wait", "kill"]), max_size=30), st.integers(0, 2**32))
def test_a_kill_counts_nothing_twice(tmp_path_factory: pytest.TempPathFactory, steps: list[str], seed: int) -> None:
    folder = tmp_path_factory.mktemp("state")
    engine = open_database(folder)
    dice, clock, kept = random.Random(seed), Clock(), Kept(engine)
    path = folder / "log"
    path.touch()
    written: list[str] = []
    followed = Followed(FOLLOWER, Log(path=str(path)), TARGET, kept, clock)
    followed.look()
    followed._save()
    for what in steps:
        if what == "write":
            new = [dice.choice(["a", "b", "alarm"]) + f" {len(written) + n}" for n in range(dice.randrange(1, 30))]
            written += new
            with path.open("a") as file:
                file.writelines(f"{line}\n" for line in new)
        elif what == "look":
            followed.look()
        elif what == "wait":
            clock.now += 4.0
        else:  # what was not written is gone with it
            followed = Followed(FOLLOWER, Log(path=str(path)), TARGET, kept, clock)
    drain(followed)
    words = [line.split()[0] for line in written]
    assert counts(followed) == {word: words.count(word) for word in set(words)}
    drain(again := Followed(FOLLOWER, Log(path=str(path)), TARGET, kept, clock))
    assert counts(again) == counts(followed)
    found = Events(engine).events_after(0, 10_000)
    alone = {event.title for _, event in found}
    assert sum(event.count for _, event in found) == words.count("alarm")
    assert alone <= {line for line in written if line.startswith("alarm")}
    assert {event.host for _, event in found} <= {"h1"}
    engine.dispose()


def test_nothing_is_published_before_all_was_read_that_came_meanwhile(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    path = tmp_path / "log"
    path.write_text("a 1\n" * 100)
    followed = Followed(FOLLOWER, Log(path=str(path)), TARGET, Kept(engine))
    with pytest.raises(Absent):
        followed.latest()
    assert followed.look()
    with pytest.raises(Absent):
        followed.latest()
    drain(followed)
    assert counts(followed)["a"] > 40
    engine.dispose()


def test_what_the_source_refuses_is_said_until_it_answers(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    path = tmp_path / "log"
    path.write_text("a 1\n")
    followed = Followed(FOLLOWER, Log(path=str(path)), TARGET, Kept(engine))
    drain(followed)

    (closed := tmp_path / "log.closed").touch()
    followed.look()
    with pytest.raises(Denied, match="permission denied"):
        followed.latest()
    closed.unlink()
    followed.look()
    assert counts(followed) == {"a": 1}
    engine.dispose()


def test_the_next_look_is_at_once_only_if_there_may_be_more(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    path = tmp_path / "log"
    path.write_text("a 1\n" * 3)
    few = replace(FOLLOWER, more=lambda piece: len(piece["text"]) > 100)
    followed = Followed(few, Log(path=str(path)), TARGET, Kept(engine))
    assert not followed.look()
    assert counts(followed) == {"a": 3}
    with path.open("a") as file:
        file.write("a 1\n" * 100)
    assert [followed.look() for _ in range(4)] == [True, True, False, False]
    engine.dispose()


def test_a_defect_of_ours_is_passed_over_and_the_rest_counted(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    path = tmp_path / "log"
    path.write_text("a 1\n")
    followed = Followed(FOLLOWER, Log(path=str(path)), TARGET, Kept(engine))
    drain(followed)
    for line in ("bug\n", "a 2\n"):
        with path.open("a") as file:
            file.write(line)
        followed.look()
    drain(followed)
    assert counts(followed) == {"a": 2}
    engine.dispose()


def test_the_runner_follows_and_publishes_it_at_its_ticks(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    path = tmp_path / "log"
    path.write_text("a 1\nb 2\n")
    runner = Runner("h1", kept=Kept(engine))
    runner.set_targets([Watch(COLLECTOR, Log(path=str(path)))])
    runner.start()
    try:
        wait_until(lambda: 'web_lines_total{word="b"} 1' in _page(runner), 20, "the page has the counts")
    finally:
        runner.stop()
    engine.dispose()


def _page(runner: Runner) -> str:
    target = next((target for target in runner.pages.targets() if target.job == "web"), None)
    page = runner.pages.target_page("web", runner.pages.slug(target)) if target else None
    return page.text.decode() if page else ""


def test_a_trial_reads_a_followers_source_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("a 1\n")
    (reading,) = trial(COLLECTOR, Log(path=str(path)))
    assert (reading.outcome, [sample.value for sample in reading.samples]) == ("ok", [1])
    (reading,) = trial(COLLECTOR, Log(path=str(tmp_path / "gone")))
    assert reading.outcome == "absent"
    assert list(COLLECTOR.discover(Inventory("h1"))) == []


def test_one_that_hears_of_events_is_given_this_hosts_new_ones_once(tmp_path: Path) -> None:
    def hear(state: State, payload: Any) -> tuple[State, Sequence[Event]]:
        return {"heard": [*state.get("heard", []), *(event["id"] for event in payload["events"])]}, []

    engine = open_database(tmp_path)
    events, kept = Events(engine), Kept(engine)
    alarm = Event("before", "test.alarm", "info", "h1", "", 5.0, 5.0, 1, "x")
    events.record(alarm)
    follower = replace(FOLLOWER, name="hears", step=hear, samples=lambda _state: [], source="events")
    followed = Followed(follower, Log(), TARGET, kept)
    drain(followed)
    events.record(*(replace(alarm, id=f"{host}:1", host=host) for host in ("h1", "h2", "")))
    drain(followed)
    drain(followed)
    assert followed._state == {"heard": ["h1:1", ":1"]}
    followed._save()
    events.record(replace(alarm, id="h1:2"))
    drain(again := Followed(follower, Log(), TARGET, kept))
    assert again._state == {"heard": ["h1:1", ":1", "h1:2"]}
    engine.dispose()
