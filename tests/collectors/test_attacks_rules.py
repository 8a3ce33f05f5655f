"""Each rule finds its own examples and not those beside it, and nothing of what Drupal's own routes look like."""

import csv
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from collectors.weblog.attacks import classify
from collectors.weblog.attacks.classify import hits
from collectors.weblog.attacks.families import CLASSES, WORDS
from collectors.weblog.attacks.prefilter import odd_agent, odd_path, odd_query
from collectors.weblog.attacks.rules import FOLDER, Rule, RuleFile, rules
from collectors.weblog.layout import Request
from tests.collectors.attack_corpus import BENIGN, METHODS, classes, labelled, requests

DATA = Path(__file__).parents[1] / "data"
CORPUS = sorted((DATA / "attacks").glob("*.txt"))
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def request(text: str, status: str = "200", **more: str) -> Request:
    """`GET /path?query | user agent`"""
    asked, _, agent = text.partition(" | ")
    method, _, target = asked.partition(" ")
    path, _, query = target.partition("?")
    fields = dict.fromkeys(Request._fields, "") | {"remote": "203.0.113.7", "bytes": "5000", "status": status}
    return Request(**fields | {"method": method, "path": path, "query": query, "agent": agent or BROWSER} | more)


def odd(asked: Request) -> bool:
    marked = any(mark in asked.referrer for mark in "{<")
    return odd_path(asked.path) or odd_query(asked.query) or odd_agent(asked.agent) or marked


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("# ")]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_each_rule_finds_its_examples_only(rule: Rule) -> None:
    statuses = [code for code in ("200", "403", "404", "500") if not rule.statuses or re.fullmatch(rule.statuses, code)]
    for text in rule.positive:
        found = hits(request(text, statuses[0]))
        assert rule.found in [hit.found for hit in found], text
        assert odd(request(text)), text
    for text in rule.negative:
        for status in ("200", "403", "404", "500"):
            assert rule.id not in [hit.rule for hit in hits(request(text, status))], text


def test_each_pattern_finds_the_example_itself() -> None:
    """Not another rule of the same class in its stead."""
    for rule in rules():
        for text in rule.positive:
            asked = request(text)
            target = classify._of_target(asked.method, asked.path, asked.query)
            found = [*target, *classify._of_header(asked.agent)]
            assert rule.id in [hit.rule for hit in found], (rule.id, text)


def test_rules_are_checked() -> None:
    assert {rule.found for rule in rules()} <= set(CLASSES)
    good = yaml.safe_load((FOLDER / "drupal.yml").read_text())["rules"][0]
    wrong: tuple[dict[str, Any], ...] = (
        {"pattern": "("}, {"negative": []}, {"class": "X"}, {"looks_at": ["body"]}, {"words": ["Upper"]},
    )  # fmt: skip
    for bad in wrong:
        with pytest.raises((ValidationError, re.error)):
            RuleFile.model_validate({"rules": [good | bad]})


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_corpus(path: Path) -> None:
    """Of what the rules are tuned on all is found, and next to nothing in what people look for."""
    found = {text: classes(text) for text in labelled(path)}
    if path.stem == BENIGN:
        assert {text for text, told in found.items() if told} <= {"https://localhost"}
    else:
        assert [text for text, told in found.items() if path.stem not in told] == []


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_each_request_of_the_corpus_that_is_found_is_looked_at(path: Path) -> None:
    for text in labelled(path):
        for asked in requests(text):
            assert odd(asked) or hits(asked) == [], text


def test_nothing_is_found_in_drupals_own_routes() -> None:
    """As anybody may ask for them, answered as Drupal does. Refused scripts and cron are told."""
    rows = [line.split("\t")[0] for line in lines(DATA / "routes.tsv")]
    core = DATA.parents[2] / "shared" / "drupal" / "core-routes.tsv"
    if core.is_file():
        rows += [row[0] for row in csv.reader(core.read_text().splitlines(), delimiter="\t")][1:]
    meant = re.compile(r"/wp-|/xmlrpc\.php$|/\.env$|/\.git/|/eval-stdin\.php$|/files/x\.php$")
    for route in rows:
        path = re.sub(r"\{[^}]*\}", "12", route)
        if path.startswith("/") and not meant.search(path):
            for status in ("200", "302", "500"):
                assert hits(request(f"GET {path}", status)) == [], path
            if not re.search(r"\.php|^/cron/", path):
                assert hits(request(f"GET {path}", "403")) == [], path


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_words_of_paths_begin_as_they_are_looked_for(rule: Rule) -> None:
    if "path" in rule.looks_at and rule.looks_at == ("path",):
        assert all(word[0] in "/." for word in rule.words if word != "*")


