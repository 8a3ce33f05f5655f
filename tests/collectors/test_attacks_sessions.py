"""Sessions of attackers, made from a seed: each is told with its class and source, and who reads the site is not."""

import random
from collections.abc import Callable, Iterator, Sequence

import pytest

from collectors.model import Event
from collectors.weblog.attacks import floods
from collectors.weblog.attacks.watching import step
from tests.collectors.attack_corpus import BROWSER
from tests.collectors.weblog_lines import payload

ATTACKER = "198.51.100.77"
Line = tuple[float, str]
"""Second of the hour, line."""


def line(second: float, asked: str, status: int, remote: str = ATTACKER, taken: float = 0.1) -> Line:
    clock = f"10:{int(second) // 60 % 60:02}:{int(second) % 60:02}"
    text = f'{remote} - - [22/Nov/2026:{clock} +0000] "{asked} HTTP/1.1" {status} 5000 "-" "{BROWSER}" rt={taken:.3f}'
    return second, f'{text} urt={taken:.3f} dc="-" host=shop.example\n'


def readers(dice: random.Random, count: int = 3000) -> Iterator[Line]:
    """Each with a few pages and their files; editors, too."""
    for _ in range(count):
        asked = dice.choice(("GET /", "GET /blog/a", "GET /node/{}", "GET /themes/x/a{}.css", "GET /core/misc/b{}.js",
                             "GET /search/node?keys=word{}", "POST /node/{}/edit", "GET /user/login"))  # fmt: skip
        remote = f"203.0.{dice.randrange(100)}.{dice.randrange(250)}"
        yield line(dice.uniform(0, 3500), asked.format(dice.randrange(500)), 200, remote, dice.uniform(0.02, 0.6))


def bruteforce(dice: random.Random) -> Iterator[Line]:
    return (line(600 + at * dice.uniform(0.5, 3), "POST /user/login", 200) for at in range(40))


def spraying(dice: random.Random) -> Iterator[Line]:
    """Each source fails too seldom to be told."""
    for at in range(60):
        yield line(600 + at * 8, "POST /user/login", 200, f"198.51.{dice.randrange(100)}.{at % 20 + 1}")


def enumeration(dice: random.Random) -> Iterator[Line]:
    return (line(600 + at * dice.uniform(1, 4), "POST /user/password", 303) for at in range(12))


def walk(dice: random.Random) -> Iterator[Line]:
    begin = dice.randrange(1, 50)
    return (line(600 + at, f"GET /user/{begin + at}", dice.choice((200, 403, 404))) for at in range(20))


def flood(dice: random.Random) -> Iterator[Line]:
    return (line(600 + at / 15, f"GET /node/{dice.randrange(9)}", 200) for at in range(floods.MANY * 3))


def spam(dice: random.Random) -> Iterator[Line]:
    where = dice.choice(("/user/register", "/contact/feedback", "/comment/reply/node/1/comment"))
    return (line(600 + at * dice.uniform(5, 40), f"POST {where}", dice.choice((200, 303))) for at in range(20))


def spam_of_many(dice: random.Random) -> Iterator[Line]:
    for at in range(60):
        yield line(600 + at * 20, "POST /user/register", 303, f"198.51.{dice.randrange(200)}.{at + 1}")


def scan(dice: random.Random) -> Iterator[Line]:
    return (line(600 + at, f"GET /{dice.randrange(10**9)}", 404) for at in range(40))


SESSIONS: dict[Callable[[random.Random], Iterator[Line]], tuple[str, str]] = {
    bruteforce: ("bruteforce", ATTACKER),
    spraying: ("bruteforce", "many networks"),
    enumeration: ("user_enum", "198.51.100.0/24"),
    walk: ("user_enum", "198.51.100.0/24"),
    flood: ("flood", ATTACKER),
    spam: ("spam", ATTACKER),
    spam_of_many: ("spam", "many networks"),
    scan: ("probe", "198.51.100.0/24"),
}


def told(lines: Sequence[Line]) -> Sequence[Event]:
    text = "".join(text for _, text in sorted(lines))
    return [event for event in step({}, payload(text))[1] if event.kind.startswith("security.")]


@pytest.mark.parametrize("session", SESSIONS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("seed", range(5))
def test_a_session_among_readers(session: Callable[[random.Random], Iterator[Line]], seed: int) -> None:
    dice = random.Random(seed)
    found, who = SESSIONS[session]
    events = told([*readers(dice), *session(dice)])
    keys = {event.dedup_key for event in events}
    assert any(key.startswith(f"shop {who} {found} ") for key in keys), keys
    assert {event.severity for event in events} == {"info"}


@pytest.mark.parametrize("seed", range(5))
def test_readers_alone(seed: int) -> None:
    assert told([*readers(random.Random(seed), 10_000)]) == []


def test_a_busy_site_has_busy_sources() -> None:
    """A flood is far above what the site is used to, and not a number of its own."""
    usual = [line(at / 40, f"GET /node/{at % 7}", 200, f"203.0.113.{at % 200}") for at in range(40 * 900)]
    proxy = [line(900 + at / 10, "GET /node/1", 200) for at in range(floods.MANY * 2)]
    assert told([*usual, *proxy]) == []
    assert [event.kind for event in told(proxy)] == ["security.flood"]


@pytest.mark.parametrize(
    ("asked", "taken", "severities"),
    [
        ("GET /node/1?id=1+and+sleep(5)", 5.2, ["warning"]),
        ("GET /node/1?id=1'||pg_sleep(5)--", 5.3, ["warning"]),
        ("GET /node/1?id=1';waitfor+delay+'0:0:4'--", 4.3, ["warning"]),
        ("GET /node/1?id=1+and+sleep(5)", 0.2, []),
        ("GET /node/1?id=1+and+sleep(5)", 29.0, []),
        ("GET /node/1?id=1+and+1=1", 5.2, []),
    ],
)
def test_an_answer_that_slept(asked: str, taken: float, severities: list[str]) -> None:
    """Only when it took as long as the statement says, on a site whose pages are known to be quick."""
    state, _ = step({}, payload("".join(text for _, text in sorted(readers(random.Random(1))))))
    _, events = step(state, payload(line(3550, asked, 200, taken=taken)[1]))
    assert [event.severity for event in events if event.kind == "security.sqli"] == severities
