"""A real fault on the lab: one incident, and the right cause is named first."""

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from alerts.incidents import store
from history.database import open_database
from tests.lab.lab import Lab
from tests.lab.ports import wait_until
from tests.lab.process import Raingauge
from tests.lab.prometheus import ask

pytestmark = pytest.mark.servers


@pytest.fixture
def host(tmp_path: Path) -> Iterator[tuple[Lab, Raingauge]]:
    """The shipped rules, but that they wait 4 s where they wait 25."""
    rules = tmp_path / "rules"
    rules.mkdir()
    text = resources.files("alerts.rules").joinpath("database.yml").read_text(encoding="utf-8")
    sooner = text.replace("for: 25s\n", "for: 4s\n")
    assert sooner != text
    (rules / "database.yml").write_text(sooner)
    with Lab() as lab:
        text = (
            f"host: lab\ninterval: 1s\ndiscovery: false\nshipped_rules: false\nrules: ['{rules}/*.yml']\n"
            f"targets:\n  mysql: [{{socket: {lab.mariadb.socket}, user: {lab.mariadb.user}}}]\n"
        )
        with Raingauge(tmp_path, text) as running:
            yield lab, running


def incidents(host: Raingauge, *words: str) -> Any:
    return json.loads(host.says("incidents", *words, "--json"))


def test_a_database_that_stopped_is_named_first(host: tuple[Lab, Raingauge]) -> None:
    lab, running = host
    up = f'mysql_up{{instance="lab:{lab.mariadb.socket}"}} == 1'
    wait_until(
        lambda: ask(running.dashboard, "query", running.token(), query=up)[1]["data"]["result"],
        30,
        "the database is found and read",
    )
    lab.mariadb.stop()

    engine = open_database(running.state)

    def explained() -> bool:
        with engine.connect() as connection:
            return any(one.causes for one in store.incidents(connection))

    wait_until(explained, 60, "an incident, and what explains it")
    engine.dispose()
    (found,) = incidents(running, "list", "--open")
    assert "MysqlDown" in names(found)
    assert (found["causes"][0]["layer"], found["causes"][0]["alert"]) == ("database", "MysqlDown")
    assert found["severity"] == "critical"
    assert "database does not answer" in running.says("incidents", "show", str(found["id"]))
    assert found["command"].startswith("systemctl status mariadb")
    assert [one["id"] for one in incidents(running, "list")] == [found["id"]]


def names(incident: dict[str, Any]) -> set[str]:
    return {member["name"] for member in incident["alerts"]}
