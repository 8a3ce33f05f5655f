"""The configuration file: what it may say, and the exact words for what is wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import schema, yaml_lines
from agent.configuration import Configuration, ConfigurationError, load, parse, split_address

BAD = Path(__file__).parent.parent / "data" / "config"

GOOD = """\
host: web-01
interval: 1s
targets:
  nginx:
    - url: http://127.0.0.1:8099/stub_status
      timeout: 500ms
  mysql:
    - {socket: /run/mysqld/mysqld.sock, password_file: /etc/raingauge/mysql}
dashboard:
  listen: "[::1]:0"
notify:
  webhook:
    ops: {url: https://example.org/hook, token: hunter2}
external_url: https://gauge.example.org/
"""


@pytest.mark.parametrize("file", sorted(BAD.glob("*.yml")), ids=lambda file: file.stem)
def test_a_bad_file_is_refused_with_file_line_key_found_and_expected(file: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse(file.read_text(), file.name)
    assert f"{refused.value}\n" == file.with_suffix(".error").read_text()


def test_every_value_arrives_in_its_unit() -> None:
    found = parse(GOOD, "raingauge.yml")
    assert (found.host, found.interval, found.dashboard.listen) == ("web-01", 1, "[::1]:0")
    assert found.external_url == "https://gauge.example.org"
    (nginx,) = found.targets_of("nginx")
    assert nginx.model_dump()["timeout"] == 0.5
    assert found.history.retention == 15 * 86400


def test_no_secret_shows() -> None:
    found = parse(GOOD, "raingauge.yml")
    assert "hunter2" not in f"{found!r}{found}{found.model_dump()}{found.model_dump_json()}"


def test_an_empty_file_is_as_good_as_none() -> None:
    nothing = Configuration().model_dump()
    assert parse("", "f").model_dump() == parse("# nothing yet\n", "f").model_dump() == nothing


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"gone\.yml: cannot read the configuration: No such file"):
        load(tmp_path / "gone.yml")
    (tmp_path / "latin.yml").write_bytes(b"host: caf\xe9\n")
    with pytest.raises(ConfigurationError, match=r"latin\.yml:1: file: expected UTF-8 text, found byte 233"):
        load(tmp_path / "latin.yml")


def test_an_empty_password_file_is_no_password(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("\n")
    found = parse(f"dashboard: {{password_file: {tmp_path}/password}}", "f")
    with pytest.raises(ConfigurationError, match="expected a password, found none"):
        found.password()


def test_the_environments_password_counts_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAINGAUGE_PASSWORD", "correct horse")
    assert parse("dashboard: {password: other}", "f").password() == "correct horse"


@pytest.mark.parametrize("address", ["", "9876", ":9876", "host:", "host:x", "::1:9876", "host:65536", "a:b:1"])
def test_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="expected host:port"):
        split_address(address)


def test_the_example_shows_the_defaults() -> None:
    lines = list(schema.example())
    keys = [line.removeprefix("# ") for line in lines if not line.startswith("##")]
    assert all(line.startswith(("# ", "##")) for line in lines)
    found = parse("\n".join(keys), "example")
    defaults = Configuration(host="web-01")
    lists = ("targets", "notify", "heartbeats", "scrape_configs", "remote_write", "slos", "sites", "agents")
    shown = {name: getattr(defaults, name) for name in lists}
    own = found.model_copy(update=shown).model_dump()
    assert own == defaults.model_dump(), "but where it shows one of what there may be several of"


def test_every_option_has_its_text() -> None:
    assert [option.key for option in schema.options() if not option.text.endswith(".")] == []


@given(st.text() | st.from_regex(r"(\w+: [\w\[\]{}&*'\"-]*\n)+", fullmatch=True))
def test_any_text_is_taken_or_refused_in_words(text: str) -> None:
    words = "f.yml:"
    try:
        parse(text, "f.yml")
    except ConfigurationError as error:
        words = str(error)
    assert words.startswith("f.yml:")


def test_the_line_of_a_key_that_is_not_there_is_that_of_the_nearest_above() -> None:
    document = yaml_lines.parse("\n\na:\n  b:\n    - c: 1\n")
    assert [document.line(place) for place in ((), ("x",), ("a", "x"), ("a", "b", 0, "x"))] == [3, 3, 3, 5]
