"""Makefile, set-up of servers and continuous integration: what a newcomer types first."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commandline import targets
from tests.lab.servers import PACKAGES
from tests.test_imports import sources

ROOT = Path(__file__).parent.parent
PUBLIC = {"setup", "run", "demo", "test", "check", "fix", "golden", "trials", "coverage", "bench", "docs"}
INNER = {"dev", "lint", "unit"}
"""Steps of other targets."""
BASE = {"make", "sh", "git", "php-fpm", "systemd-analyze", "npm", "mount", "umount", "unshare"}
"""Of every development machine, or the test is left out without it; php-fpm has a line of its own in the script."""
SHIPPED_WITH = {
    "sendmail": "postfix",
    "promtool": "prometheus",
    "amtool": "prometheus-alertmanager",
    "mariadb-install-db": "mariadbd",
}


def make(*words: str) -> str:
    done = subprocess.run(
        ["make", "--no-print-directory", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_plain_make_explains_every_target() -> None:
    lines = {words[1]: words[2:] for line in make().splitlines() if (words := line.split())[:1] == ["make"]}
    assert lines.keys() >= PUBLIC
    assert lines.keys() == targets() - INNER
    assert all(lines.values())


@pytest.mark.parametrize("target", sorted(PUBLIC))
def test_every_target_sets_up_what_it_needs_by_itself(target: str) -> None:
    planned = make("--dry-run", "--always-make", target)
    assert "-m venv .venv" in planned
    assert "--constraint requirements.lock" in planned


@pytest.mark.parametrize("target", ["setup", "run"])
def test_running_needs_no_root_and_no_server(target: str) -> None:
    planned = make("--dry-run", "--always-make", target)
    assert "install-servers" not in planned
    assert "[dev]" not in planned


def test_continuous_integration_runs_the_tests_and_nothing_else() -> None:
    lines = [line for line in (ROOT / ".ci/run").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[-1] == "exec make test"
    assert [line for line in lines if "make" in line] == ["exec make test"]
    assert "pytest" in make("--dry-run", "--always-make", "test")


def test_every_program_that_tests_start_is_installed_by_the_script() -> None:
    script = (ROOT / "tests/install-servers").read_text()
    wanted = dict(re.findall(r"^need (\S+) (\S+)$", script, re.MULTILINE))
    started = {program for source in sources("tests") for program in programs(source.tree)} - BASE
    assert started >= {"nginx", "mariadb", "promtool"}
    assert {program for program in started if SHIPPED_WITH.get(program, program) not in wanted} == set()
    assert set(PACKAGES.values()) - {"php-fpm"} <= set(wanted.values())
    assert {"php-fpm", "php-mysql", "php-redis"} <= set(re.findall(r"php-\w+", script))
    assert "policy-rc.d" in script


def programs(tree: ast.Module) -> Iterator[str]:
    """What is started by name: the first word of a list that is given to subprocess, or looked up."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            first = node.args[0]
            if ast.unparse(node.func).startswith("subprocess.") and isinstance(first, ast.List):
                first = first.elts[0]
            elif ast.unparse(node.func) not in ("shutil.which", "binary"):
                continue
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and "/" not in first.value:
                yield first.value


def test_without_root_the_script_says_what_is_missing(tmp_path: Path) -> None:
    """With a PATH on which nothing is found but what the script itself needs, and an `id` that is not root's."""
    for name, text in {"id": "echo 1000", "ls": "exit 2"}.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    script = (ROOT / "tests/install-servers").read_text().replace(":/usr/sbin:/sbin", "")
    done = subprocess.run(
        ["/bin/sh", "-c", script], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "mariadb-server" in done.stderr
    assert "php-fpm" in done.stderr
