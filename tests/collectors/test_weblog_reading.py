"""Many logs at once: none holds up another, and nothing is counted twice or lost."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.followers import Followed, Kept
from agent.reading import once, trial
from collectors.errors import Absent, Denied
from collectors.model import Target
from collectors.weblog import COLLECTOR, reading
from collectors.weblog.config import LogFile, Weblog
from collectors.weblog.formats import COMBINED
from collectors.weblog.reading import read
from history.database import open_database
from history.events import Events
from tests.collectors.test_weblog_windows import line
from tests.lab.nobody import as_nobody

FOLLOWER = COLLECTOR.followers[0]
TARGET = Target("web", "h1", "h1")


def logs(*paths: Path, **more: Any) -> Weblog:
    return Weblog(files=tuple(LogFile(path=str(path), site=path.stem, **more) for path in paths))


def texts(payload: Any) -> Mapping[str, str]:
    return {Path(piece["path"]).stem: piece["text"] for piece in payload["pieces"]}


def test_each_log_is_read_in_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 3000)
    monkeypatch.setattr(reading, "LEAST_SHARE", 1000)
    paths = [tmp_path / f"{name}.log" for name in "abcdef"]
    for path in paths:
        path.touch()
    config = logs(*paths)
    _, cursor = read(config, None)
    for path in paths:
        path.write_text(line(0, "198.51.100.7", f"/{path.stem}") * 1000)
    seen = []
    for _ in range(4):
        payload, cursor = read(config, cursor)
        assert sum(len(text) for text in texts(payload).values()) <= 3000 + 1000
        seen.append("".join(texts(payload)))
    assert seen[0] == "abcd"[: len(seen[0])]
    assert set("".join(seen)) == set("abcdef")
    (tmp_path / "a.log").write_text("new\n")  # truncated
    while True:
        payload, cursor = read(config, cursor)
        if payload is None:
            break
        last = payload
    assert cursor["readable"] == dict.fromkeys(map(str, paths), 1)
    assert last["pieces"]


def test_a_log_that_we_may_not_read_does_not_stop_the_others(place: Path) -> None:
    good, closed, gone = (place / f"{name}.log" for name in ("good", "closed", "gone"))
    good.write_text(line(0, "198.51.100.7", "/"))
    closed.write_text(line(0, "198.51.100.7", "/"))
    good.chmod(0o644)
    closed.chmod(0)

    def say() -> str:
        payload, cursor = read(logs(good, closed, gone), None)
        assert list(texts(payload)) == ["good"]
        assert read(logs(good, closed, gone), cursor)[0] is None
        try:
            read(logs(closed, gone), None)
        except Denied as error:
            return f"{payload['readable']} {error}"
        return "read"

    found = as_nobody(say)
    assert found == (
        f"{{'{good}': 1, '{closed}': 0}} {closed}: permission denied; "
        "usermod --append --groups adm raingauge && systemctl restart raingauge"
    )
    closed.chmod(0o644)
    payload, cursor = read(logs(good, closed), None)
    assert payload["readable"] == {str(good): 1, str(closed): 1}
    closed.unlink()
    payload, _ = read(logs(good, closed), cursor)  # told, though no log has gained anything
    assert (payload["readable"], payload["pieces"]) == ({str(good): 1}, [])


def test_no_log_is_absent_and_a_folder_is_none(tmp_path: Path) -> None:
    with pytest.raises(Absent, match="no access log is known"):
        read(Weblog(), None)
    with pytest.raises(Absent, match="none of the access logs is there"):
        read(logs(tmp_path / "gone.log"), None)
    with pytest.raises(Denied):
        read(logs(tmp_path), None)
    assert [reading.outcome for reading in trial(COLLECTOR, Weblog()) if not reading.part.beside] == ["absent"]


def test_a_log_that_is_no_longer_asked_for_is_forgotten(tmp_path: Path) -> None:
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    for path in (one, two):
        path.write_text(line(0, "198.51.100.7", "/"))
    _, cursor = read(logs(one, two), None)
    payload, cursor = read(logs(one), cursor)
    assert (payload["readable"], payload["pieces"], payload["more"]) == ({str(one): 1}, [], False)
    assert list(cursor["files"]) == [str(one)]


def test_we_look_again_at_once_only_if_there_may_be_more(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.touch()
    _, cursor = read(logs(path), None)
    for count, more in ((10, False), (100_000, True)):
        with path.open("a") as file:
            file.write(line(0, "198.51.100.7", "/") * count)
        payload, cursor = read(logs(path), cursor)
        assert payload["more"] == more


def test_the_same_log_twice_is_one(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(line(0, "198.51.100.7", "/"))
    config = Weblog(files=(LogFile(path=str(path), site="first"), LogFile(path=str(path), site="second")))
    part = once(FOLLOWER, config)
    found = {(sample.family.name, *sample.labels): sample.value for sample in part.parse(part.read(config))}
    assert found["web_requests_total", "first", "front", "2xx"] == 1
    assert ("web_requests_total", "second", "front", "2xx") not in found


def drain(followed: Followed) -> None:
    while followed.look():
        pass


ACTIONS = ["write", "write", "look", "look", "wait", "kill", "rotate"]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(ACTIONS), max_size=40), st.integers(0, 2**32))
def test_rotation_and_kills_count_nothing_twice_and_lose_nothing(
    tmp_path_factory: pytest.TempPathFactory, actions: list[str], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    engine, dice, now = open_database(folder), random.Random(seed), [0.0]
    kept = Kept(engine)
    paths = [folder / "a.log", folder / "b.log"]
    for path in paths:
        path.touch()
    config = logs(*paths, format=COMBINED)
    sent = dict.fromkeys(("a", "b"), 0)

    def begin() -> Followed:
        return Followed(FOLLOWER, config, TARGET, kept, lambda: now[0])

    followed = begin()
    drain(followed)
    followed._save()
    for action in actions:
        path = dice.choice(paths)
        if action == "write":
            count = dice.randrange(1, 200)
            with path.open("a") as file:
                file.writelines(line(n, "198.51.100.7", f"/search?a={sent[path.stem] + n}") for n in range(count))
            sent[path.stem] += count
        elif action == "look":
            followed.look()
        elif action == "wait":
            now[0] += 6.0
        elif action == "kill":  # what was not written is gone with it
            followed = begin()
        elif path.stat().st_size:
            drain(followed)  # as logrotate's delaycompress leaves us the time
            followed._save()
            with path.open("a") as file:  # what the server wrote before it opened the new one
                file.write(line(0, "198.51.100.7", f"/search?a={sent[path.stem]}"))
            sent[path.stem] += 1
            rotate(path)
    drain(followed)
    assert counted(followed) == {name: count for name, count in sent.items() if count}
    drain(again := begin())
    assert counted(again) == counted(followed)
    told = [event.id for _, event in Events(engine).events_after(0, 10_000)]
    assert len(set(told)) == len(told)
    assert bool(told) == any(count >= 200 for count in sent.values())
    engine.dispose()


def rotate(path: Path) -> None:
    older = sorted(path.parent.glob(f"{path.name}.*"), key=lambda file: -int(file.suffix[1:]))
    for file in older:
        file.rename(path.with_name(f"{path.name}.{int(file.suffix[1:]) + 1}"))
    path.rename(f"{path}.1")
    path.touch()


def counted(followed: Followed) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for sample in followed.latest():
        if sample.family.name == "web_requests_total":
            found[sample.labels[0]] = found.get(sample.labels[0], 0) + sample.value
    return found
