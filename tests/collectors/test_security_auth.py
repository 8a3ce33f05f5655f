"""Logins: what the logs say, however they are cut, and whatever an attacker writes into them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reading import trial
from collectors.errors import Absent, Denied
from collectors.model import Event, State
from collectors.security import COLLECTOR, auth, authread
from collectors.security.auth import samples, step
from collectors.security.authlines import Fact, fact
from collectors.security.config import Security
from collectors.security.syslog import Entry, entry
from tests.collectors.login_lines import row, wrong
from tests.golden import golden

DATA = Path(__file__).parent.parent / "data" / "security"
READ = DATA.parent / "logins"
CAPTURED = ("debian-12-rsyslog", "debian-12-rsyslog-traditional", "debian-12-journald")
NOW = 1764000000.0  # 24 November 2025, 16:00 UTC
LINES = [
    line
    for folder in ("debian-12", "debian-13", "rocky-9", *CAPTURED)
    for line in json.loads((DATA / folder / "payload.auth.json").read_text())["pieces"][0]["text"].splitlines()
]


def payload(*lines: str, followed: bool = True, now: float = NOW) -> dict[str, Any]:
    text = "".join(f"{line}\n" for line in lines)
    return {"at": now, "zone": 0.0, "more": False, "pieces": [{"node": "n", "followed": followed, "text": text}]}


def line(said: str, minute: int = 0, program: str = "sshd[7]") -> str:
    return f"2025-11-24T15:{minute:02}:00+00:00 web1 {program}: {said}"


def told(events: Sequence[Event]) -> list[tuple[str, str]]:
    return [(event.kind.removeprefix("security."), event.severity) for event in events]


def counted(state: State) -> dict[tuple[str, ...], float]:
    return {(sample.family.name, *sample.labels): sample.value for sample in samples(state) if sample.value}


def failures(count: int, source: str = "198.51.100.7") -> list[str]:
    return [line(f"Failed password for root from {source} port {n} ssh2", n % 50) for n in range(count)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Accepted publickey for a from 192.0.2.1 port 5 ssh2: RSA SHA256:x",
         Fact("ssh", "success", "a", "192.0.2.1", "publickey", "RSA SHA256:x")),
        ("Accepted keyboard-interactive/pam for a from 2001:db8::1 port 5 ssh2",
         Fact("ssh", "success", "a", "2001:db8::1", "keyboard-interactive")),
        ("Failed password for invalid user  from 192.0.2.1 port 5 ssh2",
         Fact("ssh", "failed", source="192.0.2.1", method="password", guess=True)),
        ("Failed password for invalid user x from 203.0.113.1 port 22 ssh2 from 192.0.2.1 port 5 ssh2",
         Fact("ssh", "failed", source="192.0.2.1", method="password", guess=True)),
        ("Failed none for invalid user x from 192.0.2.1 port 5 ssh2",
         Fact("ssh", "failed", source="192.0.2.1", method="none")),
        ("Failed password for root from 192.0.2.1 port 5 ssh2",
         Fact("ssh", "failed", "root", "192.0.2.1", "password", guess=True)),
        ("Invalid user Accepted password for root from 203.0.113.1 port 5 ssh2 from 192.0.2.1 port 5", None),
        ("Unable to negotiate with 192.0.2.1 port 5: no matching key exchange method found.",
         Fact("ssh", "preauth", source="192.0.2.1", method="none")),
        ("Server listening on 0.0.0.0 port 22.", None),
    ],
)  # fmt: skip
def test_what_sshd_says(said: str, expected: Fact | None) -> None:
    assert fact(Entry(NOW, "sshd", "1", said)) == expected


@pytest.mark.parametrize(
    ("stamp", "zone", "expected"),
    [
        ("Nov 24 16:00:00", 0.0, NOW),
        ("Nov 24 11:00:00", -18000.0, NOW),
        ("Dec 31 16:00:00", 0.0, NOW - 328 * 86400),
        ("2025-11-24T17:00:00.5+01:00", 0.0, NOW + 0.5),
    ],
)
def test_stamps(stamp: str, zone: float, expected: float) -> None:
    found = entry(f"{stamp} h sshd[1]: x", NOW, zone)
    assert found
    assert found.at == expected


@pytest.mark.parametrize("stamp", ["Foo 24 16:00:00", "Nov 99 16:00:00", "2025-13-24T17:00:00Z", ""])
def test_what_is_no_stamp(stamp: str) -> None:
    assert entry(f"{stamp} h sshd[1]: x", NOW, 0.0) is None


@given(st.lists(st.one_of(st.sampled_from(LINES), st.text(), st.text().map(line))), st.data())
def test_any_text_gives_the_same_however_it_is_cut(lines: list[str], data: st.DataObject) -> None:
    lines = [part for each in lines for part in each.split("\n")]
    whole, events = step({}, payload(*lines))
    state: State = {}
    found: list[Event] = []
    while lines:
        at = data.draw(st.integers(1, len(lines)))
        before = json.dumps(state)
        after, more = step(state, payload(*lines[:at]))
        assert json.dumps(state) == before
        state, lines = json.loads(json.dumps(after)), lines[at:]
        found += more
    assert found == events
    assert list(samples(state)) == list(samples(whole))


@given(st.text(), st.floats(0, 4e9), st.floats(-86000, 86000))
def test_no_line_raises(text: str, now: float, zone: float) -> None:
    for said in (text, f"Nov 24 16:00:00 h sshd[1]: {text}", f"{{{text}", json.dumps({"MESSAGE": text, "_COMM": "su"})):
        if found := entry(said, now, zone):
            fact(found)


def test_one_who_gets_in_after_failing() -> None:
    few, many = failures(auth.SUSPICIOUS - 1), failures(auth.MANY)
    success = line("Accepted password for deploy from 198.51.100.7 port 9 ssh2", 51)
    assert told(step({}, payload(*few, success))[1]) == [("session", "info")]
    state, events = step({}, payload(*few, few[0], success))
    assert told(events) == [("login_after_failures", "warning")]
    assert counted(state)["security_ssh_login_after_failures_total", "warning"] == 1
    _, events = step({}, payload(*many, success))
    assert told(events) == [("bruteforce", "info"), ("login_after_failures", "critical")]
    elsewhere = success.replace("198.51.100.7", "192.0.2.9")
    assert told(step({}, payload(*few, few[0], elsewhere))[1]) == [("session", "info")]
    late = line("Accepted password for deploy from 198.51.100.7 port 9 ssh2").replace("T15", "T19")
    assert told(step({}, payload(*few, few[0], late))[1]) == [("session", "info")]


def test_each_labelled_line_is_read_right() -> None:
    assert wrong() == []


@pytest.mark.parametrize("folder", CAPTURED)
def test_what_real_programs_logged(folder: str) -> None:
    """In the golden: when, service, result, account, source, method, rights, how often."""
    found = json.loads((DATA / folder / "payload.auth.json").read_text())
    lines = found["pieces"][0]["text"].splitlines()
    rows = [row(line, found["at"], found["zone"]) for line in lines]
    golden(READ / f"{folder}.tsv", "".join(each for each in rows if each))


def test_the_same_was_logged_in_each_form() -> None:
    """But for rsyslog's repeated lines: written out once more, and the times, the captures say the same."""
    said = [(READ / f"{folder}.tsv").read_text().splitlines() for folder in CAPTURED]
    written = [[text for each in file for when, text, times in [_parts(each)] for _ in range(times)] for file in said]
    assert all(each == written[0] for each in written[1:])


