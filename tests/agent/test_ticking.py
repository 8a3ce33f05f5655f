"""One target over time: what is due, what a closing tick publishes, what an outcome means."""

from collections.abc import Sequence

import pytest

from agent.reading import Reading, read_part
from agent.ticking import FORGET_SECONDS, RESET_SECONDS, PartState, Ticking, deadline
from collectors.errors import Absent, Denied, ParseError, Unreachable, Unsupported
from collectors.model import Counter, Gauge, Part, Sample
from tests.agent.fakes import SLOW, VALUE, Script, part, watch


def names(samples: Sequence[Sample]) -> dict[str, float]:
    return {sample.family.name: sample.value for sample in samples}


class Played:
    """A ticking that is driven by hand: each due part is read at once unless it hangs."""

    def __init__(self, *parts: Part) -> None:
        self.ticking = Ticking(watch(*parts), "web")
        self.hanging: set[str] = set()

    def tick(self, now: float) -> dict[str, float]:
        for state in self.ticking.begin(now):
            if state.part.name not in self.hanging:
                self.ticking.answer(state, read_part(state.part, self.ticking.watch.config), now)
        return names(self.ticking.close(now)[0])

    def state(self, name: str = "fast") -> PartState:
        return next(state for state in self.ticking.parts if state.part.name == name)


def test_a_second_read_follows_the_first_so_that_rates_exist() -> None:
    script, slow = Script([1.0, 2.0, 3.0]), Script([9.0])
    played = Played(part(script), part(slow, "hourly", 3600, SLOW))
    played.tick(1001.5)
    played.tick(1003.0)
    assert (script.reads, slow.reads) == (2, 1)
    played.tick(1009.9)
    assert script.reads == 2
    assert played.tick(1010.0)["fake_value"] == 3
    assert script.reads == 3


def test_a_slow_part_is_repeated_until_twice_its_interval() -> None:
    slow = Script([5.0])
    played = Played(part(Script()), part(slow, "slow", 60, SLOW))
    played.tick(1000)
    played.tick(1001)
    assert all(played.tick(t)["fake_slow_value"] == 5 for t in range(1010, 1080, 10))
    played.hanging.add("slow")
    read_at = played.state("slow").last_success
    assert read_at is not None
    assert "fake_slow_value" not in played.tick(read_at + 121)


def test_a_part_of_each_hour_is_read_soon_after_its_server_is_back() -> None:
    hourly, denied = Script([Unreachable("no"), Unreachable("no"), 9.0]), Script([Denied("no"), 7.0])
    played = Played(part(Script()), part(hourly, "hourly", 3600, SLOW), part(denied, "shut", 3600, SLOW))
    for now in range(7250, 7400, 10):
        played.tick(now)
    assert (hourly.reads, played.state("hourly").outcome, played.state("hourly").last_success) == (3, "ok", 7320)
    assert denied.reads == 1  # a server that lets nobody in logs each try
    played.tick(10800)
    assert (hourly.reads, denied.reads) == (4, 2)


def test_what_is_not_there_is_looked_for_seldom_and_read_at_its_own_pace_once_it_is() -> None:
    rare = Script([Absent(), Absent(), Absent(), 5.0, 6.0, 7.0])
    played = Played(part(Script()), part(rare, "rare", 10, SLOW))
    reads = {now: (played.tick(now), rare.reads)[1] for now in range(1200, 1350, 10)}
    assert [reads[now] for now in (1200, 1210, 1250, 1260, 1310, 1320, 1330, 1340)] == [1, 2, 2, 3, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "error", [Unreachable("no"), Denied("no"), Unsupported("no"), ParseError("no"), ValueError("no")]
)
def test_a_failed_read_ends_a_slow_parts_value_at_once(error: Exception) -> None:
    slow = Script([5.0, 6.0, error, 8.0])
    played = Played(part(Script()), part(slow, "slow", 60, SLOW))
    for t in (1000, 1001):
        played.tick(t)
    assert "fake_slow_value" not in played.tick(1020)  # 1020 is the next multiple of 60
    assert played.tick(1080)["fake_slow_value"] == 8
    assert sum(played.state("slow").failures.values()) == 1


