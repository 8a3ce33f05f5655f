"""Servers with the small sites of tests/lab/drupal.py in them."""

from collections.abc import Iterator

import pytest

from collectors.drupal import site
from tests.lab import drupal
from tests.lab.drupal import NOW
from tests.lab.postgresql import PostgreSql
from tests.lab.servers import MariaDb


@pytest.fixture
def site_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the sites' own time."""
    monkeypatch.setattr(site, "clock", lambda: float(NOW))


@pytest.fixture(scope="module")
def drupal_mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    with MariaDb(tmp_path_factory.mktemp("m")) as server:
        for name, seven, prefix in (("ten", False, ""), ("seven", True, ""), ("prefixed", False, "p_")):
            drupal.fill(drupal.mysql(server, name), "mysql", seven, prefix)
        shared = {"default": "main_", "users": "shared_", "users_roles": "shared_"}
        drupal.fill(drupal.mysql(server, "shared"), "mysql", True, shared)
        yield server


@pytest.fixture(scope="module")
def drupal_postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSql]:
    with PostgreSql(tmp_path_factory.mktemp("p")) as server:
        drupal.fill(drupal.pgsql(server, "ten"), "pgsql")
        yield server
