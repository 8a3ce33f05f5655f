"""The operator's own rules: in use as soon as the file is there, gone with it, and a mistake stops nothing."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent.cli.rules import command
from collectors.errors import ParseError
from collectors.weblog.attacks import own
from collectors.weblog.attacks.rules import rules
from tests.collectors.test_attacks_traffic import logged, told

GOOD = """
rules:
  - id: own-advisory
    class: drupal_exploit
    looks_at: [path]
    pattern: '^/newmodule/run/'
    words: [/newmodule/]
    why: a hole of a module of ours
    cve: CVE-2026-12345
    success: served
    positive: [GET /newmodule/run/x]
    negative: [GET /newmodule/help]
"""


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    own.refresh("")
    own.use(())


def events() -> list[tuple[str, str]]:
    return [(event.kind, event.severity) for event in told([logged("GET /newmodule/run/x")])]


def test_a_rule_counts_from_the_moment_that_its_file_is_there(tmp_path: Path) -> None:
    file, folder = tmp_path / "own.yml", str(tmp_path)
    own.refresh(folder)
    assert events() == []
    file.write_text(GOOD)
    own.refresh(folder)
    assert events() == [("security.drupal_exploit", "critical")]
    file.write_text(GOOD.replace("/run/", "/go/"))
    own.refresh(folder)
    assert events() == []
    file.unlink()
    own.refresh(folder)
    assert "own-advisory" not in {rule.id for rule in rules()}


def test_a_file_with_a_mistake_does_not_stop_another(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "bad.yml").write_text(GOOD.replace("'^/newmodule/run/'", "'(x'"))
    (tmp_path / "good.yml").write_text(GOOD)
    for _ in range(3):
        own.refresh(str(tmp_path))
    assert events() == [("security.drupal_exploit", "critical")]
    assert caplog.text.count("bad.yml: pattern") == 1


def test_what_is_read_again_is_not_read_twice(tmp_path: Path) -> None:
    file = tmp_path / "own.yml"
    file.write_text(GOOD)
    own.refresh(str(tmp_path))
    before = rules()
    own.refresh(str(tmp_path))
    assert rules() is before
    os.utime(file, (1, 1))
    own.refresh(str(tmp_path))
    assert rules() == before


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (GOOD.replace("looks_at: [path]", "looks_at: [body]"), "rules.0.looks_at.0"),
        (GOOD.replace("drupal_exploit", "unheard_of"), "expected one of"),
        (GOOD.replace("own-advisory", "jndi"), "comes with the product"),
        (GOOD.replace("'^/newmodule/run/'", "'(x'"), "pattern"),
        ("rules: [", "expected YAML"),
        ("- x", "found"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, wrong: str, said: str) -> None:
    file = tmp_path / "own.yml"
    file.write_text(wrong)
    with pytest.raises(ParseError, match=said):
        own.read(file)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (GOOD, 0, "own.yml: 1 rules"),
        (GOOD.replace("GET /newmodule/run/x", "GET /other"), 1, "positive: expected to find it"),
        (GOOD.replace("GET /newmodule/help", "GET /newmodule/run/y"), 1, "negative: expected to find nothing"),
        (GOOD.replace("[/newmodule/]", "[/oldmodule/]"), 1, "words: expected one that is in"),
        (GOOD.replace("success: served", "success: maybe"), 1, "rules.0.success"),
    ],
)
def test_the_command_checks_files(tmp_path: Path, text: str, code: int, said: str) -> None:
    file = tmp_path / "own.yml"
    file.write_text(text)
    result = CliRunner().invoke(command, ["attacks", str(file)])
    assert (result.exit_code, said in result.output) == (code, True), result.output
