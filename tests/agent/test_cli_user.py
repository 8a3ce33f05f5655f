"""`raingauge user`: who may log in, and what the audit log says of it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.cli import main
from agent.configuration import ConfigurationError, parse
from agent.written import written
from history.access import Access
from history.database import open_database

FILE = """\
host: web-01
history:
  retention: 15d
  database: postgresql://kim:hunter2@db/x
dashboard:
  proxies: [127.0.0.1, "10.0.0.0/8"]
  password: hunter2hunter2
notify:
  webhook:
    ops: {url: "http://127.0.0.1:9/hunter2"}
"""


@pytest.fixture
def access(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Access:
    monkeypatch.setenv("RAINGAUGE_STATE_DIR", str(tmp_path))
    return Access(open_database(tmp_path))


def raingauge(*words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, ["user", *words], input=stdin)


def test_a_user_is_added_changed_and_removed(access: Access) -> None:
    added = raingauge("add", "kim", "--role", "responder", stdin="correct horse battery\n")
    assert added.output == "kim may log in as responder\n"
    assert access.users.check("kim", "correct horse battery")
    assert "kim\tresponder\tadded 20" in raingauge("list").output
    session = access.sessions.open(2e9, "kim")
    assert raingauge("role", "kim", "admin").output == "kim is admin now\n"
    assert access.sessions.find(session, 2e9)
    assert raingauge("passwd", "kim", stdin="another one of mine\n").exit_code == 0
    assert access.users.check("kim", "another one of mine")
    assert access.sessions.find(session, 2e9) is None
    assert raingauge("remove", "kim").output == "kim is removed\n"
    assert access.users.all() == []
    said = [entry.what for entry in access.audit.newest(9)]
    assert said == ["user kim removed", "password of kim changed", "user kim is admin now", "user kim added, responder"]


@pytest.mark.parametrize(("words", "stdin", "error"), [
    (("add", "kim"), "short\n", "the password needs 10 to 1000 characters, found 5"),
    (("add", "a b"), "correct horse battery\n",
     "expected a name of letters, digits and . _ @ -, at most 64, found 'a b'"),
    (("remove", "kim"), "", "no user is named 'kim'; `raingauge user list` shows them"),
])  # fmt: skip
def test_what_cannot_be_is_told(access: Access, words: tuple[str, ...], stdin: str, error: str) -> None:
    result = raingauge(*words, stdin=stdin)
    assert (result.exit_code, result.output) == (1, f"Error: {error}\n")
    assert access.users.all() == []


def test_what_the_file_sets_has_its_line_and_no_secret() -> None:
    found = {each.key: (each.value, each.place) for each in written(parse(FILE, "r.yml"))}
    assert found["history.retention"] == ("15d", "r.yml:3")
    assert found["dashboard.proxies"] == ("127.0.0.1, 10.0.0.0/8", "r.yml:6")
    assert found["dashboard.password"] == ("set, not shown", "r.yml:7")
    assert found["history.database"] == ("set, not shown", "r.yml:4")
    assert found["notify.webhook"][0] == "1 entry"
    assert "hunter2" not in str(found)


def test_a_header_without_proxies_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"r.yml:\d: dashboard.*expected proxies beside user_header"):
        parse("dashboard: {user_header: X-Remote-User}", "r.yml")
