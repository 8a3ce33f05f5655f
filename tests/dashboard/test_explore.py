"""Explore: an expression as chart, table and CSV, its errors in words, and what metrics there are."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from collectors.model import Event
from dashboard.exploring import Known, series, telling, unit_of
from tests.dashboard import situations
from tests.dashboard.browsing import Window
from tests.dashboard.test_pages import EVIL, get
from tests.dashboard.world import NOW, World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return situations.trouble(tmp_path_factory.mktemp("trouble"))


def ask(world: World, query: str, **more: str) -> Any:
    answer = world.client().get("/explore", query_string={"q": query, **more}, headers={"Accept": "application/json"})
    assert answer.status_code == 200
    return answer.get_json()


def test_an_expression_is_a_chart_a_table_and_what_its_metric_means(world: World) -> None:
    data = ask(world, "phpfpm_active_processes")
    (plot,) = data["plots"]
    assert {trace["name"] for trace in plot["traces"]} == {"shop", "www"}
    assert [row["value"] for row in data["rows"]] == ["40", "3"]
    (known,) = data["known"]
    assert (known["name"], known["type"]) == ("phpfpm_active_processes", "gauge")
    assert known["help"]
    text = world.client().get("/explore?q=phpfpm_active_processes").get_data(as_text=True)
    assert known["help"] in text
    assert 'id="chart-result"' in text
    assert "phpfpm_active_processes{" in text
    assert 'value="phpfpm_active_processes"' in text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("rate(", "Parse error"),
        ("up[5m]", "a function such as rate(...)"),
        ("no_such_function(up)", "unknown function"),
        ("sum(up) by (", "Parse error"),
    ],
)
def test_what_is_wrong_is_said_in_words(world: World, query: str, words: str) -> None:
    data = ask(world, query)
    assert words in str(data["error"])
    assert (data["plots"], data["rows"]) == ([], [])
    answer = world.client().get("/explore", query_string={"q": query})
    assert (answer.status_code, 'role="alert"' in answer.get_data(as_text=True)) == (200, True)
    refused = world.client().get("/explore.csv", query_string={"q": query})
    assert (refused.status_code, refused.mimetype) == (400, "text/plain")


@pytest.mark.parametrize("query", ["1 + 1", "time()", "vector(3)", '"text"'])
def test_numbers_and_texts_are_answers_too(world: World, query: str) -> None:
    data = ask(world, query)
    assert data["error"] == ""
    assert len(data["rows"]) == 1


def test_nothing_found_says_what_may_be_the_reason(world: World) -> None:
    client = world.client()
    assert "No metric of this name is known" in client.get("/explore?q=nothing_like_it").get_data(as_text=True)
    text = client.get("/explore", query_string={"q": 'up{job="no"}'}).get_data(as_text=True)
    assert "No series has a value at this time." in text
    assert "The metric is known" in text


def test_the_empty_page_lists_every_metric_and_examples_that_work(world: World) -> None:
    data = get(world.client(), "/explore")
    names = {prefix["name"]: prefix["metrics"] for prefix in data["names"]}
    assert {"node", "phpfpm", "mysql", "up"} <= {*names}
    assert "node_load1" in names["node"]
    assert 'href="?q=node_load1"' in world.client().get("/explore").get_data(as_text=True)
    for example in data["examples"]:
        assert ask(world, example["query"])["error"] == "", example


def test_the_same_lines_come_as_csv(world: World) -> None:
    data = ask(world, "node_load1 > 0", **{"from": "now-10m"})
    answer = world.client().get(str(data["csv"]))
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="raingauge.csv"'
    head, *rows = csv.reader(io.StringIO(answer.get_data(as_text=True)))
    assert head == ["time", 'node_load1{host="web-01", instance="web-01", job="node"}']
    assert len(rows) == 61
    assert rows[-1][0] == "2026-09-21T14:13:20Z"
    assert all(float(value) > 0 for _, value in rows)


def test_a_value_is_in_the_unit_of_its_metric() -> None:
    def known(name: str, unit: str) -> Known:
        return Known(name, "counter", "", unit)

    assert unit_of("x_bytes", [known("x_bytes", "bytes")]) == "bytes"
    assert unit_of("rate(x_bytes_total[5m])", [known("x_bytes_total", "bytes")]) == "bytes_per_second"
    assert unit_of("rate(x_total[5m])", [known("x_total", "")]) == "per_second"
    assert unit_of("a_bytes / b_bytes", [known("a_bytes", "bytes"), known("b_bytes", "bytes")]) == "count"
    assert unit_of("count(x_bytes)", [known("x_bytes", "bytes")]) == "count"
    assert unit_of("1", []) == "count"


def test_lines_are_named_by_the_labels_that_tell_them_apart() -> None:
    same = {"job": "node", "host": "a"}
    assert telling([{**same, "device": "sda"}, {**same, "device": "sdb"}]) == ["device"]
    assert telling([same]) == []
    both = [{"instance": f"web:/run/{pool}.sock", "pool": pool} for pool in ("a", "b")]
    assert telling(both) == ["pool"], "the shorter one says it"
    cross = [{"a": one, "b": other} for one in "xy" for other in "xy"]
    assert telling(cross) == ["a", "b"]


def test_what_is_asked_is_escaped(tmp_path: Path) -> None:
    world = situations.starting(tmp_path)
    world.events.record(Event("e", "x", "warning", "h", "", NOW - 60, NOW - 60, 1, EVIL))
    text = world.client().get("/explore", query_string={"q": EVIL}).get_data(as_text=True)
    assert EVIL not in text


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", '=HYPERLINK("x")'])
def test_no_cell_of_the_csv_is_a_formula(tmp_path: Path, name: str) -> None:
    written = name.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    query = f'label_replace(vector(-1), "__name__", "{written}", "", "")'
    client = situations.calm(tmp_path).client()
    head, *lines = csv.reader(client.get("/explore.csv", query_string={"q": query}).text.splitlines())
    assert head[1:] == [f"'{name}"]
    assert {line[1] for line in lines} == {"-1"}


def test_a_series_is_written_as_promql_reads_it() -> None:
    assert series({"__name__": "up", "a": 'x"y\\z\n'}) == 'up{a="x\\"y\\\\z\\n"}'


@pytest.mark.servers
def test_names_are_completed_by_keyboard_and_enter_runs(desk: Window) -> None:
    desk.open("/explore")
    field = desk.page.locator("#q")
    field.click()
    desk.page.keyboard.type("sum(node_loa")
    desk.wait("() => document.querySelectorAll('#offers li').length === 3")
    desk.page.keyboard.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") == "offer-0"
    assert "gauge: " in desk.page.locator("#offer-0 small").inner_text()
    desk.page.keyboard.press("Enter")
    assert field.input_value() == "sum(node_load1"
    desk.page.keyboard.type("{jo")
    desk.wait("() => document.querySelector('#offers li')?.dataset.name === 'job'")
    desk.page.keyboard.press("ArrowDown")
    desk.page.keyboard.press("Enter")
    desk.page.keyboard.type('="')
    desk.wait("() => document.querySelector('#offers li')?.dataset.name === 'node'")
    desk.page.keyboard.press("Escape")
    desk.page.keyboard.type('node"})')
    desk.page.keyboard.press("Enter")
    desk.wait("() => location.search.includes('q=')")
    assert desk.query["q"] == 'sum(node_load1{job="node"})'
    desk.loaded()
    assert desk.page.locator("#values tbody tr").count() == 1
