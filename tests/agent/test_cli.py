"""The command line as scripts use it: options, output, exit codes 0 (done), 1 (failed), 2 (usage or configuration)."""

import json
import os
import re
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agent import paths
from agent.cli import NOUNS, main
from agent.configuration import parse
from agent.running import BusyError, alone
from collectors.model import Gauge, Target
from history.access import Access
from history.database import open_database
from history.events import Events
from history.store import Store

NOTHING = "host: lab\ndiscovery: false\n"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setenv("RAINGAUGE_STATE_DIR", str(folder))
    monkeypatch.delenv("RAINGAUGE_CONFIG", raising=False)
    monkeypatch.delenv("RAINGAUGE_PASSWORD", raising=False)
    return folder


@pytest.fixture(autouse=True)
def _log_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands run in the tests' own process, whose log is not theirs to set up."""
    for command in ("agent", "dashboard", "run"):
        monkeypatch.setattr(import_module(f"agent.cli.{command}"), "logs_to_stderr", lambda: None)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "raingauge.yml"
    file.write_text(NOTHING)
    return file


def raingauge(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="raingauge")


def said(result: Result) -> str:
    return result.output


def test_help_names_every_command(state: Path) -> None:
    result = raingauge("--help")
    assert result.exit_code == 0
    assert [noun for noun in NOUNS if not re.search(rf"^  {noun} +\w", said(result), re.MULTILINE)] == []


def test_the_probe_is_printed_or_written(state: Path, tmp_path: Path) -> None:
    file = tmp_path / "share" / "probe.php"
    printed, written = raingauge("php-probe"), raingauge("php-probe", "--to", file)
    assert (printed.exit_code, written.exit_code) == (0, 0)
    assert file.read_text() == printed.output
    assert printed.output.startswith("<?php\n")
    assert (file.stat().st_mode & 0o777, said(written)) == (0o644, f"{file}\n")
    refused = raingauge("php-probe", "--to", file / "below.php")
    assert (refused.exit_code, "cannot write" in said(refused)) == (1, True)


@pytest.mark.parametrize("noun", NOUNS)
def test_every_command_explains_itself(noun: str, state: Path) -> None:
    result = raingauge(noun, "--help")
    assert result.exit_code == 0
    assert said(result).startswith(f"Usage: raingauge {noun}")


@pytest.mark.parametrize(
    "words",
    [("nonsense",), ("check",), ("check", "lighttpd"), ("query",), ("query", "up", "--range", "soon"),
     ("token", "create"), ("token", "create", "--scope", "all"), ("capture", "nginx"), ("run", "--port", "1")],
)  # fmt: skip
def test_wrong_usage_ends_with_2(words: tuple[str, ...], state: Path) -> None:
    assert raingauge(*words).exit_code == 2


@pytest.mark.parametrize(
    "command", [("run",), ("agent",), ("dashboard",), ("discover",), ("config", "check"), ("check", "host")]
)
def test_a_wrong_configuration_ends_with_2_and_the_place(command: tuple[str, ...], state: Path, config: Path) -> None:
    config.write_text("hots: web-01\n")
    result = raingauge("--config", config, *command)
    assert result.exit_code == 2
    assert f"{config}:1: hots: unknown key" in said(result)


def test_a_configuration_that_is_named_must_be_there(state: Path, tmp_path: Path) -> None:
    result = raingauge("--config", tmp_path / "gone.yml", "discover")
    assert (result.exit_code, "cannot read the configuration" in said(result)) == (2, True)


