"""Lines of logs as evidence."""

from dataclasses import replace

from alerts.incidents.evidence import MOST, evidence
from collectors.model import Event
from tests.alerts.examples import T
from tests.alerts.told import INCIDENT

ERROR = Event(
    "drupal.error:1", "drupal.error", "warning", "web1", "shop.example", T, T + 10, 12, "php: Error: no class Foo",
    ({"message": "php: Error: no class Foo", "path": "/node/{id}", "network": "192.0.2.0/24", "wid": "7"},),
)  # fmt: skip


def test_a_line_says_when_what_where_and_how_often() -> None:
    assert evidence(INCIDENT, [ERROR]) == ("22:13:30 UTC php: Error: no class Foo (path /node/{id}; 12 times)",)


def test_who_it_was_is_not_said() -> None:
    assert "192.0.2" not in str(evidence(INCIDENT, [ERROR]))


def test_only_what_logs_say_and_only_here() -> None:
    others = [
        replace(ERROR, kind="deploy"), replace(ERROR, kind="alert.firing"), replace(ERROR, host="web2"),
        replace(ERROR, site="blog"),
    ]  # fmt: skip
    whole_host = replace(ERROR, kind="php.error", site="", title="New PHP fatal: x")
    assert evidence(INCIDENT, [*others, whole_host]) == (
        "22:13:30 UTC New PHP fatal: x (path /node/{id}; 12 times)",
    )  # fmt: skip


def test_the_newest_few() -> None:
    many = [replace(ERROR, title=f"error {number}", count=1, evidence=()) for number in range(9)]
    assert evidence(INCIDENT, many) == tuple(f"22:13:30 UTC error {number}" for number in range(MOST))


def test_what_the_title_says_is_not_said_twice() -> None:
    request = Event(
        "s", "security.sqli", "warning", "web1", "shop.example", T, T, 1, "sqli on shop.example: GET /x",
        ({"request": "GET /x", "status": "500"},),
    )  # fmt: skip
    assert evidence(INCIDENT, [request]) == ("22:13:20 UTC sqli on shop.example: GET /x (status 500)",)
