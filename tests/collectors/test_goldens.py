"""What each captured answer becomes, against its golden. `make golden` rewrites them; read the diff."""

import os
import subprocess

import pytest

from agent.exposition import render
from tests.collectors.captures import Capture, captures
from tests.collectors.official import OLD_NAMES


@pytest.mark.parametrize("capture", captures(), ids=str)
def test_golden(capture: Capture) -> None:
    found = render(capture.samples()).decode()
    if os.environ.get("RAINGAUGE_GOLDEN") == "rewrite":
        capture.golden.write_text(found)
    assert found == capture.golden.read_text()


@pytest.mark.parametrize("capture", captures(), ids=str)
def test_every_payload_is_read(capture: Capture) -> None:
    read = {f"payload.{part.name}" for part, _ in capture.parts()}
    assert {file.stem for file in capture.folder.glob("payload.*")} == read
    assert {file.name for file in capture.folder.iterdir() if file.stem not in read} == {"metrics.prom"}


@pytest.mark.servers
@pytest.mark.parametrize("capture", captures(), ids=str)
def test_promtool_finds_nothing_but_the_exporters_own_old_names(capture: Capture) -> None:
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=capture.golden.read_text(), capture_output=True, text=True, check=False
    )
    assert checked.returncode in (0, 3), checked.stderr  # 3: it parses, and there are complaints
    assert [line for line in checked.stderr.splitlines() if not OLD_NAMES.match(line)] == []