def test_the_environment_names_the_configuration(state: Path, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAINGAUGE_CONFIG", str(config))
    config.write_text("interval: never\n")
    assert "interval: expected a duration" in said(raingauge("config", "check"))


@pytest.mark.parametrize("option", ["--exporter-listen", "--dashboard-listen"])
def test_an_address_that_is_none_ends_with_2(option: str, state: Path, config: Path) -> None:
    result = raingauge("--config", config, "run", option, "9876")
    assert (result.exit_code, f"{option}: expected host:port" in said(result)) == (2, True)


def test_a_public_dashboard_without_a_password_is_refused(state: Path, config: Path) -> None:
    result = raingauge("--config", config, "run", "--exporter-listen", "127.0.0.1:0", "--dashboard-listen", "0.0.0.0:0")
    assert result.exit_code == 2
    assert "can be reached from other machines, so a password is needed" in said(result)


def test_an_address_that_is_taken_ends_with_1(state: Path, config: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = raingauge("--config", config, "agent", "--exporter-listen", address)
    assert (result.exit_code, f"an address is taken by another program: exporter {address}" in said(result)) == (
        1,
        True,
    )


def test_a_state_directory_has_one_owner(state: Path, config: Path) -> None:
    alone(state)
    with pytest.raises(BusyError, match=rf"another Raingauge \(pid {os.getpid()}\) uses the state directory"):
        alone(state)
    assert raingauge("--config", config, "agent").exit_code == 1


def test_a_state_directory_that_cannot_be_made(tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RAINGAUGE_STATE_DIR", str(tmp_path / "file" / "state"))
    for command in (("agent",), ("run",), ("token", "list"), ("query", "up")):
        result = raingauge("--config", config, *command)
        assert result.exit_code == 1, command
        assert str(tmp_path / "file" / "state") in said(result), command


def test_config_check_notes_a_check_that_any_page_passes(state: Path, config: Path) -> None:
    good = "{url: 'http://127.0.0.1/b', must_contain: Shop}, {tcp: {address: '127.0.0.1:1'}}"
    config.write_text(f"targets: {{probe: [{{url: 'http://127.0.0.1/a?key=1'}}, {good}]}}\n")
    notes = [line for line in said(raingauge("--config", config, "config", "check")).splitlines() if "note: " in line]
    assert [line.split()[4] for line in notes] == ["http://127.0.0.1/a"]


def test_config_check_reads_rules_and_secrets(state: Path, config: Path, tmp_path: Path) -> None:
    assert "good: " in said(raingauge("--config", config, "config", "check"))
    (tmp_path / "mine.yml").write_text("groups:\n- name: mine\n  rules:\n  - alert: Odd\n    expr: 1 +\n")
    config.write_text(f"rules: [{tmp_path}/mine.yml]\ndashboard: {{password_file: {tmp_path}/gone}}\n")
    result = raingauge("--config", config, "config", "check")
    assert result.exit_code == 2
    assert f"{tmp_path}/mine.yml:5: expr:" in said(result)
    assert f"dashboard.password_file: cannot read {tmp_path}/gone: No such file" in said(result)


def test_config_schema_and_example(state: Path) -> None:
    schema = json.loads(said(raingauge("config", "schema")))
    assert {"targets", "notify", "exporter"} <= schema["properties"].keys()
    assert "password" not in json.dumps(schema.get("default", {}))
    example = said(raingauge("config", "example"))
    parse("".join(line[2:] for line in example.splitlines(keepends=True) if line.startswith("# ")), "example")


def test_tokens_are_made_listed_and_revoked(state: Path) -> None:
    token = said(raingauge("token", "create", "--scope", "read", "--name", "scraper")).strip()
    assert Access(open_database(state)).token_scope(token) == "read"
    assert "scraper\tread\tcreated 20" in said(raingauge("token", "list"))
    assert token not in said(raingauge("token", "list"))
    assert raingauge("token", "create", "--scope", "read", "--name", "scraper").exit_code == 1
    assert raingauge("token", "revoke", "scraper").exit_code == 0
    assert raingauge("token", "revoke", "scraper").exit_code == 1
    assert Access(open_database(state)).token_scope(token) is None


def test_a_new_login_link_leads_to_the_pages_of_the_running_process(state: Path) -> None:
    link = said(raingauge("token", "login")).strip()
    assert link.startswith("http://127.0.0.1:9875/login?key=")
    (state / "pages").write_text("http://127.0.0.1:4711\n")
    link = said(raingauge("token", "login")).strip()
    assert link.startswith("http://127.0.0.1:4711/login?key=")
    assert Access(open_database(state)).use_login(link.partition("key=")[2], time.time())


def test_query_prints_what_prometheus_answers(state: Path) -> None:
    depth = Gauge("rain_depth_metres", "Rain.", ("place",))
    target = Target("rain", "lab", "lab")
    store = Store(open_database(state))
    for t in (1000.0, 1010.0, 1020.0):
        store.append(target, t, [depth(t / 1000, "roof")])
    answer = json.loads(said(raingauge("query", "rain_depth_metres", "--at", "1020", "--json")))
    labels = {"__name__": "rain_depth_metres", "place": "roof", "job": "rain", "instance": "lab", "host": "lab"}
    assert answer == {
        "status": "success",
        "data": {"resultType": "vector", "result": [{"metric": labels, "value": [1020, "1.02"]}]},
    }
    words = ("query", "rain_depth_metres", "--at", "1020", "--range", "20s", "--step", "10s", "--json")
    matrix: Any = json.loads(said(raingauge(*words)))
    assert matrix["data"]["result"][0]["values"] == [[1000, "1"], [1010, "1.01"], [1020, "1.02"]]
    line = 'rain_depth_metres{host="lab", instance="lab", job="rain", place="roof"} => 1.02 @ 1970-01-01T00:17:00Z\n'
    assert said(raingauge("query", "rain_depth_metres", "--at", "1020")) == line
    assert said(raingauge("query", "nothing_here")) == "no series match\n"
    bad = raingauge("query", "rate(", "--json")
    assert (bad.exit_code, json.loads(said(bad))["errorType"]) == (1, "bad_data")


def test_check_shows_one_read_with_timings(state: Path) -> None:
    result = raingauge("check", "host")
    assert result.exit_code == 0
    assert re.search(r"^ loadavg +ok +[\d.]+ ms +[\d.]+ ms +3 ", said(result), re.MULTILINE)
    assert re.search(r"^node_load1 [\d.]+$", said(result), re.MULTILINE)
    found = json.loads(said(raingauge("check", "host", "--json")))
    assert {part["part"]: part["outcome"] for part in found["parts"]}["meminfo"] == "ok"


def test_check_of_what_is_not_there(state: Path, config: Path) -> None:
    result = raingauge("--config", config, "check", "redis")
    assert (result.exit_code, "no redis target: nothing like it runs here" in said(result)) == (1, True)
    config.write_text(f"{NOTHING}targets: {{redis: [{{port: 1}}]}}")
    result = raingauge("--config", config, "check", "redis")
    assert (result.exit_code, "unreachable" in said(result)) == (1, True)
    assert "there are: lab:1" in said(raingauge("--config", config, "check", "redis", "lab:2"))


def test_capture_writes_what_tests_read(state: Path, tmp_path: Path) -> None:
    result = raingauge("capture", "host", "--to", tmp_path / "here")
    assert result.exit_code == 0
    assert (tmp_path / "here" / "payload.loadavg.txt").read_text() == Path("/proc/loadavg").read_text() or (
        re.fullmatch(r"[\d.]+ [\d.]+ [\d.]+ \d+/\d+ \d+\n", (tmp_path / "here" / "payload.loadavg.txt").read_text())
    )
    assert str(tmp_path / "here" / "payload.meminfo.txt") in said(result)


def test_discover_finds_this_host(state: Path) -> None:
    found = json.loads(said(raingauge("discover", "--json")))
    assert [each["instance"] for each in found["targets"] if each["collector"] == "host"]
    assert "Watched" in said(raingauge("discover"))
    explained = said(raingauge("discover", "--explain"))
    assert "host: this host\n  watched: it answered\n  with: the defaults\n" in explained
    assert re.search(r"^    loadavg +ok +3 samples$", explained, re.MULTILINE)
    assert raingauge("discover", "--forget", "nowhere:1").exit_code == 1


def test_where_state_and_configuration_live(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RAINGAUGE_STATE_DIR", raising=False)
    monkeypatch.delenv("RAINGAUGE_CONFIG", raising=False)
    monkeypatch.setattr(paths, "SYSTEM_CONFIG", tmp_path / "etc.yml")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    assert paths.config_path() is None
    (tmp_path / "own/raingauge").mkdir(parents=True)
    (tmp_path / "own/raingauge/raingauge.yml").write_text("")
    assert paths.config_path() == tmp_path / "own/raingauge/raingauge.yml"
    paths.SYSTEM_CONFIG.write_text("")
    assert paths.config_path() == tmp_path / "etc.yml"
    monkeypatch.setenv("RAINGAUGE_STATE_DIR", "/elsewhere")
    assert paths.state_dir() == Path("/elsewhere")


def test_an_event_is_added_from_a_script(state: Path, config: Path) -> None:
    def add(*words: str) -> Result:
        return raingauge("--config", config, "event", "add", *words)

    done = add("--kind", "Deploy", "--title", "release 42\n", "--site", "shop.example", "--at", "1000")
    assert done.exit_code == 0
    assert add("--kind", "deploy", "--title", "release 43").exit_code == 0
    newest, first = Events(open_database(state)).events(0, time.time())
    assert (first.kind, first.title, first.site, first.host, first.first, first.source) == (
        "deploy", "release 42", "shop.example", "lab", 1000.0, "cli",
    )  # fmt: skip
    assert first.id == said(done).strip()
    assert (newest.site, abs(newest.last - time.time()) < 60) == ("", True)
    for words in (
        ("--kind", "deploy"), ("--title", "x"), ("--kind", "a b", "--title", "x"), ("--kind", "", "--title", "x"),
        ("--kind", "deploy", "--title", " \n"), ("--kind", "deploy", "--title", "x" * 251),
        ("--kind", "deploy", "--title", "x", "--site", "a\nb"), ("--kind", "deploy", "--title", "x", "--at", "-1"),
    ):  # fmt: skip
        assert add(*words).exit_code == 2, words
