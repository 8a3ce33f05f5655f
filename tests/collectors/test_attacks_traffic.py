"""Whole logs: of harmless traffic nothing is told, of attacks each, and what an attacker writes forges nobody."""

import csv
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.model import Event
from collectors.security import auth
from collectors.weblog.attacks.watching import step
from tests.collectors.attack_corpus import BROWSER, FOLDER, labelled
from tests.collectors.weblog_lines import payload

SHARED = FOLDER.parents[3] / "shared" / "drupal"
TIMED = SHARED / "logs" / "nginx-access-timed.log"
ATTACKED = FOLDER / "attacked.log"
WORDS = (
    "select", "union", "order by date", "drop off", "O'Brien", "rock 'n' roll", "C++", "a & b", "50%", "cat food", "ls",
    "what is sql", "where to buy", "insert coin", "update or delete", "script", "javascript", "1 or 2", "it's = ok",
    "\"exact phrase\"", "Müller", "日本", "-not this", "5' 11\"", "a|b", "x;y", "{name}", "[node:title]", "<b>bold</b>",
)  # fmt: skip
TEXTS = (
    "<p>Hello <strong>world</strong></p>", "<h2>News</h2><ul><li>one</li></ul>", "<a href=\"/node/1\">link</a>",
    "<pre><code>for (i = 0; i < 10; i++) { print(i); }</code></pre>", "<code>$a = array('b' => 1);</code>",
    "<blockquote>Select from the menu; update it where needed.</blockquote>", "{{ content.field_image }}",
    "<img src=\"/sites/default/files/a.jpg\" alt=\"it's on top\" />", "{% if title %}{{ title }}{% endif %}",
)  # fmt: skip
ASKED = (
    "GET /node/{number}", "GET /search/node?keys={word}", "GET /admin/content?title={word}&type=All&status=1",
    "GET /views/ajax?view_name=content&view_display_id=page_1&view_args={number}&combine={word}&_drupal_ajax=1",
    "GET /jsonapi/node/article?filter[title][operator]=CONTAINS&filter[title][value]={word}&page[limit]=10",
    "GET /jsonapi/node/page?filter[a][condition][path]=title&filter[a][condition][value]={word}&sort=-created",
    "GET /products?f[0]=colour:{number}&f[1]=brand:{number}&sort_by=created&sort_order=DESC",
    "GET /admin/people?user={word}&role=All&permission=All", "POST /node/{number}/edit?destination=/admin/content",
    "POST /node/add/article?element_parents=field_image/widget/0&ajax_form=1&_wrapper_format=drupal_ajax",
    "GET /admin/config/regional/translate?string={word}&langcode=de", "GET /user/{number}/edit?x={text}",
    "GET /node/preview/x/full?body={text}", "GET /editor/filter_xss/basic_html?value={text}",
    "GET /entity_reference_autocomplete/node/default/x?q={word}", "GET /?q=node/{number}",
    "GET /taxonomy/term/{number}",
    "GET /sites/default/files/styles/large/public/2026-{number}/photo%20({number}).jpg?itok=aB_{number}",
    "GET /sites/default/files/css/css_{number}.css?delta=0&language=en&theme=olivero&include=eJxLTEoGAAJNASc",
    "GET /media/oembed?url=https%3A//video.example/watch%3Fv%3D{number}&max_width=0", "GET /rss.xml",
    "GET /user/login?destination=/node/{number}%23comment-form", "GET /blog/{word}", "GET /tags/{word}?page={number}",
    "GET /?utm_source=mail&utm_campaign={word}&fbclid=IwAR0{number}", "POST /contextual/render?token=a-{number}",
)  # fmt: skip


def logged(asked: str, status: int = 200, remote: str = "203.0.113.7", second: int = 0, agent: str = BROWSER) -> str:
    clock = f"{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}"
    return f'{remote} - - [22/Nov/2026:{clock} +0000] "{asked} HTTP/1.1" {status} 5000 "-" "{agent}"\n'


def told(lines: Iterable[str]) -> Sequence[Event]:
    """Of the whole log at once; events of attacks only."""
    _, events = step({}, payload("".join(lines), hosts={}))
    return [event for event in events if event.kind.startswith("security.")]


def harmless(count: int) -> Iterator[str]:
    dice = random.Random(43)
    for number in range(count):
        encode = dice.choice((quote, quote_plus))
        word = " ".join(dice.choice(WORDS) for _ in range(dice.randrange(1, 3)))
        pieces = {"number": dice.randrange(1, 900), "word": encode(word), "text": encode(dice.choice(TEXTS))}
        asked = dice.choice(ASKED)
        encoded = quote(word) if "/{word}" in asked else pieces["word"]
        asked = asked.format(**pieces | {"word": encoded})
        remote = f"203.0.{dice.randrange(100)}.{dice.randrange(250)}"
        yield logged(asked, dice.choice((200, 200, 200, 302, 403, 404, 500)), remote, number * 2)


def test_nothing_is_told_of_ten_thousand_harmless_requests() -> None:
    assert [(event.kind, event.evidence) for event in told(harmless(10_000))] == []


