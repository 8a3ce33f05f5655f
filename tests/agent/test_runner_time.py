"""When the runner ticks by itself: at once, soon again, then on the clock; and how it ends."""

import threading
import time
from collections.abc import Sequence

from agent.runner import Runner, grace, stamp_of
from collectors.model import Sample, Target
from tests.agent.fakes import NOW, SLOW, Hanging, Kept, Script, part, running, watch
from tests.lab.ports import wait_until


def stamps(sink: Kept, instance: str = "web:a") -> list[float]:
    return [t for t, _ in sink.of(instance)]


def test_a_second_read_soon_after_the_first_makes_rates_exist() -> None:
    sink, fast, hourly = Kept(), Script([1.0, 2.0]), Script()
    runner = Runner("web", sink)
    runner.set_targets([watch(part(fast, interval=30), part(hourly, "hourly", 3600, SLOW))])
    runner.start()
    wait_until(lambda: len(stamps(sink)) == 2, 10, "two ticks long before the interval is over")
    runner.stop()
    first, second = stamps(sink)
    assert 0 < second - first < 2.5
    assert [values["fake_value"] for _, values in sink.of("web:a")] == [1, 2]
    assert (fast.reads, hourly.reads) == (2, 1)


def test_who_comes_later_gets_its_two_quick_ticks_then_all_tick_together_on_the_clock() -> None:
    sink = Kept()
    runner = Runner("web", sink)
    first, second = watch(part(Script(), interval=0.5)), watch(part(Script(), interval=0.5), name="later")
    runner.set_targets([first])
    runner.start()
    wait_until(lambda: len(stamps(sink)) >= 2, 10, "the first one ticks")
    runner.set_targets([first, second])
    wait_until(lambda: len(stamps(sink, "web:later")) >= 4, 10, "the other one ticks")
    runner.stop()
    assert set(stamps(sink)) & set(stamps(sink, "web:later"))
    # At such an interval a second tick comes before the quick one, which is then left out.
    assert all(t == stamp_of(t, 0.5) for instance in ("web:a", "web:later") for t in stamps(sink, instance)[1:])


def test_a_tick_belongs_to_the_last_multiple_of_its_interval() -> None:
    assert [stamp_of(t, 10) for t in (1000.0, 1009.9, 1010.004)] == [1000, 1000, 1010]
    assert stamp_of(1009.999, 10) == 1010  # a timer may be a millisecond early


def test_a_tick_waits_half_its_interval_and_two_seconds_at_most() -> None:
    assert [grace(interval) for interval in (1, 3, 10, 3600)] == [0.5, 1.5, 2, 2]


def test_an_interval_that_no_target_has_any_more_does_no_harm() -> None:
    sink = Kept()
    runner = Runner("web", sink)
    gone, stays = watch(part(Script(), interval=0.25), name="gone"), watch(part(Script(), interval=0.5))
    runner.set_targets([gone, stays])
    runner.start()
    wait_until(lambda: len(stamps(sink)) > 2 and len(stamps(sink, "web:gone")) > 2, 10, "both tick")
    runner.set_targets([stays])
    count, ended = len(stamps(sink)), len(stamps(sink, "web:gone"))
    wait_until(lambda: len(stamps(sink)) >= count + 3, 10, "who stays goes on")
    runner.stop()
    assert len(stamps(sink, "web:gone")) == ended


class Blocked(Kept):
    """The first append after `block` waits until `go`."""

    def __init__(self) -> None:
        super().__init__()
        self.block, self.blocked, self.go = threading.Event(), threading.Event(), threading.Event()

    def append(self, target: Target, t: float, samples: Sequence[Sample]) -> None:
        if self.block.is_set() and target.job == "fake":
            self.blocked.set()
            self.go.wait(30)
        super().append(target, t, samples)


def test_a_tick_that_takes_longer_than_its_interval_is_followed_by_one_and_not_by_all_that_were_missed() -> None:
    sink = Blocked()
    runner = Runner("web", sink)
    runner.set_targets([watch(part(Script(), interval=0.25))])
    runner.start()
    wait_until(lambda: len(stamps(sink)) > 3, 10, "it ticks")
    sink.block.set()
    assert sink.blocked.wait(60)
    at = time.time()
    wait_until(lambda: time.time() > at + 1, 10, "four intervals are over")
    sink.block.clear()
    count = len(stamps(sink))
    sink.go.set()
    over = time.time()
    wait_until(lambda: len(stamps(sink)) > count + 3, 10, "it goes on")
    runner.stop()
    missed = [t for t in stamps(sink)[count:] if at < t < over - 0.25]
    assert len(missed) <= 1  # the one that had begun


def test_stop_ends_at_once_whatever_hangs() -> None:
    hanging = Hanging()
    runner = Runner("web", Kept())
    runner.set_targets([watch(part(Script([hanging])))])
    runner.start()
    assert hanging.entered.wait(60)
    stopping = threading.Thread(target=runner.stop)
    stopping.start()
    stopping.join(1)
    assert not stopping.is_alive()
    wait_until(lambda: not ticking(), 1, "no tick waits for the read any more")
    hanging.let_go()


def ticking() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name == "first-ticks"}


def test_a_clock_that_is_set_back_stops_nothing_and_repeats_no_stamp() -> None:
    script = Script([1.0, 2.0, 3.0, 4.0, 5.0])
    with running(watch(part(script))) as run:
        for _ in range(3):
            run.tick()
        for seconds in (-3600, 10):
            run.tick(seconds)
        assert run.own("fake_value") == 5  # the page goes on
        past = [NOW + 30 - 3600, NOW + 40 - 3600]  # history says whether it takes them
        assert [t for t, _ in run.kept.of("web:a")] == [NOW + 10, NOW + 20, NOW + 30, *past]


def test_a_read_that_hangs_while_the_clock_is_set_back_still_ends() -> None:
    hanging = Hanging()
    with running(watch(part(Script([1.0, hanging]), interval=1))) as run:
        for seconds in (1, 1, -3600, 1, 1):
            run.tick(seconds)
        assert run.own("fake_value") is None
        hanging.let_go()


def test_the_timer_follows_a_clock_that_is_set_back() -> None:
    ahead = 3600.0
    sink, script = Kept(), Script()
    runner = Runner("web", sink, clock=lambda: time.time() + ahead)
    watches = [watch(part(script, interval=0.25))]
    runner.set_targets(watches)
    runner.start()
    wait_until(lambda: len(stamps(sink)) == 2, 10, "the two quick ticks")
    ahead = 0.0
    reads = script.reads
    runner.set_targets(watches)  # as discovery does every minute
    wait_until(lambda: script.reads >= reads + 2, 10, "it ticks now, and not in an hour")
    runner.stop()
