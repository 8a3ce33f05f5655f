"""What is counted of lines: the same however they come in pieces, and the same as one line after another would give."""

import copy
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.exposition import render
from collectors.model import Event, State
from collectors.weblog import engine, site
from collectors.weblog.agents import agent_class
from collectors.weblog.engine import step
from collectors.weblog.families import samples
from collectors.weblog.formats import COMBINED, detect
from collectors.weblog.layout import Request
from collectors.weblog.routes import CLASSES, fold, with_query
from collectors.weblog.values import BUCKETS
from tests.collectors.weblog_lines import Line, counts, entries, garbage, line, payload, total
from tests.lab.weblogs import TIMED

LOGS = Path(__file__).parents[3] / "shared" / "drupal" / "logs"


def by_hand(rows: Sequence[Line]) -> dict[str, Counter[tuple[str, ...]]]:
    """As a plain loop counts it."""
    found: dict[str, Counter[tuple[str, ...]]] = {
        name: Counter() for name in ("requests", "agents", "methods", "cache")
    }
    found |= {name: Counter() for name in ("bytes", "upstream", "seconds", "buckets")}
    sections: dict[str, list[str]] = {}
    for method, path, query, status, size, agent, taken, waited, cache, host in rows:
        name = {"shop.example": "shop", "WWW.shop.example:443": "shop", "a.docs.example": "docs"}.get(host, "shop")
        route = with_query(fold(path), query) if method and query else fold(path if method else "")
        known = sections.setdefault(name, [])
        if route.startswith("alias/") and route not in known:
            if status.startswith("2") and len(known) < site.MOST_SECTIONS:
                known.append(route)
            else:
                route = "alias-other"
        found["requests"][name, route, f"{status[0]}xx" if status[0] in "12345" else "other"] += 1
        found["agents"][name, agent_class(agent)] += 1
        if method:
            found["methods"][name, method if method != "PROPFIND" else "other"] += 1
        if cache != "-":
            state = {"strange": "other"}.get(cache, cache.partition(" ")[0].lower())
            found["cache"][name, "drupal", state] += 1
        found["bytes"][name,] += int(size) if size != "-" else 0
        found["upstream"][name,] += {"-": 0, "0.1": 100, "0.1, 0.2 : 0.3": 600}[waited]
        if taken != "-":
            found["seconds"][name,] += round(float(taken) * 1000)
            for bound in (bound for bound in BUCKETS if float(taken) <= bound):
                found["buckets"][name, f"{bound:g}".replace("inf", "+Inf")] += 1
    return found


@given(st.lists(entries, max_size=60), st.lists(garbage, max_size=5), st.randoms(use_true_random=False))
def test_totals_are_those_of_a_plain_loop(rows: list[Line], strange: list[str], dice: random.Random) -> None:
    lines = [line(row) for row in rows]
    for text in strange:
        lines.insert(dice.randrange(len(lines) + 1), text)
    state, _ = step({}, payload("".join(f"{text}\n" for text in lines), form=TIMED))
    expected = by_hand(rows)
    assert counts(state, "web_requests_total") == expected["requests"]
    assert counts(state, "web_agents_total") == expected["agents"]
    assert counts(state, "web_methods_total") == expected["methods"]
    assert counts(state, "web_cache_total") == expected["cache"]
    assert +Counter(counts(state, "web_response_bytes_total")) == +expected["bytes"]
    assert counts(state, "web_upstream_seconds_total") == pytest.approx(
        {key: value / 1000 for key, value in expected["upstream"].items() if value}
    )
    sums = counts(state, "web_request_duration_seconds_sum")
    assert sums == pytest.approx({key: value / 1000 for key, value in expected["seconds"].items()})
    assert +Counter(counts(state, "web_request_duration_seconds_bucket")) == +expected["buckets"]
    assert counts(state, "web_lines_total") == {("parsed",): len(rows), ("unparsed",): len(strange)}


@given(st.lists(entries, max_size=60), st.lists(st.integers(0, 60), max_size=6), st.integers(100, 2000), st.booleans())
def test_it_does_not_matter_in_which_pieces_lines_come(
    rows: list[Line], cuts: list[int], chunk: int, known: bool
) -> None:
    lines = [f"{line(row)}\n" for row in rows]
    form = TIMED if known else ""
    whole, told = step({}, payload("".join(lines), form=form))
    edges = [0, *sorted(min(cut, len(lines)) for cut in cuts), len(lines)]
    pieces = ["".join(lines[start:end]) for start, end in pairwise(edges)]
    state: State = {}
    events: list[Event] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "CHUNK", chunk)
        for piece in filter(None, pieces):
            before = copy.deepcopy(state)
            after, found = step(state, payload(piece, form=form))
            assert state == before  # it is never changed
            state = orjson.loads(orjson.dumps(after))  # as if it was kept and loaded between
            events += found
    assert events == list(told)
    assert rounded(state) == rounded(whole if rows else {})


