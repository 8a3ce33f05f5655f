"""Our own look is no attack, and nobody hides behind its name."""

import pytest

from collectors import own_requests
from collectors.security.posture import findings
from collectors.weblog.agents import agent_class
from tests.collectors.test_attacks_watching import count, kinds, row, told

PATHS = sorted({path for about in findings().values() for path in about.files})


def test_all_that_the_look_asks_is_ours() -> None:
    assert own_requests.paths() == set(PATHS)
    rows = [row(f"GET {path}", 200, remote="127.0.0.1", agent="raingauge") for path in PATHS]
    state, events = told(rows)
    assert kinds(events) == []
    assert count(state, "sensitive_file", "success_suspected") == count(state, "sensitive_file", "attempt") == 0
    assert agent_class(own_requests.AGENT) == "monitor"


@pytest.mark.parametrize(
    ("asked", "remote", "agent"),
    [
        ("GET /.git/HEAD", "203.0.113.7", "raingauge"),
        ("GET /.git/HEAD", "10.0.0.7", "raingauge"),
        ("GET /.git/HEAD", "127.0.0.1", "raingauge/1.0"),
        ("GET /.git/HEAD", "127.0.0.1", "Mozilla/5.0 raingauge"),
        ("GET /.git/HEAD?x=1", "127.0.0.1", "raingauge"),
        ("POST /.git/HEAD", "127.0.0.1", "raingauge"),
        ("GET /.git/config", "127.0.0.1", "raingauge"),
        ("GET //.git/HEAD", "127.0.0.1", "raingauge"),
        ("GET /%2egit/HEAD", "127.0.0.1", "raingauge"),
    ],
)
def test_nobody_else_is(asked: str, remote: str, agent: str) -> None:
    path, _, query = asked.partition(" ")[2].partition("?")
    assert not own_requests.is_own(remote, asked.partition(" ")[0], path, query, agent)
    _, events = told([row(asked, 200, 300, remote=remote, agent=agent)])
    assert any(kind.startswith("security.") for kind, _ in kinds(events))
