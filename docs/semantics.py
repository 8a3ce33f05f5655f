"""`make docs`: docs/alert-semantics.md, from what the tests of alerts say that they hold."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from docs.markdown import code, table

ROOT = Path(__file__).parent.parent
PATH = Path(__file__).parent / "alert-semantics.md"
ASKED = Path(__file__).parent / "alert-requirements.yml"
SECTIONS = ("Rules", "Data that is missing", "Restart and clock", "Routing", "Suppressing", "Delivery", "Interop")
HEAD = """\
# What holds of alerts

Made from the tests by `make docs`; a change here is lost at the next run. Each line is what the tests beside it check,
all of them with a clock that is moved by hand. Silences, routes and inhibitions are set as in Alertmanager; where ours
say more or otherwise than Prometheus and Alertmanager do, [decisions.md](decisions.md) says why.

"""


@dataclass(frozen=True)
class Claim:
    section: str
    text: str
    test: str
    """`file.py::test_name`, or the name of a variable that holds a test."""


def claims() -> Iterator[Claim]:
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "mark.a3(" in text:
            place = path.relative_to(ROOT / "tests").as_posix()
            for node in ast.parse(text).body:
                yield from _of(node, place)


def _of(node: ast.stmt, place: str) -> Iterator[Claim]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        calls, name = node.decorator_list, node.name
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
        calls, name = [node.value.func], ast.unparse(node.targets[0])
    else:
        return
    for call in calls:
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.a3":
            section, text = (ast.literal_eval(argument) for argument in call.args)
            yield Claim(section, text, f"{place}::{name}")
    if isinstance(node, ast.ClassDef):
        for inner in node.body:
            yield from _of(inner, f"{place}::{node.name}")


def requirements() -> str:
    """What is asked, point by point, with its tests. LookupError for a test that is not there."""
    parts = []
    for section in yaml.safe_load(ASKED.read_text(encoding="utf-8")):
        rows = []
        for point in section["points"]:
            if missing := [test for test in point["tests"] if not exists(test)]:
                raise LookupError(f"{ASKED.name}: no such test: {', '.join(missing)}")
            rows.append((point["asked"], ", ".join(map(code, point["tests"]))))
        parts.append(f"### {section['section']}\n\n" + table(("Asked", "Tests"), rows))
    return "## What is asked, and the tests that show it\n\n" + "\n".join(parts)


def exists(test: str) -> bool:
    """`file.py::name`, or `file.py::Class::name`."""
    file, *names = test.split("::")
    path = ROOT / "tests" / file
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return bool(names) and all(re.search(rf"^ *(def|class) {name}\b", text, re.MULTILINE) for name in names)


def semantics() -> str:
    found = list(claims())
    unknown = {claim.section for claim in found} - set(SECTIONS)
    assert not unknown, unknown
    parts = [HEAD, requirements()]
    for section in SECTIONS:
        rows: dict[str, list[str]] = {}
        for claim in found:
            if claim.section == section:
                rows.setdefault(claim.text, []).append(code(claim.test))
        if rows:
            parts.append(
                f"## {section}\n\n" + table(("What holds", "Test"), [(t, ", ".join(n)) for t, n in rows.items()])
            )
    return "\n".join(parts)


if __name__ == "__main__":
    PATH.write_text(semantics(), encoding="utf-8")
