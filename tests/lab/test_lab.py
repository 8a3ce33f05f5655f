"""The lab itself: the page asks both back ends, and what is asked of it happens."""

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.lab.lab import Lab

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as running:
        yield running


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_the_page_asks_database_and_cache(lab: Lab) -> None:
    status, body = get(f"{lab.url}/index.php")
    assert (status, body.startswith("node rows: ")) == (200, True)
    assert int(lab.mariadb.sql("SELECT COUNT(*) FROM lab.node WHERE title = 'visited'")) >= 1


def test_it_fails_and_uses_memory_on_demand(lab: Lab) -> None:
    status, body = get(f"{lab.url}/index.php?status=503&memory=8")
    assert (status, body.endswith(f"memory: {8 << 20}\n")) == (503, True)


def test_traffic_is_bounded(lab: Lab) -> None:
    with lab.traffic(per_second=100, seconds=0.2) as traffic:
        traffic._thread.join(20)
    assert 1 <= traffic.answers <= 20
