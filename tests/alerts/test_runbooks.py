"""A page for each alert, an alert for each page, and no name in them that leads nowhere."""

import contextlib
import re
import shlex

import click
import pytest
from click.testing import CliRunner

from agent.cli import main
from alerts import runbooks
from dashboard.steps import steps
from tests.alerts.test_rules import ALERTING
from tests.commandline import accepts

SECTIONS = [
    "First steps", "What it means", "What it usually is on a Drupal host", "What to do", "When to ignore it",
]  # fmt: skip
SPAN = re.compile(r"`([^`]+)`")
BY_NAME = {rule.alert: rule for rule in ALERTING}


def test_each_alert_has_its_page_and_each_page_its_alert() -> None:
    assert set(runbooks.names()) == set(BY_NAME)
    assert [name for name in runbooks.names() if not runbooks.page(name).startswith(f"# {name}\n")] == []
    with pytest.raises(KeyError):
        runbooks.page("../__init__")


@pytest.mark.parametrize("name", runbooks.names())
def test_each_page_has_every_section_and_the_steps_of_its_alert(name: str) -> None:
    page = runbooks.page(name)
    sections = re.split(r"^## (.+)\n", page, flags=re.MULTILINE)
    assert sorted(sections[1::2]) == SECTIONS
    assert all(len(text.strip()) >= len("Never.") for text in sections[2::2])
    spans = SPAN.findall(page)
    assert any(piece.command for span in spans for step in steps(span) for piece in step.pieces)
    rule = BY_NAME[name]
    layer = f"{rule.labels['layer']}. " if "layer" in rule.labels else ""
    assert page.splitlines()[2].startswith(f"{rule.labels['severity']}, {layer}")
    for step in steps(re.sub(r"\{\{[^}]*\}\}", "…", rule.annotations["first_steps"])):
        for piece in step.pieces:
            fixed = [part for part in piece.text.split("…") if piece.command]
            assert all(part in page for part in fixed), piece.text


@pytest.mark.parametrize("name", runbooks.names())
def test_no_page_names_what_is_not_there(name: str) -> None:
    for span in SPAN.findall(runbooks.page(name)):
        if span.startswith("raingauge "):
            words = shlex.split(span.partition(" | ")[0])
            with contextlib.suppress(click.MissingParameter, click.BadOptionUsage):
                accepts(words)
            assert words[1] != "runbook" or words[2] in BY_NAME


def test_a_page_is_printed() -> None:
    def said(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["runbook", *words], prog_name="raingauge")
        return result.exit_code, result.output

    assert said("diskfull") == (0, runbooks.page("DiskFull"))
    assert said() == (0, "\n".join(runbooks.names()) + "\n")
    code, text = said("DiskFul")
    assert (code, "there is DiskFull" in text) == (1, True)
    assert said("Nonsense")[0] == 1
