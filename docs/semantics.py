"""`make docs`: docs/alert-semantics.md, from what the tests of alerts say that they hold."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docs.markdown import code, table

ROOT = Path(__file__).parent.parent
PATH = Path(__file__).parent / "alert-semantics.md"
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


def semantics() -> str:
    found = list(claims())
    unknown = {claim.section for claim in found} - set(SECTIONS)
    assert not unknown, unknown
    parts = [HEAD]
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