def test_a_part_is_published_all_or_none() -> None:
    played = Played(part(Script([1.0, -1.0, 2.0])))
    assert played.tick(1000).keys() == {"fake_value", "fake_other_value", "fake_up"}
    assert "fake_value" not in played.tick(1001)  # its parse gave one sample before it failed
    assert played.state().failures == {"bug": 1}


@pytest.mark.parametrize(
    ("answer", "up"),
    [(1.0, 1.0), (Absent(), 1.0), (Unreachable("refused"), 0.0), (ConnectionRefusedError(), 0.0), (TimeoutError(), 0.0),
     (Denied("no"), None), (PermissionError(), None), (Unsupported("no page"), None), (ParseError("?"), None),
     (KeyError("bug"), None)],
)  # fmt: skip
def test_up_is_1_or_0_or_unknown(answer: object, up: float | None) -> None:
    assert Played(part(Script([answer]))).tick(1000).get("fake_up") == up


def test_a_read_that_hangs_counts_as_one_timeout_and_is_not_read_again() -> None:
    script = Script()
    played = Played(part(script))
    played.hanging.add("fast")
    state = played.state()
    played.tick(1000)
    assert (state.outcome, state.failures) == ("waiting", {})
    for t in (1010, 1020, 1030):
        assert played.tick(t) == {"fake_up": 0}
    assert (state.outcome, state.failures, script.reads) == ("timeout", {"timeout": 1}, 0)
    assert "still waiting after 30 s" in played.ticking.statuses(1030)[0].error
    played.ticking.answer(state, Reading(state.part, "ok", samples=(VALUE(7),)), 1031)
    played.hanging.clear()
    assert names(played.ticking.close(1031)[0]) == {"fake_value": 7, "fake_up": 1}
    assert state.outcome == "ok"
    assert played.tick(1040)["fake_value"] == 1


def test_a_deadline_is_the_interval_and_ten_seconds_at_most() -> None:
    assert [deadline(part(Script(), interval=interval)) for interval in (1, 10, 3600)] == [1, 10, 10]


def test_labels_past_their_bound_become_other_and_are_counted() -> None:
    pages = Gauge("fake_page_bytes", "Size.", ("page",), bounds={"page": 2})
    sizes = {f"/{n}": float(n) for n in range(5)}
    many = Part("pages", (pages,), lambda _config: sizes, lambda found: [pages(v, k) for k, v in found.items()])
    ticking = Ticking(watch(many), "web")
    for _ in range(2):
        (state,) = ticking.begin(1e9)
        state.next_due = 0
        ticking.answer(state, read_part(many, None), 1e9)
    found = {sample.labels: sample.value for sample in ticking.close(1e9)[0] if sample.family is pages}
    assert found == {("/0",): 0, ("/1",): 1, ("other",): 2 + 3 + 4}
    assert ticking.overflow == {("fake_page_bytes", "page"): 6}


def test_labels_that_are_gone_for_long_make_room_for_new_ones() -> None:
    traffic = Counter("fake_bytes_total", "Bytes.", ("device",), bounds={"device": 3}, keep_highest=True)
    limits = Gauge("fake_limit_bytes", "Of a part that is read once a day.", ("device",), bounds={"device": 3})
    devices: list[str] = []
    fast = Part("net", (traffic,), lambda _: list(devices), lambda found: [traffic(1, name) for name in found])
    daily = Part("limits", (limits,), lambda _: ["eth0"], lambda found: [limits(9, name) for name in found], 86400)
    ticking = Ticking(watch(fast, daily), "web")

    def at(now: float, *present: str) -> set[str]:
        devices[:] = present
        for state in ticking.begin(now):
            ticking.answer(state, read_part(state.part, None), now)
        return {sample.labels[0] for sample in ticking.close(now)[0] if sample.family is traffic}

    start = 86400.0 * 20000
    assert at(start, "eth0", "veth1") == {"eth0", "veth1"}
    assert at(start + 10, "eth0", "veth2", "veth3") == {"eth0", "veth2", "other"}
    assert at(start + FORGET_SECONDS - 10, "eth0", "veth4") == {"eth0", "other"}
    assert at(start + FORGET_SECONDS + 100, "eth0", "veth5", "veth6", "veth7") == {"eth0", "veth5", "veth6", "other"}
    assert {key[1] for key in ticking._seen if key[0] is limits} == {("eth0",)}
    assert len(ticking._highest) == len({"eth0", "veth5", "veth6", "other"})