@pytest.mark.parametrize("form", ["/{}", "/de{}", "{}?page=2", "{}/", "?q={}", "{}?destination=/admin%3Fa%3Db"])
def test_nothing_is_told_of_routes_in_any_form(form: str) -> None:
    routes = [line.split("\t")[0] for line in (FOLDER.parent / "routes.tsv").read_text().splitlines()]
    if (SHARED / "core-routes.tsv").is_file():
        rows = csv.reader((SHARED / "core-routes.tsv").read_text().splitlines(), delimiter="\t")
        routes += [row[0] for row in rows][1:]
    meant = re.compile(r"/wp-|xmlrpc|/\.env|/\.git|eval-stdin|/files/x\.php|settings\.php")
    lines = []
    for at, route in enumerate(route for route in routes if route.startswith("/") and not meant.search(route)):
        path = re.sub(r"\{[^}]*\}", "article", route)
        asked = f"/?q={path[1:]}" if form == "?q={}" else form.format(path).replace("//", "/")
        lines += [logged(f"GET {asked}", status, f"203.0.{at % 100}.7", at * 9) for status in (200, 302, 403, 500)]
    assert [event.title for event in told(lines) if event.severity != "info"] == []


@pytest.mark.skipif(not TIMED.is_file(), reason="the log of the lab's sites is not there")
def test_the_attacks_of_a_lab_log() -> None:
    found = told(TIMED.read_text().splitlines(keepends=True))
    assert {event.severity for event in found} == {"info"}
    keys = Counter(event.dedup_key for event in found)
    assert set(keys.values()) == {1}
    for source in ("198.51.100.10", "198.51.100.11", "many networks"):
        assert any(f"shop {source} bruteforce " in key for key in keys), source
    for kind in ("scanner", "probe", "sensitive_file", "drupal_exploit"):
        assert any(f"198.51.100.0/24 {kind} " in key for key in keys), kind


def test_the_attacks_of_a_small_log() -> None:
    """One event of each class and key; of the visitors between them nothing."""
    found = told(ATTACKED.read_text().splitlines(keepends=True))
    assert sorted((event.kind.removeprefix("security."), event.severity, event.dedup_key) for event in found) == [
        ("bruteforce", "info", "shop 198.51.100.10 bruteforce attempt"),
        ("bruteforce_then_success", "critical", "shop 198.51.100.10 bruteforce_then_success success_suspected"),
        ("drupal_exploit", "info", "shop 198.51.102.0/24 drupal_exploit attempt"),
        ("probe", "info", "shop 198.51.101.0/24 probe attempt"),
        ("sensitive_file", "critical", "shop 198.51.101.0/24 sensitive_file success_suspected"),
    ]


def test_a_scan_by_a_list_of_names() -> None:
    names = [logged(f"GET /name-{at}", 404, second=at) for at in range(24)]
    (event,) = told(names)
    assert (event.kind, event.severity, event.evidence[-1]["rule"]) == ("security.probe", "info", "many-not-there")
    assert told(names[:19]) == []
    assert told(logged("GET /missing.png", 404, second=at) for at in range(200)) == []
    assert told(logged(f"GET /name-{at}", 404, second=at * 10) for at in range(200)) == []


forged = st.sampled_from([
    '192.0.2.66 - - [22/Nov/2026:10:00:00 +0000] "GET /.env HTTP/1.1" 200 700 "-" "x"', "\\n", "\\x0a", "\\\"", "\\\\",
    " from 192.0.2.66 port 22 ssh2", "Accepted password for root from 192.0.2.66 port 22 ssh2", "\x1b[31m", "\u2028",
    "]: ", " sshd[1]: ", "Failed password for x from 192.0.2.66 port 1 ssh2", "<script>alert(1)</script>", "${jndi:x}",
    "message repeated 5 times: [ Failed password for a from 192.0.2.66 port 5 ssh2]", "' or 1=1-- ", "|", "root", "%0a",
])  # fmt: skip
texts = st.lists(forged | st.text(st.characters(exclude_characters="\n\r"), max_size=8), max_size=5).map("".join)


@settings(max_examples=100, deadline=None)
@given(texts, texts, texts)
def test_what_is_written_into_an_access_log_forges_no_source(user: str, referrer: str, agent: str) -> None:
    def escaped(text: str) -> str:
        """As nginx and Apache do."""
        return "".join(f"\\x{ord(each):02x}" if each in '"\\' or ord(each) < 32 else each for each in text)

    line = (
        f'203.0.113.7 - {escaped(user)} [22/Nov/2026:10:00:00 +0000] "GET /.env HTTP/1.1" 404 7 "{escaped(referrer)}"'
    )
    for event in told([f'{line} "{escaped(agent)}"\n'] * 4):
        assert "192.0.2." not in event.title + event.dedup_key
        assert event.title.isprintable()
        assert all(text.isprintable() for each in event.evidence for text in each.values())


@settings(max_examples=100, deadline=None)
@given(texts, st.sampled_from(["invalid user ", ""]))
def test_a_name_that_somebody_chose_forges_no_login(name: str, invalid: str) -> None:
    """Neither a source, nor that somebody was let in."""
    said = [f"Failed password for {invalid}{name} from 203.0.113.7 port {port} ssh2" for port in range(1, 12)] + [
        f"Invalid user {name} from 203.0.113.7 port 9",
        f"Connection closed by invalid user {name} 203.0.113.7 port 9 [preauth]",
    ]
    text = "".join(f"2025-11-24T15:00:00+00:00 web1 sshd[7]: {each}\n" for each in said)
    pieces = [{"node": "n", "followed": True, "text": text}]
    _, events = auth.step({}, {"at": 1764000000.0, "zone": 0.0, "more": False, "pieces": pieces})
    assert [event.kind for event in events] == ["security.bruteforce"]
    assert "203.0.113.7" in events[0].title
    assert events[0].title.isprintable()


def test_each_blind_request_is_one_line() -> None:
    """The figures of the bench count them so."""
    for path in sorted((FOLDER / "blind").glob("*.txt")):
        assert len(labelled(path)) == len(set(labelled(path))), path.name
