"""Paths and user agents fall in few classes, whatever they are."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.weblog import agents, known
from collectors.weblog.agents import agent_class
from collectors.weblog.routes import ALIAS, ALIAS_OTHER, CLASSES, INVALID, OTHER, ROUTES, SECTION, fold, with_query

LIST = Path(__file__).parent.parent / "data" / "routes.tsv"
CORE = Path(__file__).parents[3] / "shared" / "drupal" / "core-routes.tsv"
SLOT = re.compile(r"\{\w+\}")


def table() -> Iterator[tuple[str, str]]:
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            path, found = line.split("\t")
            yield path, found


@pytest.mark.parametrize(("path", "found"), list(table()))
def test_a_path_is_of_its_class(path: str, found: str) -> None:
    for value in ("7", "x1", "550e8400-e29b-41d4-a716-446655440000"):
        assert fold(SLOT.sub(value, path)) == found
    if path.startswith("/") and not path.startswith(("//", "/fr", "/pt-br", "/zh-hans", "/index.php")):
        assert fold(SLOT.sub("7", f"/de{path}")) == found


@pytest.mark.skipif(not CORE.exists(), reason="the list of core's routes is not here")
def test_every_route_of_core_has_a_class() -> None:
    ours = dict(table())
    paths = [line.split("\t")[0] for line in CORE.read_text(encoding="utf-8").splitlines()[1:]]
    for path in (path for path in paths if path.startswith("/")):
        found = fold(SLOT.sub("x1", path))
        assert found == ours.get(path, found)
        assert found in CLASSES
        assert found not in (ALIAS, ALIAS_OTHER, OTHER, INVALID)
        assert found.startswith("admin/") == path.startswith("/admin")


def test_they_are_few() -> None:
    assert len(CLASSES) <= 60


@pytest.mark.parametrize(
    ("path", "query", "found"),
    [
        ("/", "q=node/1", "node/{id}"),
        ("/", "a=b&q=user%2Flogin", "user/login"),
        ("/index.php", "q=admin/reports/status", "admin/reports"),
        ("/", "q=blog/post", "alias/blog"),
        ("/", "utm_source=q=node", "front"),
        ("/search/node", "q=node/1", "search"),
        ("/node/1", "_format=json", "rest"),
        ("/node/1", "_format=", "node/{id}"),
        ("/node/1", "a=1&_format=hal_json", "rest"),
        ("/blog/post", "_format=json", "rest"),
        ("/user/login", "_format=json", "user/login"),
        ("/node/1", "_wrapper_format=drupal_ajax", "node/{id}"),
    ],
)
def test_what_the_query_says(path: str, query: str, found: str) -> None:
    assert with_query(fold(path), query) == found


paths = st.text() | st.lists(
    st.sampled_from(["/", "node", "user", "admin", "sites", "files", "system", "a", "1", ".php", "%", "%2f", "de", "://",
                     "taxonomy", "term", "index.php", "?", "@", "é", "\\"])
).map("".join)  # fmt: skip


@given(paths, st.text() | st.just("q=") | paths.map(lambda path: f"q={path}"))
def test_any_path_has_a_class_that_shows_nothing_of_it(path: str, query: str) -> None:
    for found in (fold(path), with_query(fold(path), query)):
        assert found in CLASSES or re.fullmatch(r"alias/[a-z0-9_-]{2,30}", found)
        assert found.startswith(SECTION) == (found not in CLASSES)


def test_what_is_kept_of_paths_is_bounded() -> None:
    for number in range(known.MOST + 10):
        assert ROUTES[f"/node/{number}"] == "node/{id}"
    assert len(ROUTES) <= known.MOST
    assert ROUTES["/node/" + "1" * known.LONGEST] == "node/{id}"
    assert "/node/" + "1" * known.LONGEST not in ROUTES


@pytest.mark.parametrize(
    ("agent", "found"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "people"),
        ("Mozilla/5.0 (Linux; Android 9; CUBOT NOTE) AppleWebKit/537.36 Chrome/126.0 Safari/537.36", "people"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_1) AppleWebKit/605 [Pinterest/iOS]", "people"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "search"),
        ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "search"),
        (
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; GPTBot/1.2; +https://openai.com/gptbot",
            "ai",
        ),
        ("Mozilla/5.0 (Macintosh) Version/17.4 Safari/605.1.15 (Applebot-Extended/0.1)", "ai"),
        ("Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)", "ai"),
        ("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "monitor"),
        ("check_http/v2.3 (monitoring-plugins 2.3)", "monitor"),
        ("Mozilla/5.0 zgrab/0.x", "scanner"),
        ("sqlmap/1.7 (https://sqlmap.org)", "scanner"),
        ("() { :; }; /bin/id", "scanner"),
        ("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "bot"),
        ("SomethingNew-Bot/1.0", "bot"),
        ("curl/8.5.0", "script"),
        ("python-requests/2.31.0", "script"),
        ("Drupal/10.6.15 (+https://www.drupal.org/) GuzzleHttp/7", "script"),
        ("Something", "script"),
        ("-", "empty"),
        ("", "empty"),
    ],
)
def test_who_asks(agent: str, found: str) -> None:
    assert agent_class(agent) == found


def test_the_words_are_in_lower_case_and_each_stands_once() -> None:
    lines = Path(agents.__file__).with_name("agents.tsv").read_text(encoding="utf-8").splitlines()[1:]
    words = [line.split("\t")[1] for line in lines]
    assert [word for word in words if word != word.lower() or word != word.strip()] == []
    assert len(set(words)) == len(words) > 100
    assert {line.split("\t")[0] for line in lines} | {"people", "empty"} == set(agents.CLASSES)


@given(st.text())
def test_anybody_is_somebody(agent: str) -> None:
    assert agent_class(agent) in agents.CLASSES