@pytest.mark.parametrize("fails", [False, True])
def test_a_label_that_was_there_at_every_read_is_not_forgotten_when_it_goes(fails: bool) -> None:
    traffic = Counter("fake_bytes_total", "Bytes.", ("device",), bounds={"device": 2})
    ticking = Ticking(watch(Part("net", (traffic,), lambda _: None, lambda _: ())), "web")
    state = ticking.parts[0]

    def at(now: float, *present: str) -> set[str]:
        samples = tuple(traffic(1, name) for name in present)
        ticking.answer(state, Reading(state.part, "ok", samples=samples), now)
        return {sample.labels[0] for sample in ticking.close(now)[0] if sample.family is traffic}

    last = 1e9 + FORGET_SECONDS + 100
    for now in (1e9, 1e9 + 10, last):
        assert at(now, "eth0", "eth1") == {"eth0", "eth1"}
    if fails:
        ticking.answer(state, Reading(state.part, "unreachable"), last + 10)
    for now in (last + 20, last + 200):
        assert at(now, "eth0", "veth1") == {"eth0", "other"}
    assert at(last + FORGET_SECONDS + 100, "eth0", "veth2") == {"eth0", "veth2"}


def test_one_that_is_really_called_other_keeps_its_share() -> None:
    groups = Gauge("fake_group_processes", "Processes.", ("group",), bounds={"group": 2})
    found = ["other", "a", "b", "c"]
    for order in (found, found[::-1]):
        ticking = Ticking(watch(Part("groups", (groups,), lambda _: None, lambda _: ())), "web")
        state = ticking.parts[0]
        ticking.answer(state, Reading(state.part, "ok", samples=tuple(groups(1, name) for name in order)), 1e9)
        published = [sample for sample in ticking.close(1e9)[0] if sample.family is groups]
        assert sum(sample.value for sample in published) == 4
        assert len(published) == len({sample.labels for sample in published})


def test_a_counter_that_the_kernel_lets_slip_back_keeps_its_highest() -> None:
    idle = Counter("fake_idle_seconds_total", "Idle.", keep_highest=True)
    values = [100.0, 99.99, 100.5, 100.5 - RESET_SECONDS - 1]
    script = Script(list(values))
    ticking = Ticking(watch(Part("cpu", (idle,), script.read, lambda value: [idle(value)])), "web")
    found = []
    for t in range(1000, 1040, 10):
        (state,) = ticking.begin(t)
        ticking.answer(state, read_part(state.part, None), t)
        found.append(names(ticking.close(t)[0])["fake_idle_seconds_total"])
    assert found == [100.0, 100.0, 100.5, values[3]]  # the last is a reset


def test_a_part_that_costs_too_much_is_read_more_rarely_until_it_costs_less() -> None:
    ticking = Ticking(watch(part(Script([1.0] * 1000))), "web")
    state = ticking.parts[0]

    def read(cpu: float, times: int) -> None:
        for _ in range(times):
            ticking.answer(state, Reading(state.part, "ok", "", (), cpu_seconds=cpu), 1000.0)

    read(0.6, 2)
    assert state.slowed == 1
    read(0.6, 1)
    assert (state.slowed, state.interval) == (2, 20)
    assert "costs too much to be read each 10 s: read each 20 s" in ticking.statuses(1000.0)[0].error
    read(5.0, 100)
    assert state.slowed == 16
    read(0.001, 9)
    assert state.slowed == 16
    read(0.001, 1)
    assert state.slowed == 8
    read(0.001, 30)
    assert (state.slowed, ticking.statuses(1000.0)[0].error) == (1, "")


def test_a_part_that_is_read_more_rarely_is_due_later_and_is_not_stale_before() -> None:
    played = Played(part(Script([float(n) for n in range(1000)])))
    played.tick(1000)
    played.tick(1001)
    played.state().slowed = 4
    reads = []
    for now in range(1010, 1110, 10):
        assert "fake_value" in played.tick(now)
        reads.append(played.state().reads)
    assert reads[-1] - reads[0] <= 3
