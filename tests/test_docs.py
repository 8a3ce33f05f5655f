"""Documents that cannot rot: the reference is current, and what the others name exists."""

import contextlib
import re
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import click
import pytest
import yaml

from agent import alerting, outcomes, schema
from agent.cli import NOUNS
from agent.configuration import parse
from agent.exporter import Exporter
from agent.pages import Pages
from collectors import registry
from collectors.weblog.attacks.own import problems, use
from collectors.weblog.attacks.rules import of_text
from dashboard.charts import CHARTS
from docs import semantics
from docs.commands import walk
from docs.http import DASHBOARD, EXPORTER, routes
from docs.markdown import anchor
from docs.metrics import families
from docs.reference import PATH, reference
from docs.rules import groups
from docs.settings import ENVIRONMENT
from tests.commandline import accepts, commands, targets

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("tests/**/*.md")])
ROOMS = ("agent", "alerts", "collectors", "dashboard", "history")
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"(raingauge|make) [a-z-]")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
ENTRY = re.compile(r"- \[(CHANGE|FEATURE|BUGFIX)\] [a-z]+: \S.*[^.]")
FORBIDDEN = re.compile(r"/wor[k]/|/roo[t]/|registry\.[n]pmjs|[p]ypi\.org|[p]ythonhosted")
"""Of the machine that something was written on; written so that it does not find itself."""
MOST_LINES = 10


@pytest.fixture(scope="module")
def page() -> str:
    return PATH.read_text(encoding="utf-8")


def blocks(document: Path, kind: str) -> list[str]:
    return [text for found, text in BLOCK.findall(document.read_text(encoding="utf-8")) if found == kind]


def test_the_reference_is_what_the_code_says(page: str) -> None:
    assert page == reference(), "run `make docs`"


def test_every_command_is_in_it(page: str) -> None:
    paths = [path for path, _ in walk()]
    assert {f"raingauge {noun}" for noun in NOUNS} <= set(paths)
    assert {path for path in paths if f"### {path}\n" not in page} == set()


def test_every_setting_is_in_it_with_a_text(page: str) -> None:
    for option in schema.options():
        assert f"| `{option.key}` |" in page
        assert option.text, option.key


def test_every_collector_and_family_is_in_it_with_a_text(page: str) -> None:
    found = [family for name in registry.MODULES for family in families(registry.collector(name))]
    for family in (*found, *outcomes.FAMILIES, *alerting.FAMILIES):
        assert f"| `{family.name}` | {family.kind} |" in page
        assert family.help.endswith("."), family.name
    assert {name for name in registry.MODULES if f"### {name}\n" not in page} == set()


def test_every_notifier_rule_and_chart_is_in_it(page: str) -> None:
    notifiers = {path.stem for path in (ROOT / "alerts/notifiers").glob("[!_]*.py")}
    assert notifiers
    assert {name for name in notifiers if f"`notify.{name}`" not in page} == set()
    rules = {rule.alert or rule.record for group in groups() for rule in group.rules}
    assert {name for name in rules if f"### {name}\n" not in page} == set()
    assert {chart.title for chart in CHARTS if f"\n| {chart.title}" not in page} == set()


def test_every_captured_version_is_in_it(page: str) -> None:
    section = page.partition("## Tested versions")[2]
    for name in registry.MODULES:
        for folder in (ROOT / "tests/data" / name).glob("*-[0-9]*"):
            product, version, *special = folder.name.split("-")
            assert "documented" in special or f"{product} {version}" in section


