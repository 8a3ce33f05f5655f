"""Each rule finds its own examples and not those beside it, and nothing of what Drupal's own routes look like."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from collectors.weblog.attacks.classify import hits
from collectors.weblog.attacks.families import CLASSES
from collectors.weblog.attacks.prefilter import odd_agent, odd_path, odd_query
from collectors.weblog.attacks.rules import FOLDER, Rule, RuleFile, rules
from collectors.weblog.layout import Request

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
    from collectors.weblog.attacks import classify

    for rule in rules():
        for text in rule.positive:
            asked = request(text)
            target = classify._of_target(asked.method, asked.path, asked.query)
            found = [*target, *classify._of_header(asked.agent)]
            assert rule.id in [hit.rule for hit in found], (rule.id, text)


def test_rules_are_checked() -> None:
    assert {rule.found for rule in rules()} <= set(CLASSES)
    good = yaml.safe_load((FOLDER / "drupal.yml").read_text())["rules"][0]
    for bad in ({"pattern": "("}, {"negative": []}, {"class": "X"}, {"looks_at": ["body"]}, {"words": ["Upper"]}):
        with pytest.raises((ValidationError, re.error)):
            RuleFile.model_validate({"rules": [good | bad]})


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_corpus(path: Path) -> None:
    missed = [text for text in lines(path) if path.stem not in [hit.found for hit in hits(request(text, "404"))]]
    if path.stem != "benign":
        assert missed == []
        return
    for status in ("200", "403", "404", "500"):
        found = [(text, hit.rule) for text in lines(path) for hit in hits(request(text, status))]
        assert found == []
