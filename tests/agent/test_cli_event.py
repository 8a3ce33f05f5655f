"""`raingauge events`: one shown with what would block its sources, what is around it, and exports."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.cli import main
from collectors.model import Event
from history.database import open_database
from history.events import Events


def output(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


def test_recorded_events_are_shown_with_what_is_around_and_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def events(*words: str) -> Result:
        return CliRunner().invoke(main, ["event", *words])

    monkeypatch.setenv("RAINGAUGE_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("RAINGAUGE_CONFIG", raising=False)
    now = time.time()
    guessed = Event(
        "security.bruteforce:1", "security.bruteforce", "info", "lab", "shop", now - 60, now - 50, 9, "9 logins failed",
        ({"source": "198.51.100.7", "failed": "9"},), "k",
    )  # fmt: skip
    for event in (guessed, replace(guessed, id="deploy:1", kind="deploy", first=now - 90, last=now - 90, title="v2")):
        Events(open_database(tmp_path)).record(event)
    shown = output(events("show", "security.bru"))
    assert "nft 'add rule inet raingauge input ip saddr { 198.51.100.7 } drop'" in shown
    lines = output(events("around", "security.bruteforce:1")).splitlines()
    assert [line[0] for line in lines] == [" ", ">"]
    assert "v2" in lines[0]
    assert output(events("export", "--since", "1h", "--kind", "security.")).count("\n") == 2
    (found,) = json.loads(
        output(events("export", "--format", "json", "--severity", "info", "--kind", "sec", "--pseudonyms"))
    )
    assert found["evidence"][0]["source"] not in ("198.51.100.7", "")
    assert events("show", "nothing").exit_code == 1
    assert events("export", "--since", "yesterday").exit_code == 2


def test_one_is_closed_with_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def close(*words: str) -> Result:
        return CliRunner().invoke(main, ["event", "close", *words, "--author", "anna"])

    monkeypatch.setenv("RAINGAUGE_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("RAINGAUGE_CONFIG", raising=False)
    now = time.time()
    upload = Event(
        "security.upload:1", "security.upload", "critical", "lab", "shop", now, now, 1, "PHP among uploads",
        dedup_key="k", state="open",
    )  # fmt: skip
    events = Events(open_database(tmp_path))
    events.record(upload, replace(upload, id="security.upload:2"))
    assert close("security.upload:1").exit_code == 2  # why is wanted
    words = "security.upload:1 is closed, and 1 more about the same: PHP among uploads\n"
    assert output(close("security.upload:1", "--note", "ours")) == words
    assert {event.state for event in events.events(0, now)} == {"closed"}
    assert {event.evidence[-1]["note"] for event in events.events(0, now)} == {"ours"}
    again = close("security.upload:1", "--note", "ours")
    assert (again.exit_code, again.output) == (1, "Error: security.upload:1 is not open\n")
