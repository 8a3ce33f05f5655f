import struct
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from collectors.model import UP, Counter, Gauge, Sample, Target, Untyped
from history.database import open_database
from history.embedded import Embedded
from history.model import Matrix, Metadata, Vector
from history.samples import Matcher, absent
from history.store import Store
from history.store.tables import head_table, series_table

HOST = Target("node", "h1", "h1")
LOAD = Gauge("node_load1", "Load.")
READS = Counter("node_disk_reads_total", "Reads.", ("device",))
SENT = Counter("sent_bytes_total", "Sent.", ("host", "job", "path"))


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def stored(store: Store, name: str) -> dict[tuple[str, ...], dict[int, bytes]]:
    """Series by their labels' values, each a stamp -> bits; ends left out."""
    found = {}
    for group in store.select([Matcher("__name__", "=", name)], 0, 2**60):
        for labels, values, gaps in zip(group.labels, group.values, absent(group.values), strict=True):
            points = {int(t): bits(float(v)) for t, v, gone in zip(group.stamps, values, gaps, strict=True) if not gone}
            found[tuple(value for name, value in sorted(labels.items()))] = points
    return found


def values(found: object) -> list[float]:
    assert isinstance(found, Vector)
    return [point.value for point in found.points]


def test_a_sample_comes_back_with_all_its_labels(engine: Engine) -> None:
    store = Store(engine)
    store.append(HOST, 10.0, [LOAD(0.5), READS(7, "sda")])
    found = Embedded(store).query("node_disk_reads_total", 12.0)
    assert isinstance(found, Vector)
    [point] = found.points
    assert (point.t, point.value) == (12.0, 7.0)
    assert dict(point.labels) == {
        "__name__": "node_disk_reads_total", "device": "sda", "job": "node", "instance": "h1", "host": "h1",
    }  # fmt: skip


def test_the_targets_label_wins_over_the_samples(engine: Engine) -> None:
    store = Store(engine)
    store.append(HOST, 10.0, [SENT(1, "other", "", "/")])
    [group] = store.select([Matcher("__name__", "=", "sent_bytes_total")], 0, 20_000)
    assert dict(group.labels[0]) == {
        "__name__": "sent_bytes_total", "exported_host": "other", "path": "/",
        "job": "node", "instance": "h1", "host": "h1",
    }  # fmt: skip


def test_a_target_without_labels_stores_exactly_its_samples_labels(engine: Engine) -> None:
    store = Store(engine)
    rules = [Target("", "", "", (("__group__", name),)) for name in "ab"]
    for rule, value in zip(rules, (1, 2), strict=True):
        store.append(rule, 10.0, [Gauge("ALERTS", "", ("host", "group"))(1, "h9", str(value))])
    assert Embedded(store).series([], 0, 20) == [
        {"__name__": "ALERTS", "group": "1", "host": "h9"},
        {"__name__": "ALERTS", "group": "2", "host": "h9"},
    ]


def test_a_series_that_is_missing_from_a_tick_ends_and_may_return(engine: Engine) -> None:
    store = Store(engine)
    source = Embedded(store)
    store.append(HOST, 10.0, [READS(1, "sda"), READS(2, "sdb")])
    store.append(HOST, 20.0, [READS(3, "sdb")])
    assert values(source.query("node_disk_reads_total", 19.9)) == [1, 2]
    assert values(source.query("node_disk_reads_total", 20.0)) == [3]
    store.append(HOST, 30.0, [])
    assert values(source.query("node_disk_reads_total", 30.0)) == []
    store.append(HOST, 40.0, [READS(5, "sda")])
    assert values(source.query("node_disk_reads_total", 40.0)) == [5]
    assert values(source.query("count_over_time(node_disk_reads_total[1m])", 40.0)) == [2, 2]


def test_a_stamp_that_is_there_is_refused_and_harms_nothing(engine: Engine) -> None:
    store = Store(engine)
    store.append(HOST, 10.0, [LOAD(1)])
    with pytest.raises(ValueError, match="10000 ms"):
        store.append(HOST, 10.0, [LOAD(2)])
    store.append(HOST, 10.001, [LOAD(3)])
    assert values(Embedded(store).query("node_load1", 11.0)) == [3]


def test_a_batch_is_stored_wholly_or_not_at_all(engine: Engine) -> None:
    store = Store(engine)
    store.append(HOST, 10.0, [LOAD(1)])
    other = Target("node", "h2", "h2")
    with pytest.raises(ValueError, match="10000 ms"):
        store.append_many([(other, 20.0, [READS(1, "sda")]), (HOST, 10.0, [LOAD(2)])])
    for each in (store, Store(engine)):
        assert values(Embedded(each).query('{job="node"}', 25.0)) == [1]
    store.append_many([(other, 20.0, [READS(1, "sda")]), (HOST, 20.0, [LOAD(2)]), (HOST, 30.0, [LOAD(3)])])
    for each in (store, Store(engine)):
        assert values(Embedded(each).query('{job="node"}', 35.0)) == [3, 1]


def test_another_process_sees_what_was_committed_since(engine: Engine, tmp_path: Path) -> None:
    writer, reader = Store(engine), Store(open_database(tmp_path))
    for tick in range(1, 4):
        writer.append(HOST, 10.0 * tick, [LOAD(tick), *(READS(tick, f"sd{n}") for n in range(tick))])
        reader.refresh()
        assert values(Embedded(reader).query("node_load1", 10.0 * tick)) == [tick]
        assert values(Embedded(reader).query("count(node_disk_reads_total)", 10.0 * tick)) == [tick]
    reader.engine.dispose()


