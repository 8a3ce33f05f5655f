"""`raingauge boards`: what is exported is what is imported, and what is wrong is said with its line."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.cli import main
from dashboard.boards import Board, Boards, Panel
from history.database import open_database

SHOP = Board("shop", "Shop", (Panel("Answers", "up", thresholds=(1.0,)),))


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("agent.paths.state_dir", lambda: tmp_path / "state")
    return tmp_path / "state"


def run(*words: str, given: str = "") -> Result:
    return CliRunner().invoke(main, ["boards", *words], input=given)


def test_they_go_out_and_come_in(state: Path) -> None:
    boards = Boards(open_database(state))
    boards.take([SHOP, Board("news", "News")])
    text = run("export", "shop").output
    assert "news" not in text
    boards.remove("shop")
    taken = run("import", "-", given=text)
    assert (taken.exit_code, taken.output) == (0, "shop: 1 panel\n")
    assert boards.get("shop").panels == SHOP.panels
    assert run("export").output.count("name:") == 2


def test_what_is_wrong_is_said(state: Path, tmp_path: Path) -> None:
    missing = run("export", "gone")
    assert (missing.exit_code, "no board is named 'gone'" in missing.output) == (1, True)
    file = tmp_path / "boards.yml"
    file.write_text("boards:\n- {name: a, title: A}\n- {name: b, title: B, panels: [{title: x, expr: 'rate('}]}\n")
    refused = run("import", str(file))
    assert refused.exit_code == 1
    assert f"{file}:3: panels: expected" in refused.output
    assert "parse error in 'rate('" in refused.output
    assert Boards(open_database(state)).all() == [], "all or none"
