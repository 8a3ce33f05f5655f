"""The log is read on: each row once, what was lost is counted, and events say nothing personal."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.drupal import messages, watchdog
from collectors.drupal.config import Drupal
from collectors.drupal.php_values import unserialize
from collectors.drupal.watchdog import MOST_ROWS, step
from collectors.errors import CollectError
from collectors.model import Event, State
from collectors.sources import looking
from collectors.sources.looking import LOOK_SECONDS
from tests.lab import drupal
from tests.lab.drupal import ERROR, NOW, Execute, error, php, watchdog_row
from tests.lab.ports import free_port


class Site:
    """A log and its follower, as the agent drives it."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.execute: Execute = drupal.sqlite(directory / "db")
        drupal.fill(self.execute, "sqlite")
        self.config = Drupal(site="shop.test", driver="sqlite", database=str(directory / "db"))
        self.cursor: Any = None
        self.state: State = {}
        self.now = float(NOW)
        monkeypatch.setattr(looking, "clock", lambda: self.now)

    def log(self, *rows: tuple[Any, ...]) -> None:
        drupal.log(self.execute, *rows)

    def look(self) -> list[Event]:
        """A minute later, as often as there is more."""
        self.now += LOOK_SECONDS
        told: list[Event] = []
        while True:
            payload, self.cursor = watchdog.read(self.config, self.cursor)
            if payload is None:
                return told
            self.state, events = step(self.state, payload)
            told += events

    @property
    def counts(self) -> dict[str, float]:
        """Of messages by type and severity, those that are not none; "": of lost ones."""
        told = [each for each in watchdog.samples(self.state) if each.family in (watchdog.TOTAL, watchdog.LOST)]
        return {" ".join(each.labels): each.value for each in told if each.value or not each.labels}

    def errors(self) -> list[float]:
        return [each.value for each in watchdog.samples(self.state) if each.family is watchdog.ERRORS]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path, monkeypatch)


def notice(kind: str = "user", at: int = NOW) -> tuple[Any, ...]:
    return watchdog_row(kind, 5, "Session opened for %name.", php({"%name": "alice"}), at)


def broken(message: str = "boom", line: int = 7) -> tuple[Any, ...]:
    return watchdog_row("php", 3, ERROR, error(message, line))


def test_each_row_is_counted_once_and_what_came_before_is_no_event(site: Site) -> None:
    site.log(*[notice()] * 3, broken())
    assert site.look() == []
    assert site.counts == {"user notice": 3, "php error": 1, "": 0}
    site.log(notice(), notice("cron"))
    assert site.look() == []
    assert site.look() == []
    assert site.counts == {"user notice": 4, "cron notice": 1, "php error": 1, "": 0}


def test_errors_have_series_before_the_first_of_them(site: Site) -> None:
    site.look()
    assert site.errors() == [0]
    site.log(notice("shop"))
    site.look()
    zero = {each.labels for each in watchdog.samples(site.state) if each.family is watchdog.TOTAL and not each.value}
    assert zero == {("php", "error"), ("shop", "error")}
    site.log(broken(), watchdog_row("shop", 1, "Disk full", php(None)), watchdog_row("shop", 4, "Hm", php(None)))
    site.look()
    assert site.errors() == [2]


def test_the_time_of_each_module_at_the_last_cron_run(site: Site) -> None:
    site.look()
    starts = "Starting execution of @module_cron(), execution of @module_previous_cron() took @time."
    ends = "Execution of @module_previous_cron() took @time."
    for search in ("795.57ms", "12ms"):
        values = {"@module": "system", "@module_previous": "search", "@time": search}
        site.log(watchdog_row("cron", 6, "Starting execution of @module_cron().", php({"@module": "search"})))
        site.log(watchdog_row("cron", 6, starts, php(values)))
        site.log(watchdog_row("cron", 6, ends, php({"@module_previous": "update", "@time": "219.96ms"})))
        site.look()
    site.log(watchdog_row("cron", 6, ends, php({"@module_previous": "a b", "@time": "soon"})), notice())
    site.look()
    told = {each.labels: each.value for each in watchdog.samples(site.state) if each.family is watchdog.CRON}
    assert told == {("update",): pytest.approx(0.21996), ("search",): pytest.approx(0.012)}


def test_errors_of_the_same_place_are_one_event(site: Site) -> None:
    site.look()
    site.log(notice(), broken("one"), broken("two"), broken("three", line=9), broken("four"))
    first, second = site.look()
    assert (first.count, second.count) == (3, 1)
    assert (first.kind, first.severity, first.site, first.source) == ("drupal.error", "info", "shop.test", "drupal")
    assert first.title == "php: Exception: one in f() (line 7 of /srv/app/web/modules/custom/shop/shop.module)."
    assert dict(first.evidence[1]) == {
        "message": "Exception: two in f() (line 7 of /srv/app/web/modules/custom/shop/shop.module).",
        "path": "/cart", "network": "198.51.100.0/24", "wid": "3",
    }  # fmt: skip
    site.log(broken("again"))
    (again,) = site.look()
    assert again.dedup_key == first.dedup_key
    assert again.id != first.id


def test_what_is_worse_than_an_error_is_a_warning(site: Site) -> None:
    site.look()
    site.log(watchdog_row("lab", 1, "Disk full", php(None)))
    assert [event.severity for event in site.look()] == ["warning"]