def _parts(row: str) -> tuple[str, str, int]:
    when, rest = row.split("\t", 1)
    text, times = rest.rsplit("\t", 1)
    return when, text, int(times)


def test_one_account_from_many_sources() -> None:
    """Each of them has few failures; a login from a network that is new for the account stands out then."""
    known = line("Accepted publickey for deploy from 192.0.2.1 port 9 ssh2")
    tried = [line(f"Failed password for deploy from 203.0.113.{n} port 5 ssh2", n) for n in range(auth.SPREAD_SOURCES)]
    state, events = step({}, payload(known, *tried, *tried))
    assert told(events) == [("session", "info"), ("bruteforce", "info")]
    assert dict(events[1].evidence[0]) == {"account": "deploy", "sources": str(auth.SPREAD_SOURCES)}
    elsewhere = line("Accepted password for deploy from 198.51.100.9 port 9 ssh2", 51)
    assert told(step(state, payload(elsewhere))[1]) == [("login_after_failures", "warning")]
    assert told(step(state, payload(known.replace("T15:00", "T15:51")))[1]) == [("session", "info")]
    invalid = [each.replace("for deploy", "for invalid user x") for each in tried]
    assert told(step({}, payload(*invalid))[1]) == []


def test_a_repeated_message_counts_as_often() -> None:
    state, _ = step({}, payload(line("message repeated 7 times: [ Failed password for a from 192.0.2.1 port 5 ssh2]")))
    assert counted(state) == {("security_ssh_auth_total", "failed", "password"): 7}


def test_a_new_network_of_a_known_account_is_told() -> None:
    lines = [
        line(f"Accepted publickey for a from {source} port 5 ssh2")
        for source in ("192.0.2.1", "192.0.2.9", "203.0.113.1")
    ]
    assert told(step({}, payload(*lines))[1]) == [
        ("session", "info"),
        ("session", "info"),
        ("login_new_network", "info"),
    ]


def test_root() -> None:
    key = line("Accepted publickey for root from 192.0.2.1 port 5 ssh2")
    assert told(step({}, payload(key, key, key.replace("publickey", "password")))[1]) == [
        ("root_login", "info"), ("root_login", "info"), ("root_login", "warning"),
    ]  # fmt: skip


