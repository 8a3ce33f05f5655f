"""`raingauge incidents`: on the database alone, with nothing running."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.cli import main
from alerts.incidents import store
from alerts.incidents.graph import Graph
from alerts.incidents.grouping import step
from history.database import open_database
from tests.alerts.examples import T
from tests.alerts.incidents.test_grouping import fires
from tests.alerts.told import INCIDENT


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAINGAUGE_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("SUDO_USER", "kim")
    (tmp_path / "raingauge.yml").write_text("host: web1\n")
    return tmp_path


@pytest.fixture
def one(state: Path) -> None:
    engine = open_database(state)
    with engine.begin() as connection:
        store.save(connection, (), step((), [fires("DiskFull", site="shop.example")], T, Graph()), T)
        store.explain(connection, replace(INCIDENT, id=1), T)
    engine.dispose()


def run(state: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(state / "raingauge.yml"), "incidents", *words])


def test_without_any(state: Path) -> None:
    assert run(state, "list").output == "there was no incident yet\n"
    assert run(state, "list", "--open").output == "no incident is open\n"


def test_list(state: Path, one: None) -> None:
    head, row = run(state, "list").output.splitlines()
    assert head.split() == ["Id", "State", "Severity", "Where", "Since", "Alerts", "Symptom"]
    assert row.split()[:4] == ["1", "open", "critical", "shop.example"]
    assert row.rstrip().endswith(INCIDENT.symptom)
    (found,) = json.loads(run(state, "list", "--json").output)
    assert (found["id"], found["causes"][0]["alert"]) == (1, "DiskFull")


def test_show_says_what_explains_it_and_what_to_run(state: Path, one: None) -> None:
    assert run(state, "note", "1", "freed 4 GB").output == "noted on incident 1\n"
    shown = run(state, "show", "1").output
    titles = [line for line in shown.splitlines() if line and not line.startswith(" ")]
    assert titles[0] == INCIDENT.symptom
    assert titles[2:] == ["Probably because", "Run next", "Changed before", "Moved most", "Alerts", "Notes"]
    assert "host: web1: /srv has 2.1% of its space left (2.1 % of /srv is left)" in shown
    assert INCIDENT.command in shown
    assert "kim: freed 4 GB" in shown
    assert json.loads(run(state, "show", "1", "--json").output)["notes"][0]["by"] == "kim"


@pytest.mark.parametrize(("words", "code", "said"), [
    (("show", "9"), 1, "there is no incident 9"),
    (("note", "9", "x"), 1, "there is no incident 9"),
    (("note", "1", " "), 2, "expected 1 to 4000 characters"),
    (("show", "x"), 2, "'x' is not a valid integer"),
])  # fmt: skip
def test_what_is_wrong_is_said(state: Path, one: None, words: tuple[str, ...], code: int, said: str) -> None:
    answer = run(state, *words)
    assert (answer.exit_code, said in answer.output) == (code, True)