def rounded(state: State) -> Mapping[tuple[str, tuple[str, ...]], float]:
    return {(sample.family.name, sample.labels): round(sample.value, 6) for sample in samples(state)}


@given(st.text(), st.text(max_size=20), st.text(max_size=20), st.booleans())
def test_any_text_is_counted(text: str, form: str, default: str, php: bool) -> None:
    for given_form in (form, "", TIMED):
        state, _ = step({}, payload(text, form=given_form, default=default, php=php))
        lines = text.count("\n") + (not text.endswith("\n") if text else 0)
        assert total(state, "web_lines_total") == lines
        assert total(state, "web_requests_total") <= lines
        assert render(samples(state)).decode(errors="replace")
        assert orjson.dumps(state)


def test_series_and_state_are_bounded_whatever_is_asked_for() -> None:
    dice = random.Random(7)
    state: State = {}
    for _ in range(6):
        rows = []
        for _ in range(3000):
            path = dice.choice([f"/{dice.choice(CLASSES)}", f"/s{dice.randrange(500)}/x", f"/{dice.random()}"])
            row = (
                dice.choice(["GET", f"X{dice.randrange(99)}"]), path.replace("{id}", "7"), f"a={dice.random()}",
                str(dice.randrange(100, 700)), "1", f"agent {dice.random()}", f"{dice.expovariate(2):.3f}", "0.1",
                f"state{dice.random()}", f"host{dice.random()}.example",
            )  # fmt: skip
            rows.append(line(row))
        state, _ = step(state, payload("\n".join(rows) + "\n", form=TIMED))
    per_site = Counter(dict(zip(s.family.labels, s.labels, strict=True)).get("site", "") for s in samples(state))
    assert per_site.keys() == {"", "shop"}
    assert 250 < per_site["shop"] <= 600
    assert len(orjson.dumps(state)) < 200_000
    assert total(state, "web_requests_total") == 18_000


def test_the_most_series_that_a_site_can_have() -> None:
    rows = [("GET", "/", "", "200", "1", "a", "0.1", "0.1", "HIT", "shop.example")]
    state, _ = step({}, payload(line(rows[0]) + "\n", form=TIMED))
    full = state["site shop"]
    full["requests"] = {f"c{number} 2xx": 1 for number in range(site.MOST_REQUESTS)} | {
        f"other {status}": 1 for status in ("1xx", "2xx", "3xx", "4xx", "5xx", "other")
    }
    full["durations"] = {f"c{number}": [1] * 12 + [1.0] for number in range(100)}
    full["cache"] = {
        f"{cache} {said}": 1 for cache in site.CACHES.values() for said in {*site.STATES.values(), "other"}
    }
    full["methods"] = dict.fromkeys([*site.METHODS, "other"], 1)
    full["agents"] = dict.fromkeys(map(str, range(8)), 1)
    full |= {"php requests": 1, "php seconds": 1}
    assert len([sample for sample in samples(state) if "site" in sample.family.labels]) <= 600


def test_failures_of_a_class_begin_at_0_with_its_first_request() -> None:
    text = line(("GET", "/", "", "200", "1", "a", "0.1", "-", "-", "shop.example")) + "\n"
    state, _ = step({}, payload(text))
    found = {sample.labels[1:]: sample.value for sample in samples(state) if sample.family.name == "web_requests_total"}
    assert found == {("front", "2xx"): 1, ("front", "5xx"): 0}


def test_hosts_that_nobody_knows_are_their_logs_site() -> None:
    rows = [("GET", "/", "", "200", "1", "a", "0.1", "-", "-", host) for host in ("shop.example", "evil.example")]
    text = "".join(f"{line(row)}\n" for row in rows)
    assert counts(step({}, payload(text, default=""))[0], "web_requests_total") == {
        ("shop", "front", "2xx"): 1, ("other", "front", "2xx"): 1,
    }  # fmt: skip
    assert counts(step({}, payload(text, default="x", hosts={}))[0], "web_requests_total") == {("x", "front", "2xx"): 2}


def test_a_site_that_is_gone_is_forgotten() -> None:
    text = line(("GET", "/", "a=1", "404", "1", "a", "0.1", "-", "-", "shop.example")) + "\n"
    state, _ = step({}, payload(text))
    state, _ = step(state, payload(text, hosts={}, default="new"))
    assert counts(state, "web_requests_total") == {("new", "front", "4xx"): 1}
    assert [key for key in state if "shop" in key] == []
    state, _ = step(state, {**payload(), "readable": {}})
    assert state["formats"] == {}


def test_a_section_is_known_from_its_first_good_answer_on() -> None:
    rows = [("/blog/a", "404"), ("/blog/b", "200"), ("/blog/c", "404"), ("/junk/a", "404"), ("/junk/b", "301")]
    text = "".join(
        line(("GET", path, "", status, "1", "a", "0.1", "-", "-", "shop.example")) + "\n" for path, status in rows
    )
    state, _ = step({}, payload(text))
    assert counts(state, "web_requests_total") == {
        ("shop", "alias-other", "4xx"): 2, ("shop", "alias/blog", "2xx"): 1, ("shop", "alias/blog", "4xx"): 1,
        ("shop", "alias-other", "3xx"): 1,
    }  # fmt: skip
    assert counts(state, "web_class_duration_seconds_count") == {("shop", "alias-other"): 3, ("shop", "alias/blog"): 2}


