"""PHP's errors: what each kind of log counts and tells, in whatever pieces it comes, and what it never tells."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.model import Event
from collectors.phpfpm import php_errors
from collectors.phpfpm.php_errors import step
from collectors.phpfpm.php_messages import Message, message, plain
from tests.collectors.drupal_site import SHARED

DATA = Path(__file__).parents[1] / "data" / "phpfpm-errors"
LOGS = {path.stem: path.read_text() for path in sorted(DATA.glob("*.log"))}
LINES = [line + "\n" for text in LOGS.values() for line in text.splitlines()]
WARNING = "Undefined variable $undefined"
SQL = (
    "Drupal\\Core\\Database\\DatabaseExceptionWrapper: SQLSTATE[23000]: Integrity constraint violation: N Duplicate "
    "entry '?' for key '?': (SQL)"
)
FATAL = "Uncaught RuntimeException: User (address) from (address) failed"


def read(*pieces: str) -> tuple[dict[str, Any], list[Event]]:
    """The state goes through JSON between two pieces, as it is kept."""
    state: dict[str, Any] = {}
    events: list[Event] = []
    for piece in pieces:
        before = json.dumps(state)
        after, found = step(state, {"text": piece})
        assert json.dumps(state) == before
        state, events = json.loads(json.dumps(after)), events + list(found)
    return state, events


def kept(state: dict[str, Any]) -> list[dict[str, Any]]:
    return [value for key, value in state.items() if key.startswith(php_errors.KEY)]


def told(state: dict[str, Any]) -> dict[str, tuple[str, str, int]]:
    return {each["text"]: (each["level"], each["place"], each["count"]) for each in kept(state)}


def published(state: dict[str, Any]) -> dict[str, dict[tuple[str, ...], float]]:
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for sample in php_errors.samples(state):
        assert sample.labels not in found.setdefault(sample.family.name, {})
        found[sample.family.name][sample.labels] = sample.value
    return found


def test_phps_own_log() -> None:
    state, events = read(LOGS["php"])
    assert state["counts"] == {"warning": 1, "exception": 3, "fatal": 2, "deprecated": 1, "other": 1}
    assert told(state) == {
        "Undefined variable $app_root": ("warning", "sites/default/settings.php:716", 1),
        "TypeError: mb_strlen(): Argument #N ($string) must be of type string, array given":
            ("exception", "core/lib/Drupal/Core/Form/FormValidator.php:332", 1),
        SQL: ("exception", "core/modules/mysql/src/Driver/Database/mysql/ExceptionHandler.php:56", 1),
        "Allowed memory size of N bytes exhausted (tried to allocate N bytes)":
            ("fatal", "modules/custom/shop/src/Cart.php:11", 2),
        "PDOException: SQLSTATE[HY000] [N] Connection refused":
            ("exception", "core/lib/Drupal/Component/DependencyInjection/PhpArrayContainer.php:77", 1),
        "Optional parameter $expire declared before required parameter $tags is implicitly treated as a required "
        "parameter": ("deprecated", "modules/contrib/redis/src/Cache/CacheBase.php:360", 1),
    }  # fmt: skip
    assert [event.first - 1795341142 for event in events] == [0, 1, 11, 12, 14]
    assert events[0].title == "New PHP warning: Undefined variable $app_root"
    assert events[0].evidence == (
        {"level": "warning", "message": "Undefined variable $app_root", "place": "sites/default/settings.php:716"},
    )
    assert published(state)["php_errors_total"] == {
        ("fatal",): 2, ("exception",): 3, ("warning",): 1, ("notice",): 0, ("deprecated",): 1, ("other",): 1,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["nginx", "fpm"])
def test_the_same_errors_in_the_logs_of_nginx_and_of_php_fpm(name: str) -> None:
    state, _ = read(LOGS[name])
    assert state["counts"] == {"warning": 4, "exception": 1, "fatal": 1}
    assert told(state) == {
        WARNING: ("warning", "t.php:4", 1), "Undefined variable $other": ("warning", "t.php:4", 1),
        "Trying to access array offset on value of type null": ("warning", "t.php:4", 1),
        "mine N": ("warning", "t.php:4", 1), SQL: ("exception", "core/lib/X.php:56", 1), FATAL: ("fatal", "t.php:6", 1),
    }  # fmt: skip


def test_apaches_log() -> None:
    state, events = read(LOGS["apache"])
    assert told(state) == {
        WARNING: ("warning", "t.php:4", 1), "mine N": ("warning", "t.php:4", 1),
        "Uncaught RuntimeException: failed": ("fatal", "t.php:6", 1),
    }  # fmt: skip
    assert len(events) == 3


def test_what_is_somebodys_or_says_where_is_not_told() -> None:
    for text in LOGS.values():
        said = repr(read(text)[1]) + repr(kept(read(text)[0])) + repr(published(read(text)[0]))
        for secret in ("jane", "example.org", "203.0.113", "/var/www", "hunter2", "10.0.0.5", "4711", "268435456"):
            assert secret not in said
        state = read(text)[0]
        assert "jane" not in json.dumps({key: value for key, value in state.items() if key != "rest"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Table 'd10.x' doesn't exist", "Table '?' doesn't exist"), ('key "it\'s" of "b" gone', 'key "?" of "?" gone'),
     ("Undefined array key \"jane", 'Undefined array key "?"'), ("name 'jane", "name '?'"), ("a `jane` b", 'a "?" b'),
     ("GET https://jane:pw@x.example/?a=b failed", "GET (URL) failed"), ("public://a/b.png is gone", "(URL) is gone"),
     ("from 198.51.100.7:80 and 2001:db8::7", "from (address) and (address)"), ("at 10:11:12", "at N:N:N"),
     ("Drupal\\a\\B::c() line 7, 3.5 s, 0xFF, x7", "Drupal\\a\\B::c() line N, N s, N, x7"),
     ("Feed::add and B2::f()", "Feed::add and B2::f()"),
     ("Key (mail)=(jane, 7) already exists", "Key (mail)=(?) already exists"),
     ("/home/jane/web/modules/a/b.php is not writable", "modules/a/b.php is not writable"),
     ("open(/tmp/jane/f.txt): denied", "open(f.txt): denied"), ("and/or 1/2", "and/or N/N"),
     ("token eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9 bad", "token (token) bad"),
     ("SQLSTATE[42S02]: gone: select a from b where c = jane", "SQLSTATE[42S02]: gone: (SQL)"),
     ("SQLSTATE[23000]: x: 1062: 7", "SQLSTATE[23000]: x: N: N"),
     ("Call to undefined: call it", "Call to undefined: call it"),
     ("failed: SELECT mail FROM users", "failed: (SQL)"), ("a\x1b[31m\n\tb", "a?[31m b"), ("", "")],
)  # fmt: skip
def test_messages_are_made_alike(text: str, expected: str) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [("PHP Parse error:  syntax in /x/web/modules/a.php on line 3", Message("fatal", "syntax", "modules/a.php:3")),
     ("PHP Notice:  a in /x/y.php(3) : eval()'d code on line 1", Message("notice", "a", "y.php:1")),
     ("PHP Recoverable fatal error:  a in /x/y.php on line 1", Message("fatal", "a", "y.php:1")),
     ("PHP Strict Standards:  a in Unknown on line 0", Message("notice", "a", "Unknown:0")),
     ("PHP Warning:  no place", Message("warning", "no place", "")), ("PHP is fine", None), ("", None),
     ("Error: x", Message("exception", "Error: x", "")), ("some Error: x", None)],
)  # fmt: skip
def test_levels(said: str, expected: Message | None) -> None:
    assert message(said) == expected


def test_a_line_that_does_not_end_waits_and_one_without_end_is_cut() -> None:
    head = "[22-Nov-2026 09:52:22 UTC] PHP Warning:  a"
    state, events = read(head)
    assert (state["counts"], events) == ({}, [])
    state, events = read(head, "b in /x.php on line 1\n")
    assert list(told(state)) == ["ab"]
    state, _ = read(head, *["x" * 5000] * 100, "\n")
    assert state["counts"] == {"warning": 1}
    assert len(json.dumps(state)) < 5000


def test_what_is_kept_stays_little_and_messages_that_come_again_are_not_new() -> None:
    words = [f"[22-Nov-2026 09:52:22 UTC] PHP Warning:  m{'a' * at} in /x.php on line 1\n" for at in range(190)]
    state, events = read("".join(words), "".join(words))
    assert (len(events), state["counts"]) == (190, {"warning": 380})
    more = [f"[22-Nov-2026 09:52:23 UTC] PHP Warning:  b{'a' * at} in /x.php on line 1\n" for at in range(190)]
    state, _ = read("".join(words), "".join(more))
    assert len(kept(state)) == php_errors.MOST_MESSAGES
    assert len({event.id for event in events}) == 190


def test_a_message_is_published_with_its_times_whatever_place_it_comes_from() -> None:
    state, _ = read(
        "[22-Nov-2026 09:52:22 UTC] PHP Warning:  a 1 in /x.php on line 1\n",
        '[22-Nov-2026 09:52:23 UTC] Uncaught PHP Exception E: "b',
        '\nc" at /x.php line 2\n[22-Nov-2026 09:52:24 UTC] Uncaught PHP Exception E: "b" at /x.php line 2\n',
        "[22-Nov-2026 09:52:25 UTC] PHP Warning:  a 2 in /y.php on line 3\n",
        "[22-Nov-2026 09:52:26 UTC] PHP Deprecated:  d in /y.php on line 3\n",
    )
    found = published(state)
    warning, exception = ("warning", "a N"), ("exception", "E: b")
    assert found["php_error_message_total"] == {warning: 2, exception: 2}
    assert found["php_error_message_first_timestamp_seconds"] == {warning: 1795341142, exception: 1795341143}
    assert found["php_error_message_last_timestamp_seconds"] == {warning: 1795341145, exception: 1795341144}


def test_those_are_published_that_came_last_and_no_time_is_made_up() -> None:
    words = [f"[22-Nov-2026 09:52:{at:02} UTC] PHP Warning:  m{'a' * at} in /x.php on line 1\n" for at in range(30)]
    state, _ = read("".join(words))
    found = published(state)["php_error_message_total"]
    assert sorted(len(text) for _, text in found) == list(range(11, 31))
    untimed = published(read("[99-Nov-2026 09:52:22 UTC] PHP Warning:  a\n")[0])
    assert untimed["php_error_message_total"] == {("warning", "a"): 1}
    assert "php_error_message_last_timestamp_seconds" not in untimed


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Etc/Nowhere", "/etc/passwd", "", "Europe", "+02:00"])
def test_any_zone_is_a_moment(zone: str) -> None:
    state, _ = read(f"[22-Nov-2026 09:52:22{' ' + zone if zone else ''}] PHP Warning:  a in /x.php on line 1\n")
    assert abs(state["at"] - 1795341142) <= 14 * 3600


def test_a_date_that_is_none_leaves_the_moment_as_it_was() -> None:
    state, _ = read("[99-Nov-2026 09:52:22 UTC] PHP Warning:  a\n[22-Foo-2026 29:52:22 UTC] PHP Warning:  a\n")
    assert (state["at"], state["counts"]) == (0.0, {"warning": 2})


def cut(text: str, at: list[int]) -> list[str]:
    places = sorted({0, len(text), *(each % (len(text) + 1) for each in at)})
    return [text[a:b] for a, b in pairwise(places)]


texts = st.lists(
    st.sampled_from(LINES) | st.text(max_size=30)
    | st.sampled_from(["\n", "\r\n", "x" * 9000, "PHP message: PHP Notice:  x", '" at /a/core/b.php line 3"', '"']),
    max_size=25,
)  # fmt: skip


@settings(deadline=None)
@given(pieces=texts.map("".join), at=st.lists(st.integers(0, 10_000), max_size=12))
def test_in_whatever_pieces_it_comes_it_is_the_same(pieces: str, at: list[int]) -> None:
    assert read(*cut(pieces, at)) == read(pieces) or not pieces


@pytest.mark.parametrize(
    "text",
    ["a@", " in /(1) : ", "'a", '"', "/a", "-", "=", "1:", "::", "a.", "://", "PHP message: ", "; ", "` ", "SQLSTATE[",
     "\\a", " at /x line 1", "(", "a" * 50 + " ", ": SELECT", "1.", "0x", "Exception: "],
)  # fmt: skip
def test_long_lines_are_read_in_little_time(text: str) -> None:
    """Where a pattern went over such a line again and again, this would take minutes."""
    line = (text * 9000)[:8000]
    read("".join(f"[22-Nov-2026 09:52:22 UTC] {head}{line}\n" for head in ("", "PHP Warning:  ", 'X\\Error: "')))
    read(f'2026/11/22 09:52:34 [error] 1#1: *5 FastCGI sent in stderr: "PHP message: {line}\n{line}\n')


@pytest.mark.skipif(not SHARED.exists(), reason="the sample sites are not beside the repository")
def test_a_real_log() -> None:
    text = (SHARED / "logs" / "php-error.log").read_text()
    state, _ = read(text)
    assert state["counts"] == {"warning": 13, "fatal": 4, "exception": 17, "deprecated": 1}
    assert text.count("] PHP Warning") + text.count("] PHP Fatal") + text.count("] PHP Dep") == 18
    assert "/var/www" not in repr(kept(state))