def test_rows_that_were_deleted_before_we_came_are_counted_as_lost(site: Site) -> None:
    site.log(*[notice()] * 10)
    site.look()
    site.log(*[notice()] * 20)
    site.execute("DELETE FROM watchdog WHERE wid <= 25", ())
    site.look()
    assert site.counts == {"user notice": 15, "": 15}


@pytest.mark.parametrize("new", [3, 10, 12])
def test_a_log_that_was_emptied_is_read_from_its_start(site: Site, new: int) -> None:
    site.log(*[notice()] * 10)
    site.look()
    site.execute("DELETE FROM watchdog", ())
    site.look()
    site.execute("DELETE FROM sqlite_sequence", ())
    site.log(*[notice("cron", NOW + 50)] * new)
    site.look()
    assert site.counts == {"user notice": 10, "cron notice": new, "": 0}


def test_an_empty_log_and_a_log_without_end(site: Site) -> None:
    site.look()
    assert site.counts == {"": 0}
    site.execute(
        "INSERT INTO watchdog (uid, type, message, variables, severity, location, hostname, timestamp)"
        " WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < %s)"
        " SELECT 0, 'bulk' || (x %% 100), 'm', 'N;', 6, '', '', 1 FROM n".replace("%%", "%"),
        (MOST_ROWS * 2 + 5,),
    )
    site.look()
    assert sum(site.counts.values()) == MOST_ROWS * 2 + 5
    assert len(site.counts) <= watchdog.TYPES + 2
    assert site.counts["other info"] > 1000


def test_the_log_is_asked_once_a_minute_also_when_it_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path, monkeypatch)
    site.look()
    site.log(notice())
    assert watchdog.read(site.config, site.cursor)[0] is None
    config = Drupal.model_validate({"driver": "mysql", "database": "x", "address": "127.0.0.1", "port": free_port()})
    with pytest.raises(CollectError) as first:
        watchdog.read(config, None)
    monkeypatch.setattr("collectors.drupal.looking.connect", None)
    with pytest.raises(CollectError) as again:
        watchdog.read(config, None)
    assert again.value is first.value


@pytest.mark.parametrize(
    ("template", "variables", "text"),
    [
        ("Error from %from to %to", {"%from": "alice@example.org", "%to": "bob"}, "Error from … to …"),
        ("Mail @x", {"@x": "alice.b+c@mail.example.org now"}, "Mail (mail) now"),
        ("@m", {"@m": "GET https://u:pw@h.example/a?token=abc&x=1 failed"}, "GET https://…@h.example/a?… failed"),
        ("@m", {"@m": "SQLSTATE[23000]: Duplicate entry 'alice' for"}, "SQLSTATE[23000]: Duplicate entry '…' for"),
        ("@m", {"@m": "SQLSTATE[42S02]: no: SELECT 1; Array\n(\n [:x] => alice\n)\n"}, "SQLSTATE[42S02]: no: SELECT 1"),
        ("@m", {"@m": "DETAIL: Key (name)=(alice) already exists"}, "DETAIL: Key (name)=(…) already exists"),
        ("from @a", {"@a": "198.51.100.77 and 2001:db8::1:2"}, "from 198.51.100.x and (address)"),
        ("@m", {"@m": "password=hunter2, key: abc"}, "password=…, key: …"),
        ("/user/reset/1/1795000000/@h", {"@h": "aB3_kJ8sXc0VbNm4QwErTy7UiOpLkJhG"}, "/user/reset/1/1795000000/(token)"),
        ("<em>%a</em> <script>x</script> &#039;q&#039;", {"%a": "b"}, "b x 'q'"),
        ("%ab %a @backtrace_string", {"%a": "1", "%ab": "2", "@backtrace_string": "#0 secret"}, "2 1"),
        ("a\x1b[31mb\u202ec", {}, "a[31mbc"),
    ],
)  # fmt: skip
def test_nothing_personal_is_told(template: str, variables: dict[str, str], text: str) -> None:
    assert messages.shown(template, messages.variables(php(variables))) == text


def test_texts_of_objects_are_read() -> None:
    markup = b'O:6:"Markup":1:{s:9:"\0*\0string";s:6:"<b>hi ";}'
    translated = (
        b'O:18:"TranslatableMarkup":2:{s:9:"\0*\0string";s:5:"to @x";s:12:"\0*\0arguments";' + php({"@x": "you"}) + b"}"
    )
    data = b'a:2:{s:2:"@a";' + markup + b's:2:"@b";' + translated + b"}"
    assert unserialize(data)
    assert messages.shown("@a@b", messages.variables(data)) == "hi to you"


@given(st.text(max_size=300), st.dictionaries(st.sampled_from(["@a", "%b", "!c", ":d", "@ab"]), st.text(max_size=200)))
def test_any_message_is_shown_within_bounds(template: str, variables: dict[str, str]) -> None:
    assert len(messages.shown(template, variables)) <= messages.SHOWN
    assert len(messages.group("php", template, variables)) == 16


@given(st.binary(max_size=200))
def test_variables_of_any_bytes(data: bytes) -> None:
    assert isinstance(messages.variables(data), dict)


@pytest.mark.parametrize(
    ("address", "network"),
    [("198.51.100.7", "198.51.100.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), ("", ""), ("not one", "")],
)
def test_an_address_is_told_as_its_network(address: str, network: str) -> None:
    assert messages.network(address) == network
