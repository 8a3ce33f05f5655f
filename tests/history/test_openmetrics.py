"""Samples out as text and in again."""

import math
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from collectors.model import Counter, Gauge, Target
from history import openmetrics
from history.database import open_database
from history.embedded import Embedded
from history.model import Metadata, Vector
from history.openmetrics import OpenMetricsError, export, read, scan
from history.samples import Matcher, absent
from history.store import Store, past
from history.store.tiers import FIVE_MINUTES, HOUR

HOST = Target("node", "h1", "h1")
READS = Counter("node_disk_reads_total", "Reads, \\ and\nmore.", ("device",))
LOAD = Gauge("node_load1", "Load.")
ODD = Counter("oddly_named", "A counter.")
EVER = 2**60
T = 1_790_000_000


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "one")
    yield engine
    engine.dispose()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "two")
    yield engine
    engine.dispose()


def everything(store: Store) -> dict[str, dict[int, str]]:
    """Canonical labels -> stamp -> value."""
    found: dict[str, dict[int, str]] = {}
    for group in store.select([Matcher("__name__", "!=", "")], 0, EVER):
        for labels, values in zip(group.labels, group.values, strict=True):
            there = ~absent(values)
            pairs = zip(group.stamps[there].tolist(), map(repr, values[there].tolist()), strict=True)
            found[str(sorted(labels.items()))] = dict(pairs)
    return found


def text_of(store: Store) -> str:
    return "".join(text for _, text in export(store, 0, EVER))


def take_in(store: Store, text: str) -> int:
    lines = text.splitlines(keepends=True)
    extent = scan(lines)
    store.describe(extent.described)
    return sum(past.take(store, each) for each in past.by_target(store, read(lines, extent.first, extent.last)))


def fill(store: Store) -> None:
    for tick in range(700):
        gone = [] if 300 <= tick < 310 else [READS(tick / 3, 'sd"a\\\n}')]
        store.append(HOST, T + 15.125 * tick, [*gone, READS(math.inf, "b"), LOAD(-0.1), ODD(tick * 1e9)])
        store.append(Target("nginx", "h1:80", "h1"), T + 15 * tick, [LOAD(math.nan if tick % 7 else 1e-300)])
    while store.maintenance.seal():
        pass


def test_what_goes_out_comes_in(engine: Engine, other: Engine) -> None:
    store, copy = Store(engine), Store(other)
    fill(store)
    text = text_of(store)
    assert take_in(copy, text) == scan(text.splitlines()).samples == sum(map(len, everything(store).values()))
    assert everything(copy) == everything(store) == everything(Store(other))
    assert copy.metadata()["node_disk_reads_total"] == store.metadata()["node_disk_reads_total"]
    assert take_in(copy, text) == 0, "a second time it is there"
    assert text_of(copy) == text.replace("# HELP oddly_named A counter.\n", "# HELP oddly_named A counter.\n")


def test_a_counter_that_is_not_called_so_is_unknown(engine: Engine) -> None:
    store = Store(engine)
    fill(store)
    text = text_of(store)
    assert "# TYPE oddly_named unknown\n" in text
    assert "# TYPE node_disk_reads counter\n# HELP node_disk_reads Reads, \\\\ and\\nmore.\n" in text
    assert text.endswith("\n# EOF\n")


