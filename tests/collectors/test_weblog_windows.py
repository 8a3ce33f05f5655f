"""Crawlers and storms of missing pages: told once, with what to do, and nothing private in it."""

import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.model import Event, State
from collectors.weblog import crawler_rules, windows
from collectors.weblog.engine import step
from collectors.weblog.formats import COMBINED
from collectors.weblog.windows import NOT_FOUND, OF_A_NETWORK, OF_ALL, SECONDS, Asked, Windows, masked, network_of
from tests.collectors.weblog_lines import payload
from tests.lab.servers import Nginx, binary

START = 1795340930.0


def follow(lines: Sequence[str], at_once: int = 10_000) -> tuple[State, list[Event]]:
    state: State = {}
    events: list[Event] = []
    for start in range(0, len(lines), at_once):
        state, found = step(state, payload("".join(lines[start : start + at_once]), form=COMBINED, hosts={}))
        state = orjson.loads(orjson.dumps(state))
        events += found
    return state, events


def search(query: str) -> Asked:
    return Asked("search", "/search", query, "198.51.100.7", "")


def line(second: float, remote: str, target: str, status: int = 200) -> str:
    minute, rest = divmod(int(second), 60)
    when = f"22/Nov/2026:09:{48 + minute:02}:{rest:02} +0000"
    return f'{remote} - - [{when}] "GET {target} HTTP/1.1" {status} 5 "-" "Mozilla/5.0"\n'


@pytest.mark.parametrize("at_once", [1, 7, 10_000])
def test_ever_new_query_strings_from_one_network(at_once: int) -> None:
    targets = [f"/search/site?f%5B0%5D=colour:{n}&page={n}&token=secret{n}" for n in range(OF_A_NETWORK + 50)]
    lines = [line(n * 0.3, f"198.51.100.{n % 200}", target) for n, target in enumerate(targets)]
    state, events = follow(lines, at_once)
    (event,) = events
    assert event.title == "200 different query strings on search of shop in 59 s from 198.51.100.0/24"
    assert (event.kind, event.severity, event.site, event.count) == ("web.crawler", "info", "shop", OF_A_NETWORK)
    (evidence,) = event.evidence
    assert evidence["parameters"] == "f%5B0%5D, page, token"
    assert evidence["path"] == "/search/site"
    assert "networks" not in evidence
    assert "missed" not in evidence
    assert evidence["nginx"] == "in the site's server { }: deny 198.51.100.0/24;"
    assert "secret" not in str(event)
    assert (event.first, event.last) == (START - 50, START + 9)
    assert follow(lines, at_once)[1] == events  # with the same id
    assert [sample for sample in state if "198.51" in sample] == []


def test_one_network_is_not_many() -> None:
    events = follow([line(n / 10, "198.51.100.7", f"/search?a={n}") for n in range(OF_ALL * 2)])[1]
    assert [event.evidence[0]["network"] for event in events] == ["198.51.100.0/24"]


def test_the_same_from_many_networks() -> None:
    dice = random.Random(1)
    remotes = [f"10.{dice.randrange(250)}.{dice.randrange(250)}.7" for _ in range(OF_ALL + 20)]
    events = follow([line(n / 10, remote, f"/?fbclid=x{n}") for n, remote in enumerate(remotes)])[1]
    (event,) = events
    assert event.title == f"{OF_ALL} different query strings on front of shop in 99 s from many networks"
    assert event.evidence[0]["parameters"] == "fbclid"
    assert "limit_req zone=queries" in event.evidence[0]["nginx"]
    assert event.evidence[0]["varnish"].startswith('in vcl_recv: set req.url = regsuball(req.url, "([?&])(?:fbclid)=')
    assert len(event.evidence[0]["networks"].split(", ")) == 5


def test_how_much_of_it_the_cache_had() -> None:
    form = COMBINED + ' dc="$upstream_http_x_drupal_cache"'
    lines = [line(n / 10, "198.51.100.7", f"/search?a={n}").rstrip() + f' dc="{said}"\n'
             for n, said in enumerate(["MISS", "HIT", "MISS", "UNCACHEABLE (request policy)", "-"] * 60)]  # fmt: skip
    (event,) = step({}, payload("".join(lines), form=form, hosts={}))[1]
    assert event.evidence[0]["missed"] == "75% of what the cache was asked for"