def test_the_environment_is_the_one_that_is_read() -> None:
    text = "".join(path.read_text() for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    assert set(re.findall(r"\"((?:RAINGAUGE|XDG)_[A-Z_]+)\"", text)) == ENVIRONMENT.keys()


def test_the_exporter_answers_the_paths_that_are_listed() -> None:
    exporter = Exporter("127.0.0.1", 0, Pages())
    exporter.start()
    try:
        for path in (path for path in EXPORTER if "<" not in path):
            try:
                with urllib.request.urlopen(f"{exporter.url}{path}", timeout=60) as answer:
                    status = answer.status
            except urllib.error.HTTPError as error:
                with error:
                    status = error.code
            assert (path, status) == (path, 503 if path == "/-/ready" else 200)
    finally:
        exporter.stop()


def ours() -> list[Path]:
    """All documents but those that are generated."""
    return [document for document in DOCUMENTS if document not in (PATH, semantics.PATH)]


def test_every_command_line_that_is_shown_would_run() -> None:
    lines = [line for document in ours() for text in blocks(document, "sh") for line in text.splitlines()]
    shown = list(commands(lines))
    assert len(shown) > 15
    for words in shown:
        check(words)


def test_every_command_that_is_named_exists() -> None:
    texts = [BLOCK.sub("", document.read_text(encoding="utf-8")) for document in ours()]
    named = list(commands(span for text in texts for span in SPAN.findall(text) if COMMAND.match(span)))
    assert len(named) > 15
    for words in named:
        with contextlib.suppress(click.MissingParameter, click.BadOptionUsage):  # named without its values
            check(words)


def test_every_path_of_the_dashboard_is_in_it(page: str) -> None:
    assert {path for path, _ in routes()} == DASHBOARD.keys()
    assert {path for path in DASHBOARD if f"| `{path}` |" not in page} == set()


def check(words: list[str]) -> None:
    if words[0] == "make":
        assert {word for word in words[1:] if "=" not in word} <= targets(), words
    else:
        accepts(words)


def test_configuration_that_is_shown_is_right() -> None:
    shown = [text for document in DOCUMENTS for text in blocks(document, "yaml")]
    assert len(shown) >= 4
    for text in shown:
        kind = text.partition("\n")[0]
        if kind == "# raingauge.yml":
            parse(text, kind)
        elif kind == "# attacks/own.yml":
            assert [*problems(of_text(text))] == []
            use(())
        else:
            assert kind == "# prometheus.yml"
            assert yaml.safe_load(text)


@pytest.mark.servers
def test_prometheus_takes_the_configuration_that_is_shown(tmp_path: Path) -> None:
    for text in (text for document in DOCUMENTS for text in blocks(document, "yaml") if "prometheus.yml" in text):
        file = tmp_path / "prometheus.yml"
        file.write_text(text)
        checked = subprocess.run(["promtool", "check", "config", file], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for link in LINK.findall(BLOCK.sub("", text)):
        if link.startswith(("http://", "https://")):
            continue
        path, _, place = link.partition("#")
        there = document.parent / path if path else document
        assert there.exists(), link
        if place:
            assert place in {anchor(title) for title in HEADING.findall(there.read_text(encoding="utf-8"))}, link


def test_the_changelog_has_one_line_for_each_change() -> None:
    sections = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    titles = [section.partition("\n")[0] for section in sections]
    assert titles[0] == "Unreleased"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ / \d{4}-\d\d-\d\d", title) for title in titles[1:])
    for section in sections:
        entries = [line for line in section.splitlines()[1:] if line]
        assert [line for line in entries if not ENTRY.fullmatch(line)] == []
        kinds = [line.partition("]")[0] for line in entries]
        assert kinds == sorted(kinds, key=lambda kind: kind != "- [CHANGE")


def test_decisions_are_numbered_and_short() -> None:
    records = re.split(r"^## ", (ROOT / "docs/decisions.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    for number, record in enumerate(records, 1):
        title, *lines = [line for line in record.splitlines() if line]
        assert title.startswith(f"{number}. ")
        assert len(lines) <= MOST_LINES, title
        starts = [line.partition(":")[0] for line in lines if re.match(r"(Context|Decision|Consequences): ", line)]
        assert starts == ["Context", "Decision", "Consequences"], title


def test_decisions_that_code_refers_to_are_there() -> None:
    titles = HEADING.findall((ROOT / "docs/decisions.md").read_text(encoding="utf-8"))
    text = "".join(path.read_text() for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    named = re.findall(r'docs/decisions\.md, "([^"]+)"', text)
    assert named
    assert set(named) <= {title.partition(". ")[2] for title in titles}


def test_nothing_names_the_machine_that_it_was_written_on() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    found = []
    for name in (each for each in listed.stdout.split("\0") if each and "/attacks/" not in each):  # which name /root
        text = (ROOT / name).read_bytes().decode(errors="replace") if (ROOT / name).is_file() else ""
        found += [f"{name}: {match[0]}" for match in FORBIDDEN.finditer(text)]
    assert found == []


def test_the_semantics_of_alerts_are_what_the_tests_say() -> None:
    assert semantics.PATH.read_text(encoding="utf-8") == semantics.semantics(), "run `make docs`"


def test_each_point_that_is_asked_has_tests_that_exist() -> None:
    assert semantics.exists("test_docs.py::test_each_point_that_is_asked_has_tests_that_exist")
    assert not semantics.exists("test_docs.py::test_each_point")
    assert not semantics.exists("no_such_file.py::test_x")
    assert semantics.requirements().count("\n| ") > 40