def test_names_that_failed_stand_nowhere() -> None:
    lines = [line(f"Failed password for invalid user hunter2 from 192.0.2.{n % 2} port 5 ssh2", n) for n in range(50)]
    lines += [line("FAILED LOGIN (1) on '/dev/tty1' FOR 'hunter2', Authentication failure", program="login[1]")]
    state, events = step({}, payload(*lines))
    assert told(events) == [("bruteforce", "info"), ("bruteforce", "info")]
    assert "hunter2" not in repr((state, events, samples(state)))
    assert "192.0.2" not in repr((state, list(samples(state))))


def test_sudo_of_the_web_server() -> None:
    done = "www-data : TTY=unknown ; PWD=/var/www ; USER=root ; COMMAND=/bin/sh -c NOT in sudoers ; USER=games ; "
    _, events = step({}, payload(line(done, program="sudo")))
    assert told(events) == [("privilege", "critical")]
    assert dict(events[0].evidence[0]) == {"service": "sudo", "account": "www-data", "as": "root"}


def test_an_old_log_is_counted_and_not_told() -> None:
    lines = failures(30)
    assert told(step({}, payload(*lines, followed=False, now=NOW + 86400))[1]) == []
    assert told(step({}, payload(*lines, followed=False))[1]) == [("bruteforce", "info")]
    state, _ = step({}, payload(*lines, followed=False, now=NOW + 86400))
    assert sum(counted(state).values()) == 30


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "MOST_SOURCES", 50)
    monkeypatch.setattr(auth, "MOST_ACCOUNTS", 5)
    lines = [line(f"Failed password for a from 203.0.{n // 250}.{n % 250} port 5 ssh2") for n in range(1000)]
    lines += [line(f"Accepted publickey for u{n % 40} from 192.0.{n}.1 port 5 ssh2") for n in range(200)]
    state, _ = step({}, payload(*lines))
    assert sum(key.startswith("source:") for key in state) <= 50
    assert sum(key.startswith("seen:") for key in state) <= 5


def test_the_first_file_that_is_there_is_followed(tmp_path: Path) -> None:
    log = tmp_path / "secure"
    config = Security(auth_logs=(str(tmp_path / "auth.log"), str(log)))
    log.write_text(failures(1)[0] + "\n")
    first, cursor = authread.read(config, None)
    assert not first["pieces"][0]["followed"]
    assert authread.read(config, cursor)[0] is None
    with log.open("a") as file:
        file.write(line("Accepted publickey for a from 192.0.2.1 port 5 ssh2") + "\n")
    second, _ = authread.read(config, cursor)
    assert second["pieces"][0]["followed"]
    assert not second["more"]
    assert told(step(step({}, first)[0], second)[1]) == [("session", "info")]


def test_without_a_log_or_the_right_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authread, "JOURNALS", (str(tmp_path / "none"),))
    config = Security(auth_logs=(str(tmp_path / "auth.log"),))
    with pytest.raises(Absent, match="neither"):
        authread.read(config, None)
    monkeypatch.setattr(authread, "read_new", denied)
    with pytest.raises(Denied, match=r"auth\.log: permission denied; usermod .* adm"):
        authread.read(config, None)
    assert "denied" in {reading.outcome for reading in trial(COLLECTOR, config)}


def denied(path: str, _cursor: Any) -> Any:
    raise Denied(f"{path}: permission denied")


def test_the_journal_is_read_from_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for journalctl, which says how it was called."""
    journal = tmp_path / "journal" / "m1"
    journal.mkdir(parents=True)
    monkeypatch.setattr(authread, "JOURNALS", (str(journal.parent),))
    config = Security(auth_logs=())
    with pytest.raises(Absent):
        authread.read(config, None)
    (journal / "system.journal").touch()
    program = tmp_path / "journalctl"
    program.write_text(
        """#!/bin/sh
printf '{"__CURSOR": "s=1;i=2", "_COMM": "su", "__REALTIME_TIMESTAMP": "1764000000000000", "MESSAGE": "%s"}\\n' "$*"
"""
    )
    program.chmod(0o755)
    monkeypatch.setattr("collectors.sources.programs.program", lambda _name: str(program))
    first, cursor = authread.read(config, None)
    assert "--lines=200" in first["pieces"][0]["text"]
    assert authread.read(config, cursor) == (None, cursor)
    second, _ = authread.read(config, {**cursor, "journal": {**cursor["journal"], "at": 0.0}})
    assert "--after-cursor=s=1;i=2 SYSLOG_FACILITY=4 + SYSLOG_FACILITY=10" in second["pieces"][0]["text"]
    assert (first["pieces"][0]["followed"], second["pieces"][0]["followed"]) == (False, True)