def test_a_window_that_was_kept_before_misses_were_counted() -> None:
    kept = {"queries": {"search *": [START, False, 3, [[1, 1]]]}, "missing": [0.0, False, 0, []]}
    assert Windows("shop", kept).packed()["queries"]["search *"] == [START, False, 3, [[1, 1]], 0, 0, [], SECONDS]


@pytest.mark.parametrize(
    "target", ["/blog/{}", "/node/1?page=1", "/sites/default/files/a.jpg?itok={}", "/core/misc/drupal.js?v={}"]
)
def test_what_is_no_crawler(target: str) -> None:
    assert follow([line(n / 10, "198.51.100.7", target.format(n)) for n in range(OF_A_NETWORK * 2)])[1] == []


def test_slowly_is_not_told_and_what_was_told_is_told_again_after_an_hour() -> None:
    known = Windows("shop", None)

    def ask(start: float, apart: float, count: int) -> int:
        found = [each for n in range(count)
                 for each in known.asked(search(f"a={start}{n}"), start + n * apart)]  # fmt: skip
        return len(found)

    assert ask(START, 3 * SECONDS / OF_A_NETWORK, OF_A_NETWORK * 2) == 0
    assert ask(START + 5000, 1, OF_A_NETWORK) == 1
    assert ask(START + 6000, 1, OF_A_NETWORK * 2) == 0
    assert ask(START + 9000, 1, OF_A_NETWORK) == 1


@pytest.mark.parametrize("addresses", [1, 50])
def test_one_path_slowly_for_half_an_hour(addresses: int) -> None:
    """With ever new parameters, two seconds apart: told once, whatever address of the network asks."""
    known, told = Windows("shop", None), []
    for n in range(900):
        known = Windows("shop", orjson.loads(orjson.dumps(known.packed())))
        asked = Asked("node", "/node/7", f"x={n}", f"198.51.100.{n % addresses}", "")
        told += list(known.asked(asked, START + 2 * n))
    (event,) = told
    assert event.title == "500 different query strings on /node/7 of shop in 998 s from 198.51.100.0/24"
    assert (event.severity, event.evidence[0]["path"]) == ("info", "/node/7")
    assert event.evidence[0]["nginx"] == "in the site's server { }: deny 198.51.100.0/24;"
    assert event.evidence[0]["varnish"].startswith('acl crawler { "198.51.100.0"/24; }')


@pytest.mark.parametrize("query", ["page={}", "keys=word{}", "fbclid=x{}&utm_source=a"])
@pytest.mark.parametrize(("paths", "networks"), [(9, 1), (1, 3)])
def test_slow_crawlers_of_many_pages_and_clicks_from_many_networks(query: str, paths: int, networks: int) -> None:
    known = Windows("shop", None)
    for n in range(900):
        asked = Asked("node", f"/node/{n % paths}", query.format(n), f"198.51.{n % networks}.7", "")
        assert list(known.asked(asked, START + 2 * n)) == []


def test_what_is_told_of_a_network_is_not_told_again_of_a_path() -> None:
    known = Windows("shop", None)
    told = [each for n in range(3000) for each in known.asked(search(f"a={n}"), START + n / 2)]
    assert [event.title.partition(" in ")[0] for event in told] == ["200 different query strings on search of shop"]


def test_a_storm_of_pages_that_are_not_there() -> None:
    paths = [
        "/old/page",
        "/old/page",
        "/user/reset/1/17953409/x9Kd82jfkdl2039dkslfj3",
        "/ann%40example.org",
        "/gone?a=1",
    ]
    lines = [line(n / 10, "198.51.100.7", paths[n % 5], 404) for n in range(NOT_FOUND * 3)]
    state, (event,) = follow(lines, 100)
    assert event.title == f"{NOT_FOUND} requests for pages that are not there on shop in 29 s"
    assert event.evidence == (
        {"path": "/old/page", "requests": "120"}, {"path": "/***", "requests": "60"},
        {"path": "/gone", "requests": "60"}, {"path": "/user/reset/1/17953409/***", "requests": "60"},
    )  # fmt: skip
    assert len(orjson.dumps(state)) < 5000
    assert event == follow(lines)[1][0]


