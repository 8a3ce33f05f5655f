"""What may import what, by walking the syntax trees; and what it costs to import the agent."""

import ast
import importlib.metadata
import importlib.util
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

from collectors.registry import MODULES

ROOT = Path(__file__).parent.parent
ROOMS = ("agent", "dashboard", "alerts", "history", "collectors")
"""Each may import those to its right."""
BESIDE = ("tests", "bench", "docs")
VOCABULARY = tuple(
    f"collectors.{name}" for name in ("model", "config", "errors", "own_requests", "tls", "sources", "inventory")
)
CLIENTS = {
    "drupal": {"pymysql", "psycopg", "yaml"},
    "heartbeat": {"cronsim"},
    "host": {"prometheus_client"},
    "mysql": {"pymysql"},
    "postgres": {"psycopg"},
    "probe": {"cryptography", "dns", "re2"},
    "security": {"watchfiles"},
    "weblog": {"cryptography", "yaml"},
}
"""Collector -> the client libraries that it may import; the others need none."""
WEB = {"flask", "flask_limiter", "flask_login", "flask_wtf", "jinja2", "markupsafe", "werkzeug", "wtforms"}
BOUNDARIES = {
    "agent/exporter.py:_take",
    "agent/followers.py:look",
    "agent/ingest/scraping.py:_append",
    "agent/reading.py:read_part",
    "agent/reading.py:trial",
    "agent/worker.py:_read",
    "agent/worker.py:_disconnect",
    "agent/runner.py:_append",
    "alerts/delivery.py:_work",
    "alerts/delivery.py:_notice",
    "alerts/attempt.py:attempt",
}
"""Where anything that goes wrong becomes an outcome: reading, history, delivery. The web's is Flask's error handler."""
MOST_LINES = 300


@dataclass(frozen=True)
class Source:
    name: str
    """As it is imported: `agent.cli.run`."""
    path: Path
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]

    @property
    def place(self) -> str:
        return str(self.path.relative_to(ROOT))

    @cached_property
    def imports(self) -> set[str]:
        """Full names, of imports inside functions too; `from a import b` gives `a.b`."""
        found = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
        return found


def sources(*rooms: str) -> tuple[Source, ...]:
    paths = sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))
    assert len(paths) > 0
    return tuple(_source(path) for path in paths)


@cache
def _source(path: Path) -> Source:
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Source(name, path, ast.parse(path.read_text(encoding="utf-8")))


def inside(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_rooms_import_only_those_to_their_right() -> None:
    wrong = [
        f"{source.place} imports {name}"
        for source in sources(*ROOMS)
        for name in sorted(source.imports)
        if inside(name, *ROOMS[: ROOMS.index(source.room)], *BESIDE)
    ]
    assert wrong == []


def test_a_collector_imports_the_vocabulary_the_standard_library_and_its_client_library() -> None:
    wrong = []
    for collector, package in {**MODULES, "heartbeat": "collectors.heartbeat"}.items():
        allowed = {*VOCABULARY, "pydantic", package, *CLIENTS.get(collector, ())}  # pydantic: its Config
        for source in (source for source in sources("collectors") if inside(source.name, package)):
            foreign = {name for name in source.imports if name.partition(".")[0] not in sys.stdlib_module_names}
            wrong += [f"{source.place} imports {name}" for name in sorted(foreign) if not inside(name, *allowed)]
    assert wrong == []


def test_the_vocabulary_knows_no_collector() -> None:
    wrong = [
        f"{source.place} imports {name}"
        for source in sources("collectors")
        if inside(source.name, *VOCABULARY)
        for name in sorted(source.imports)
        if inside(name, "collectors.registry", *MODULES.values())
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", ["alerts.notifiers", "dashboard.pages"])
def test_siblings_do_not_import_each_other(folder: str) -> None:
    siblings = [source for source in sources(*ROOMS) if source.name.startswith(f"{folder}.")]
    names = {source.name for source in siblings}
    wrong = [
        f"{source.place} imports {name}"
        for source in siblings
        for name in sorted(source.imports)
        if inside(name, *(names - {source.name}))
    ]
    assert wrong == []


def test_flask_is_only_in_the_dashboard() -> None:
    wrong = [
        f"{source.place} imports {name}"
        for source in sources(*(room for room in ROOMS if room != "dashboard"))
        for name in sorted(source.imports)
        if inside(name, *WEB)
    ]
    assert wrong == []


def test_no_relative_imports() -> None:
    wrong = [
        f"{source.place}:{node.lineno}"
        for source in sources(*ROOMS, "tests")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert wrong == []


def test_everything_is_caught_only_at_the_boundaries() -> None:
    assert {place for source in sources(*ROOMS) for place in catches_everything(source)} == BOUNDARIES


def catches_everything(source: Source) -> Iterator[str]:
    """`file:function` of each handler of all exceptions that does not raise them on."""
    for function in ast.walk(source.tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.ExceptHandler) and catches_all(node) and not raises_on(node):
                yield f"{source.place}:{function.name}"


def catches_all(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id in EVERYTHING) for kind in kinds)


EVERYTHING = ("Exception", "BaseException")


def raises_on(handler: ast.ExceptHandler) -> bool:
    return isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None


def test_tests_wait_for_a_condition_and_never_sleep() -> None:
    wrong = [
        f"{source.place}:{node.lineno}"
        for source in sources("tests")
        if not inside(source.name, "tests.lab")
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.Attribute) and ast.unparse(node) == "time.sleep")
        or (isinstance(node, ast.ImportFrom) and node.module == "time" and "sleep" in {one.name for one in node.names})
    ]
    assert wrong == []


@pytest.mark.parametrize("name", ROOMS)
def test_a_package_is_ours_and_nobody_elses(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec
    assert Path(str(spec.origin)) == ROOT / name / "__init__.py"
    assert set(importlib.metadata.packages_distributions()[name]) == {"raingauge"}


def test_the_packages_listed_by_hand_are_those_that_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = [source.name for source in sources(*ROOMS) if source.path.name == "__init__.py"]
    folders = {str(source.path.parent.relative_to(ROOT)).replace("/", ".") for source in sources(*ROOMS)}
    assert project["tool"]["setuptools"]["packages"] == sorted(found)
    assert folders == set(found)  # a folder without __init__.py would be left out of the wheel


def test_the_agent_needs_neither_flask_nor_numpy() -> None:
    script = "import agent.cli.agent, agent.running, sys; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert loaded.returncode == 0, loaded.stderr
    names = {name.partition(".")[0] for name in loaded.stdout.split()}
    assert names & {*WEB, "numpy", "plotly", "waitress", "httpx", "pymysql"} == set()


def test_files_are_short() -> None:
    # Templates, styles and scripts of ours too; what npm brings is not ours.
    paths = [source.path for source in sources(*ROOMS, *BESIDE)]
    paths += [
        path
        for kind in ("html", "css", "js")
        for path in (ROOT / "dashboard").rglob(f"*.{kind}")
        if "vendor" not in path.parts
    ]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert {place: lines for place, lines in lengths.items() if lines > MOST_LINES} == {}
