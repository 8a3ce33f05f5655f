"""For all tests: how many examples property tests take, a local database, and a folder that is open to all."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Engine

from history.database import open_database

# No deadline: a machine that is busy is no defect. `make check` takes fewer examples to stay under a minute.
settings.register_profile("raingauge", max_examples=int(os.environ.get("RAINGAUGE_EXAMPLES", "100")), deadline=None)
settings.load_profile("raingauge")
os.umask(0o022)  # servers that have an account of their own read what tests write, whatever the shell's mask is


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder which servers that have an account of their own may enter, unlike tmp_path."""
    with tempfile.TemporaryDirectory(prefix="raingauge-place-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