@given(
    st.lists(st.tuples(st.sampled_from(["search", "front", "alias"]), st.integers(0, 2**32 - 1), st.integers(0, 9**6)))
)
def test_windows_are_bounded_and_kept(requests: list[tuple[str, int, int]]) -> None:
    known = Windows("shop", None)
    for number, (found, address, _) in enumerate(requests * 5):
        remote = ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))
        list(known.asked(Asked(found, "/", f"a={number}", remote, ""), START + number))
        list(known.missed(f"/{number}", START + number))
    packed = orjson.loads(orjson.dumps(known.packed()))
    assert len(packed["queries"]) <= windows.MOST_WINDOWS
    assert len(packed["missing"][3]) <= windows.MOST_PATHS
    assert Windows("shop", packed).packed() == packed


def test_a_flood_of_networks_and_paths_neither_fills_us_nor_hides_a_crawler() -> None:
    known = Windows("shop", None)
    told = []
    for number in range(5000):
        remote = f"10.{number >> 8}.{number & 255}.1" if number % 20 else "198.51.100.7"
        told += list(known.asked(Asked("search", "/search", f"a={number}", remote, ""), START + number / 20))
        told += list(known.missed(f"/{number % 290}", START + number / 20 if number < 290 else START))
        packed = known.packed()
        assert len(packed["queries"]) <= windows.MOST_WINDOWS
        assert len(packed["missing"][3]) <= 200
    titles = [event.title.partition(" from ")[2] for event in told if event.kind == "web.crawler"]
    assert sorted(titles) == ["198.51.100.0/24", "many networks"]


@pytest.mark.parametrize(
    ("remote", "network"),
    [
        ("198.51.100.7", "198.51.100.0/24"),
        ("2001:db8:1:2::7", "2001:db8:1::/48"),
        ("::ffff:198.51.100.7", "198.51.100.0/24"),
        ("unix:", ""),
        ("-", ""),
        ("host.example", ""),
    ],
)
def test_networks(remote: str, network: str) -> None:
    assert network_of(remote) == network


@given(st.text())
def test_any_path_can_be_shown(path: str) -> None:
    assert len(masked(path)) <= 120
    assert "@" not in masked(path)


@pytest.mark.servers
def test_nginx_takes_the_rules(tmp_path: Path) -> None:
    server = Nginx(tmp_path)
    text = server.configuration.read_text()
    limit = crawler_rules.LIMIT.splitlines()
    http = [rule.partition("}: ")[2] or rule for rule in limit[:-1]]
    inside = [limit[-1].partition("}: ")[2], "deny 198.51.100.0/24;", "deny 2001:db8:1::/48;"]
    text = text.replace("  server {", "\n".join(http) + "\n  server {\n" + "\n".join(inside))
    server.configuration.write_text(text)
    checked: Any = subprocess.run([binary("nginx"), "-t", "-p", str(tmp_path), "-c", str(server.configuration)],
                                  capture_output=True, text=True, check=False)  # fmt: skip
    assert checked.returncode == 0, checked.stderr


@pytest.mark.servers
@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        ("198.51.100.0/24", ()),
        ("2001:db8:1::/48", ()),
        ("", ("utm_source", "fbclid")),
        ("", ("f%5B0%5D", "a[]", "page")),
    ],
)
def test_varnish_takes_the_rules(place: Path, network: str, parameters: tuple[str, ...]) -> None:
    said = crawler_rules.varnish(network, parameters)
    before, _, inside = said.rpartition("in vcl_recv: ")
    vcl = place / "x.vcl"
    vcl.write_text(f'vcl 4.1; backend default {{ .host = "127.0.0.1"; }}\n{before}sub vcl_recv {{ {inside} }}\n')
    vcl.chmod(0o644)
    command = [binary("varnishd"), "-C", "-f", str(vcl), "-n", str(place / "work")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