def test_a_log_that_changes_its_format_is_read_on() -> None:
    timed = line(("GET", "/", "", "200", "1", "a", "0.1", "-", "-", "shop.example")) + "\n"
    combined = timed.partition(" rt=")[0] + "\n"
    state, _ = step({}, payload(combined * 3, combined * 3))
    assert state["formats"] == {"/log": COMBINED}
    state, _ = step(state, payload(timed * 30))
    assert state["formats"] == {"/log": detect([timed])}
    state, _ = step(state, payload(combined * 30, form=TIMED))  # the configuration is ahead of the server
    assert counts(state, "web_lines_total") == {("parsed",): 66, ("unparsed",): 0}


def test_how_far_behind_we_are() -> None:
    text = line(("GET", "/", "", "200", "1", "a", "0.1", "-", "-", "shop.example")) + "\n"
    late = 1795342000.0 - 1795340930.0
    assert counts(step({}, payload(text))[0], "web_log_lag_seconds") == {(): late}
    assert counts(step({}, payload(text, followed=False))[0], "web_log_lag_seconds") == {}  # its end may be old
    early = {**payload(text), "at": 5.0}
    assert counts(step({}, early)[0], "web_log_lag_seconds") == {(): 0}


def test_each_request_is_shown_to_who_wants_to_see_it() -> None:
    rows = [("GET", "/node/1", "a=b", "404", "1", "x", "0.1", "-", "-", "shop.example"),
            ("", "/", "", "400", "0", "", "0.0", "-", "-", "-")]  # fmt: skip
    seen: list[tuple[Request, str, str]] = []

    def inspect(*shown: Any) -> list[Event]:
        seen.append(shown)
        return []

    text = "".join(f"{line(row)}\n" for row in rows)
    step({}, payload(text), inspect)
    assert [(request.path, request.query, name, found) for request, name, found in seen] == [
        ("/node/1", "a=b", "shop", "node/{id}"), ("", "", "shop", "invalid"),
    ]  # fmt: skip
    assert (seen[0][0].remote, seen[0][0].agent, seen[0][0].status) == ("203.0.113.7", "x", "404")


def test_a_hit_of_the_page_cache_says_nothing_of_the_other_one() -> None:
    text = line(("GET", "/", "", "200", "1", "a", "0.1", "-", "HIT", "shop.example")).replace('ddc="-"', 'ddc="MISS"')
    state, _ = step({}, payload(f"{text}\n" + text.replace("HIT", "MISS") + "\n", form=TIMED))
    assert counts(state, "web_cache_total") == {
        ("shop", "drupal", "hit"): 1, ("shop", "drupal", "miss"): 1, ("shop", "drupal-dynamic", "miss"): 1,
    }  # fmt: skip


def test_json_lines_are_counted() -> None:
    rows = [{"status": 200, "uri": "/node/1?x=1", "host": "shop.example", "duration": 0.2, "size": 5, "method": "GET"}]
    state, _ = step({}, payload("".join(json.dumps(row) + "\n" for row in rows * 3)))
    assert counts(state, "web_requests_total") == {("shop", "node/{id}", "2xx"): 3}
    assert counts(state, "web_request_duration_seconds_sum") == {("shop",): pytest.approx(0.6)}
    assert counts(state, "web_response_bytes_total") == {("shop",): 15}


@pytest.mark.skipif(not LOGS.exists(), reason="the logs of the lab's Drupal sites are not here")
def test_logs_of_drupal_sites() -> None:
    text = (LOGS / "nginx-access-timed.log").read_text()
    hosts = {"d7.lab": "d7", "d10.lab": "d10", "d11.lab": "d11"}
    state, _ = step({}, payload(text, hosts=hosts, default=""))
    assert counts(state, "web_lines_total") == {("parsed",): text.count("\n"), ("unparsed",): 0}
    for host, name in hosts.items():
        mine = [row for row in text.splitlines() if row.endswith(f"host={host}")]
        posts = sum('"POST /user/login' in row or '"POST /?q=user/login' in row for row in mine)
        assert sum(v for k, v in counts(state, "web_requests_total").items() if k[0] == name) == len(mine)
        logins = sum(v for k, v in counts(state, "web_requests_total").items() if k[:2] == (name, "user/login"))
        assert logins >= posts
        hits = sum('dc="HIT" ddc' in row for row in mine)
        assert counts(state, "web_cache_total").get((name, "drupal", "hit"), 0) == hits
    assert all(
        count <= 600 for count in Counter(s.labels[0] for s in samples(state) if "site" in s.family.labels).values()
    )
