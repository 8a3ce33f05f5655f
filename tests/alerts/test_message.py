"""What a message says, as text, HTML and data."""

import json
import math
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.message import words
from alerts.message.build import SHOWN, build
from alerts.message.context import Context, Link
from alerts.message.document import document
from alerts.message.markup import html
from alerts.message.redact import HIDDEN, redact
from alerts.message.text import short, text
from tests.alerts.examples import T, alert
from tests.alerts.told import CONTEXT, DISK, NOTICES, notice, over
from tests.alerts.told import HIDDEN as SECRETS
from tests.golden import DATA, golden


@pytest.mark.parametrize("case", NOTICES)
def test_goldens(case: str) -> None:
    message = build(NOTICES[case])
    assert message == build(NOTICES[case])
    golden(DATA / "message" / f"{case}.txt", text(message))
    golden(DATA / "message" / f"{case}.short.txt", short(message))
    golden(DATA / "message" / f"{case}.html", html(message))
    golden(DATA / "message" / f"{case}.json", json.dumps(document(message), indent=1, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("case", NOTICES)
def test_html_is_well_formed_and_holds_no_script(case: str) -> None:
    page = ElementTree.fromstring(html(build(NOTICES[case]), with_chart=True))
    assert {element.tag for element in page.iter()} <= {
        "html", "head", "meta", "title", "body", "h1", "h2", "p", "ul", "li", "pre", "a", "img",
    }  # fmt: skip
    assert all(re.match("https?://", link.get("href", "")) for link in page.iter("a"))


@pytest.mark.parametrize("case", NOTICES)
def test_no_rendering_shows_what_is_redacted(case: str) -> None:
    message = build(NOTICES[case])
    for rendered in (text(message), short(message), html(message), json.dumps(document(message)), repr(message)):
        assert not [secret for secret in SECRETS if secret in rendered]


def test_line_1_says_where_what_how_much_and_since_when() -> None:
    assert build(notice(DISK)).headline == "web1: /srv has 2.1% of its space left, for 6 min"
    assert build(notice(over(DISK))).headline == "Resolved: web1: /srv has 2.1% of its space left, after 5 min"
    rich = build(notice(DISK, context=CONTEXT)).headline
    assert rich == "web1: /srv has 2.1% of its space left: 2.1%, usual 40%, for 6 min"


@pytest.mark.parametrize(("labels", "summary", "headline"), [
    ({"host": "web1"}, "the disk is full.", "web1: the disk is full, for 6 min"),
    ({"host": "web1", "site": "shop.example"}, "slow", "shop.example: slow, for 6 min"),
    ({"host": "web1", "site": "shop.example"}, "Shop.example is slow", "Shop.example is slow, for 6 min"),
    ({"host": "web1", "alertname": "Slow"}, "", "web1: Slow is 1, for 6 min"),
    ({}, "", "an alert is 1, for 6 min"),
])  # fmt: skip
def test_headline(labels: dict[str, str], summary: str, headline: str) -> None:
    one = replace(alert(), labels=labels, annotations={"summary": summary})
    assert build(notice(one)).headline == headline


def test_missing_data_is_said() -> None:
    assert build(notice(replace(DISK, missing_since=T + 60))).headline.endswith("for 6 min (no data for 4 min)")


def test_no_clear_cause_is_said_only_by_who_looked() -> None:
    assert "no clear cause" not in text(build(notice(DISK)))
    assert "Probably because:\n  no clear cause" in text(build(notice(DISK, context=Context())))


def test_many_are_counted() -> None:
    message = build(NOTICES["many"])
    assert (message.firing, len(message.lines), message.more) == (500, SHOWN, 480)
    assert "and 480 more" in text(message)
    assert message.headline.endswith("(and 499 more)")


def test_the_worst_comes_first() -> None:
    worst = replace(alert(disk="b"), labels={**alert(disk="b").labels, "severity": "critical"})
    message = build(notice(over(worst), alert(disk="a"), worst))
    assert [(line.status, line.severity) for line in message.lines] == [
        ("firing", "critical"), ("firing", "warning"), ("resolved", "critical"),
    ]  # fmt: skip
    assert message.severity == "critical"


def test_the_key_is_the_groups() -> None:
    keys = {case: build(each).key for case, each in NOTICES.items()}
    assert keys["one"] == keys["resolved"] == keys["several"] != keys["bare"]
    assert re.fullmatch("[0-9a-f]{40}", keys["one"])


def test_links_show_the_same_next_week() -> None:
    addresses = {link.text: link.url for link in build(notice(over(DISK))).links}
    span = "from=2023-11-14T21%3A12%3A20Z&to=2023-11-14T22%3A17%3A20Z"
    assert addresses["Alert"] == f"https://gauge.example.org/alerts?name=DiskFull&{span}"
    assert addresses["Charts"] == f"https://gauge.example.org/host?{span}"
    assert addresses["Runbook"] == "https://wiki.example.org/disk?page=3"
    assert "Bad" not in {link.text for link in build(NOTICES["rich"]).links}


def test_the_incident_is_the_first_link_then_who_takes_it() -> None:
    """Many channels open the first by a tap on the message, and show but three."""
    alone = notice(over(DISK))
    assert [link.text for link in build(alone).links[:2]] == ["Alert", "Charts"]
    links = (Link("Incident", "https://gauge.example.org/incidents/1"), Link("Acknowledge or silence", "https://g/a/x"))
    known = build(replace(alone, context=Context(links=links)))
    assert [link.text for link in known.links[:3]] == ["Incident", "Acknowledge or silence", "Alert"]


@pytest.mark.parametrize(("shown", "hidden"), [
    ("login with password=hunter2 failed", f"login with password={HIDDEN} failed"),
    ("PASSWORD: hunter2", f"PASSWORD: {HIDDEN}"),
    ('{"api_key": "hunter 2", "user": "bob"}', f'{{"api_key": {HIDDEN}, "user": "bob"}}'),
    ("Authorization: Bearer abc.def", f"Authorization: {HIDDEN}"),
    ("curl -H 'Bearer abcdefgh12345'", f"curl -H 'Bearer {HIDDEN}'"),
    ("Cookie: SESS49960de5880e8c687434170f6476605b=abc", f"Cookie: {HIDDEN}"),
    ("SSESS49960de5880e8c68=aBc-d", f"SSESS49960de5880e8c68={HIDDEN}"),
    ("mysql://root:hunter2@db/x", "mysql://db/x"),
    ("GET /search?q=you&page=2 HTTP/1.1", f"GET /search?{HIDDEN} HTTP/1.1"),
    ("http://web1/server-status?auto", "http://web1/server-status?auto"),
    ("mail of jo.doe+x@example.org bounced", f"mail of {HIDDEN} bounced"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", HIDDEN),
    ("key AKIAABCDEFGHIJKLMNOP", f"key {HIDDEN}"),
    ("id d41d8cd98f00b204e9800998ecf8427e", f"id {HIDDEN}"),
    ("user aB3dE5gH7jK9mN1pQ3sT5vW7x", f"user {HIDDEN}"),
    ("systemctl status php8.2-fpm: 12 of 20 workers, 3.5% at 2023-11-14T22:13:20Z",) * 2,
    ("/var/lib/mysql-8.0.36-ubuntu22.04.1-x86-64/ibdata1 is 91.5% full",) * 2,
    ("Is it so? Yes = 1",) * 2,
    ("the passenger queue has 5 entries",) * 2,
    ("a\x00b\x1b[31mc", "a b [31mc"),
])  # fmt: skip
def test_redact(shown: str, hidden: str) -> None:
    assert redact(shown) == hidden


@given(
    st.lists(
        st.sampled_from(["password", "token", "=", ":", " ", "a1", "?", "&", "@", "x.org", "/", "'", '"', "-", "\n"])
    ).map("".join)
)
def test_redact_leaves_no_value_of_a_secrets_key(shown: str) -> None:
    assert not re.search(r"(?<!\w)(password|token)=(?!\[hidden\])[a-zA-Z0-9]", redact(shown))


@given(st.text(max_size=500), st.text(max_size=500))
def test_any_words_make_a_message(summary: str, label: str) -> None:
    one = replace(alert(path=label), annotations={"summary": summary, "description": label, "runbook_url": summary})
    message = build(notice(one))
    assert "\n" not in message.headline + message.title
    assert len(short(message, 200).encode()) <= 200
    ElementTree.fromstring(html(message))


@pytest.mark.parametrize(("seconds", "said"), [
    (-5, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (7500, "2 h 5 min"),
    (86400, "1 d"), (273600, "3 d 4 h"),
])  # fmt: skip
def test_duration(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


def test_sparkline() -> None:
    assert words.sparkline((0, 1, 2, 3, 4, 5, 6, 7)) == "▁▂▃▄▅▆▇█"
    assert words.sparkline((5, 5, math.nan, 5)) == "▁▁ ▁"
    assert words.sparkline(()) == words.sparkline((math.nan, math.inf)) == ""
    spike = words.sparkline([0.0] * 500 + [9.0] + [0.0] * 500)
    assert len(spike) == words.WIDTH
    assert spike.count("█") == 1


@given(st.text(max_size=300), st.integers(10, 300))
def test_cut_to_bytes(shown: str, most: int) -> None:
    assert len(words.cut_bytes(shown, most).encode()) <= most


def test_a_line_of_a_log_stays_one_line_and_is_no_markup() -> None:
    notice = NOTICES["hostile_log"]
    shown = text(build(notice))
    assert shown.count("\nFirst steps:\n") == 1
    assert "\nBcc:" not in shown
    assert "<script" not in html(build(notice))
