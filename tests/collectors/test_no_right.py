"""A unix socket that our user may not open says nothing about whether its server is up."""

import socket
from pathlib import Path

import pytest

from agent.reading import trial
from collectors import registry
from tests.lab.nobody import as_nobody


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # redis-py leaves a socket open
@pytest.mark.parametrize(
    ("name", "file"), [("mysql", "s.sock"), ("redis", "s.sock"), ("memcached", "s.sock"), ("postgres", ".s.PGSQL.5432")]
)
def test_a_socket_that_we_may_not_open_is_no_server_that_is_down(name: str, file: str, tmp_path: Path) -> None:
    collector = registry.collector(name)
    config = collector.config.model_validate({"socket": str(tmp_path / file), "timeout": 0.5})
    assert trial(collector, config)[0].outcome == "unreachable"  # and loads what nobody may not read
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / file))
        server.listen()
        (tmp_path / file).chmod(0)
        found = as_nobody(lambda: ": ".join([(reading := trial(collector, config)[0]).outcome, reading.error]))
    assert found.startswith("denied: ")
    assert "ermission denied" in found
