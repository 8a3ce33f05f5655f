"""The published quality is that of the code."""

from pathlib import Path

from bench.attacks import table
from tests.collectors.login_lines import labelled

PAGE = (Path(__file__).parents[2] / "docs" / "detection.md").read_text("utf-8")


def test_the_table_of_the_page_is_current() -> None:
    assert table() in PAGE, "python -m bench.attacks prints it"


def test_the_page_says_how_many_lines_of_logins_are_labelled() -> None:
    assert f"{len(list(labelled()))} labelled lines" in PAGE