pieces = st.sampled_from([
    "1", "a", "1 or 1=1", "1 order by 2", "order", "or", "and", "union", "select", "sleep(5)", "information_schema.x",
    "etc/passwd", "/etc/passwd", "..", "/", "../", "php://filter", "http://127.0.0.1/", "http://x.example/a.txt",
    "javascript:", "data:text/html", "document.cookie", "srcdoc=", "alert(1)", "settings.php", "wp-admin", "/.env",
    "cron", "q=cron/x", "jsonapi", "user", "_format=hal_json", "::", "||", "--", "#", "[", "]", "&", "=", "?", "+", "%",
    " ", "'", '"', ";", "<", "{", "$", "\\", ":", "@", "~", ",", ".", "-", "é", "ſ", "K", "\x00", ".sql", ".php",
    "%2e", "%2f", "%252e", "%27", "%23", "%3d", "%c0%ae", "%u0027", "&lt;", "allow_url_include", "169.254.169.254",
    " select ", " delete ", "freemarker.template", "update.php", "q", "page", "file", "name", "element_parents", "x",
    "ssh2.", "java.lang", "suhosin.", "windows/", "win.ini", "boot.ini", "var/log/nginx", "like", "in", "is", "xor",
])  # fmt: skip
texts = st.lists(pieces, max_size=7).map("".join)
examples = st.sampled_from([text for path in CORPUS for text in labelled(path) if text.startswith(METHODS)]).map(
    lambda text: text.partition(" | ")[0]
)
made = st.builds(lambda method, path, query: f"{method} /{path}?{query}".replace("?", "?", 1), st.sampled_from(
    ["GET", "POST"]), texts.map(lambda text: text.replace("?", "")), texts)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(made | st.builds(lambda text, more: text + more, examples, texts), st.sampled_from(["200", "403", "404", "500"]))
@example("GET /?id=1or@x=1", "200")
@example("GET /?q=wp-login.php", "200")
def test_the_prefilter_changes_no_result(text: str, status: str) -> None:
    asked = request("GET /")._replace(
        method=text.partition(" ")[0],
        path=text.partition(" ")[2].partition("?")[0],
        query=text.partition("?")[2],
        status=status,
    )
    if not odd(asked):
        assert hits(asked) == []


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.text(max_size=200), st.text(max_size=60))
def test_any_text_is_judged(path: str, query: str, agent: str) -> None:
    asked = request("GET /")._replace(path=path, query=query, agent=agent)
    assert hits(asked) == [] or odd(asked)


@pytest.mark.parametrize(
    "text", ["(", "'", "1 or ", "{{", "<a ", "../", "a;", "%25", "[", "a=1&", "${", "/*", "''", "/a.", 'O:1:"a', "-"]
)
def test_long_texts_end(text: str) -> None:
    """64 KiB of marks that patterns begin with."""
    long = (text * 65_536)[:65_536]
    assert len(hits(request("GET /")._replace(query=f"a={long}", path=f"/{long}", agent=long))) < 10


def test_each_class_has_words() -> None:
    assert WORDS.keys() == CLASSES.keys()


def test_the_alert_names_each_grave_class() -> None:
    """All of them but the two that have an alert of their own."""
    text = (DATA.parents[1] / "alerts" / "rules" / "security.yml").read_text()
    named = re.search(r'class=~"([a-z_|]+)"', text)
    assert named
    grave = {found for found, severity in CLASSES.items() if severity == "critical"}
    assert {*named[1].split("|"), "sensitive_file", "bruteforce_then_success"} == grave