def test_ids_of_series_are_never_used_again(engine: Engine) -> None:
    store = Store(engine)
    store.append(HOST, 10.0, [READS(1, "sda")])
    with engine.begin() as connection:
        first = connection.execute(select(func.max(series_table.c.id))).scalar()
        connection.execute(head_table.delete())
        connection.execute(series_table.delete())
    again = Store(engine)
    again.append(HOST, 20.0, [READS(1, "sdb")])
    with engine.connect() as connection:
        assert connection.execute(select(func.min(series_table.c.id))).scalar() == (first or 0) + 1


def test_metadata_is_kept_by_name(engine: Engine) -> None:
    Store(engine).append(HOST, 10.0, [LOAD(1), SENT(1, "", "", "/"), Untyped("mysql_up_time", "Old.")(3), UP(1)])
    source = Embedded(Store(engine))
    assert source.metadata("sent_bytes_total") == {"sent_bytes_total": [Metadata("counter", "Sent.", "bytes")]}
    assert source.metadata("mysql_up_time") == {"mysql_up_time": [Metadata("unknown", "Old.", "")]}
    assert list(source.metadata()) == ["mysql_up_time", "node_load1", "sent_bytes_total", "up"]
    assert source.metadata("nothing") == {}


def test_of_a_series_twice_in_one_tick_the_first_is_kept(engine: Engine) -> None:
    store = Store(engine)
    store.append(HOST, 10.0, [READS(1, "sda"), READS(2, "sda"), READS(3, "sdb")])
    assert values(Embedded(store).query("node_disk_reads_total", 10.0)) == [1, 3]


NUMBERS = st.one_of(
    st.floats(),
    st.integers(1, 2**51 - 1).filter(lambda payload: payload != 2).map(
        lambda payload: struct.unpack("<d", struct.pack("<Q", 0x7FF8000000000000 | payload))[0]
    ),
)  # fmt: skip
TICK = st.dictionaries(st.sampled_from(["sda", "sdb", "sdc", "nvme0", "é\U0001f4be"]), NUMBERS, max_size=5)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ticks=st.lists(TICK, min_size=1, max_size=12))
def test_what_is_appended_is_read_back_bit_by_bit(
    tmp_path_factory: pytest.TempPathFactory, ticks: Sequence[dict[str, float]]
) -> None:
    engine = open_database(tmp_path_factory.mktemp("db"))
    store = Store(engine)
    expected: dict[str, dict[int, bytes]] = {}
    for at, tick in enumerate(ticks):
        store.append(HOST, at * 10 + 0.007, [READS(value, device) for device, value in tick.items()])
        for device, value in tick.items():
            expected.setdefault(device, {})[at * 10_000 + 7] = bits(value)
    for each in (store, Store(engine)):
        assert {labels[1]: points for labels, points in stored(each, READS.name).items()} == expected
    engine.dispose()


def test_many_blocks_are_read_as_one_line(engine: Engine) -> None:
    ticks = 2 * 480 + 7
    Store(engine).append_many(
        (HOST, float(t), [LOAD(t)] if t % 100 else [LOAD(t), READS(t, f"sd{t}")]) for t in range(ticks)
    )
    source = Embedded(Store(engine))
    found = source.query_range("node_load1", 0, ticks - 1, 1)
    assert found.lines[0].values.tolist() == list(range(ticks))
    found = source.query_range("node_disk_reads_total", 0, ticks - 1, 1)
    assert [(line.times.tolist(), line.values.tolist()) for line in found.lines] == [
        ([t], [t]) for t in range(0, ticks, 100)
    ]


def test_readers_see_whole_ticks_while_one_writes(engine: Engine) -> None:
    store = Store(engine)
    source = Embedded(store)
    done = threading.Event()
    torn: list[Matrix] = []

    def read() -> None:
        while not done.is_set():
            found = source.query_range("count(node_disk_reads_total) != 8", 0, 400, 1)
            if found.lines:
                torn.append(found)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    # Each tick has other devices, so that rows, layouts and blocks grow under the readers.
    for t in range(400):
        store.append(HOST, float(t), [READS(t, f"sd{t // 20}{n}") for n in range(8)])
    done.set()
    for reader in readers:
        reader.join()
    assert torn == []


def test_a_stale_marker_as_a_value_ends_the_series(engine: Engine) -> None:
    store = Store(engine)
    marker = float(np.array(0x7FF0000000000002, dtype=np.uint64).view(np.float64))
    store.append(HOST, 10.0, [Sample(LOAD, (), 1.0)])
    store.append(HOST, 20.0, [Sample(LOAD, (), marker)])
    assert values(Embedded(store).query("node_load1", 20.0)) == []


def test_a_tick_may_come_in_parts(engine: Engine) -> None:
    store = Store(engine)
    store.append_many([(HOST, 10.0, [LOAD(1), READS(5, "sda")])])
    store.append_many([(HOST, 20.0, [LOAD(2)])], more=True)
    store.append_many([(HOST, 10.0, [READS(6, "sdb"), LOAD(7)])], more=True)
    with pytest.raises(ValueError, match="takes none"):
        store.append(HOST, 10.0, [LOAD(9)])
    for each in (store, Store(engine)):
        found = Embedded(each)
        assert values(found.query("node_load1", 10.0)) == [7]
        assert sorted(values(found.query("node_disk_reads_total", 10.0))) == [5, 6]
        assert values(found.query("count(node_disk_reads_total)", 20.0)) == []