@pytest.mark.servers
def test_promtool_takes_it(engine: Engine, tmp_path: Path) -> None:
    store = Store(engine)
    fill(store)
    path = tmp_path / "samples.om"
    path.write_text(text_of(store))
    made = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(path), str(tmp_path / "blocks")]
    done = subprocess.run(made, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    listed = ["promtool", "tsdb", "list", str(tmp_path / "blocks")]
    blocks = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.splitlines()[1:]
    assert sum(int(line.split()[4]) for line in blocks) == scan(text_of(store).splitlines()).samples


LABEL_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(LABEL_TEXT, st.floats(), st.integers(0, 2**45))
def test_any_label_and_any_value_come_back(text: str, value: float, stamp: int) -> None:
    line = f'm{{a="{openmetrics._escaped(text)}"}} {value!r} {stamp // 1000}.{stamp % 1000:03}\n# EOF\n'
    [series] = read(line.split("\n")[:-1], 0, EVER)
    assert series.labels == {"__name__": "m", "a": text}
    assert list(series.stamps) == [stamp]
    assert repr(series.values[0]) == repr(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m 1 1\n", "line 1: expected # EOF at the end: the file was cut off"),
        ("m 1 1\n# EOF\nm 2 2\n", "line 3: expected nothing after # EOF, found 'm 2 2'"),
        ("m 1\n# EOF\n", "line 1: expected a time stamp in seconds, found 'm 1'"),
        ("m one 1\n# EOF\n", "line 1: expected a number and a time stamp in seconds, found 'm one 1'"),
        ("# TYPE m gauge\nm{a=1} 1 1\n# EOF\n", "line 2: expected labels as name=\"text\", found 'm{a=1} 1 1'"),
        ('m{a="1",a="2"} 1 1\n# EOF\n', "line 1: the label a is there twice"),
        ("7m 1 1\n# EOF\n", "line 1: expected `name{labels} value seconds`, found '7m 1 1'"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, expected: str) -> None:
    with pytest.raises(OpenMetricsError) as found:
        scan(text.splitlines(keepends=True))
    assert expected in str(found.value)


def test_types_exemplars_and_spaces_are_understood() -> None:
    text = (
        "# TYPE d_seconds histogram\n# UNIT d_seconds seconds\n# HELP d_seconds How long.\n"
        'd_seconds_bucket{le="1"}  4 10 # {trace="x}"} 0.5 9\n# TYPE n counter\nn_total 3 1.5e1\n# EOF\n'
    ).splitlines()
    extent = scan(text)
    assert extent.described == {
        "d_seconds": Metadata("histogram", "How long.", "seconds"),
        "n_total": Metadata("counter", ""),
    }
    assert [(dict(each.labels), list(each.stamps)) for each in read(text, 0, EVER)] == [
        ({"__name__": "d_seconds_bucket", "le": "1"}, [10_000]),
        ({"__name__": "n_total"}, [15_000]),
    ]


def test_the_past_goes_around_what_is_there_and_is_rolled_up(engine: Engine) -> None:
    """Samples from before the roll-ups began get theirs; what the history has of that time stays."""
    store = Store(engine)
    begin = T - T % (120 * 3600)
    for tick in range(1, 8500):  # nearly six days: five-minute and hour blocks are there
        store.append(HOST, begin + 60.0 * tick, [READS(tick, "a")])
        while store.maintain(begin + 60.0 * tick):
            pass
    [stored] = store.targets()
    assert set(stored.blocks) == {0, FIVE_MINUTES, HOUR}
    labels = 'device="a",host="h1",instance="h1",job="node"'
    lines = [f"node_disk_reads_total{{{labels}}} {tick} {begin + 60 * tick}" for tick in range(-3000, 100)]
    assert take_in(store, "\n".join([*lines, "# EOF"])) == 3001
    again = Store(engine)
    for each in (store, again):
        found = everything(each)
        assert len(found) == 1
        assert list(next(iter(found.values()))) == [1000 * (begin + 60 * tick) for tick in range(-3000, 8500)]
    for stored in again.targets():
        stored.blocks.pop(0)
    rolled = Embedded(again).query("increase(node_disk_reads_total[24h])", begin - 86400.0)
    assert isinstance(rolled, Vector)
    assert rolled.points[0].value == pytest.approx(1440, rel=0.01)


def test_a_running_store_sees_what_another_took_in(engine: Engine) -> None:
    store = Store(engine)
    for tick in range(600):
        store.append(HOST, T + 15.0 * tick, [LOAD(1)])
    text = f'node_load1{{host="h1",instance="h1",job="node"}} 7 {T - 60}\nup{{job="x"}} 1 {T - 60}\n# EOF\n'
    assert take_in(Store(engine), text) == 2
    store.maintain(T + 10_000)
    assert store.series([Matcher("__name__", "=", "up")], 0, EVER) == [{"__name__": "up", "job": "x"}]
    for tick in range(600, 1300):
        store.append(HOST, T + 15.0 * tick, [LOAD(1)])
        while store.maintain(T + 15.0 * tick):
            pass
    loads = everything(Store(engine))[str(sorted({"__name__": "node_load1", **HOST.labels}.items()))]
    assert len(loads) == 1301
    assert loads[1000 * (T - 60)] == "7.0"
