"""Spans of time as the address has them, and at which times a chart is asked."""

import pytest

from dashboard.moments import Zone, ago, iso, span
from dashboard.timerange import MOST_TIMES, PRESETS, RangeError, axis, grid, parse, usual

NOW = 1_790_000_003.0  # 2026-09-21 14:13:23 UTC
PARIS = Zone(7200, "CEST")


@pytest.mark.parametrize(
    ("from_", "to", "start", "end", "live"),
    [
        ("", "", NOW - 10800, NOW, True),
        ("now-90s", "now", NOW - 90, NOW, True),
        ("now-1d", "now-1h30m", NOW - 86400, NOW - 5400, False),
        ("1789990000", "1789993600.5", 1789990000, 1789993600.5, False),
        ("2026-09-21T10:00:00Z", "2026-09-21T12:00:00+01:00", 1789984800, 1789988400, False),
        ("2026-09-21T12:00", "2026-09-21 13:30", 1789984800, 1789990200, False),  # the page's zone
        ("2026-09-21", "now", 1789941600, NOW, True),
        ("2026-09-21", "2026-09-22", 1789941600, NOW, False),
        ("now-10s", "9999999999", NOW - 10, NOW + 50, False),
    ],
)
def test_a_span_is_read(from_: str, to: str, start: float, end: float, live: bool) -> None:
    found = parse(from_, to, NOW, PARIS)
    assert (found.start, found.end, found.live) == (start, end, live)


@pytest.mark.parametrize(
    ("from_", "to", "words"),
    [
        ("banana", "now", "from=banana is no time, expected now, now-3h, 2026-11-22T03:02"),
        ("now-3h", "later", "to=later is no time"),
        ("now-3x", "now", "from=now-3x: expected now- and a duration such as 90s, 15m, 3h, 7d or 2w"),
        ("now", "now-1h", "from=now is not before to=now-1h"),
        ("now-30s", "now", "from=now-30s to=now is 30 s long, expected at least 60 s"),
        ("now-401d", "now", "longer than 400 days"),
        ("1800000000", "1800010000", "is in the future"),
        ("nan", "now", "from=nan is no time"),
        ("now-1e300", "now", "from=now-1e300"),
        ("9" * 40, "9" * 41, "from=9999"),
    ],
)
def test_a_wrong_span_is_refused_with_what_was_found_and_expected(from_: str, to: str, words: str) -> None:
    with pytest.raises(RangeError, match=r"^(from|to)=") as refused:
        parse(from_, to, NOW, PARIS)
    assert words in str(refused.value)


def test_a_span_made_absolute_is_the_same_span() -> None:
    found = parse("now-1h", "now", NOW, PARIS)
    again = parse(found.absolute["from"], found.absolute["to"], NOW + 86400, PARIS)
    assert (again.start, again.end, again.live) == (found.start, found.end, False)


@pytest.mark.parametrize("preset", [from_ for _, from_ in PRESETS])
@pytest.mark.parametrize("columns", [60, 240, 800])
@pytest.mark.parametrize("interval", [1.0, 10.0, 60.0])
def test_a_grid_covers_the_span_with_at_most_a_point_a_column(preset: str, columns: int, interval: float) -> None:
    shown = parse(preset, "now", NOW, PARIS)
    found = grid(shown, columns, interval)
    points = found.count if found.group == 1 else -(-found.count // found.group) * 2
    assert points <= columns + 4
    assert found.count <= MOST_TIMES + found.group + 1
    assert found.start <= shown.start < found.start + found.step * found.group
    assert shown.end - found.step < found.end <= shown.end
    assert found.step % interval == 0
    assert found.start % found.step == 0


def test_points_stay_where_they_are_while_the_window_moves() -> None:
    first = grid(parse("now-3h", "now", NOW, PARIS), 240, 10)
    later = grid(parse("now-3h", "now", NOW + 130, PARIS), 240, 10)
    assert (later.step, later.group) == (first.step, first.group)
    assert (later.start - first.start) % (first.step * first.group) == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3600, ["15:30", "15:45", "16:00"]),
        (10800, ["14:00", "15:00", "16:00"]),
        (86400, ["18:00", "00:00", "06:00", "12:00"]),
        (7 * 86400, ["09-16", "09-18", "09-20"]),
    ],
)
def test_the_time_axis_has_round_times_of_the_zone(seconds: float, words: list[str]) -> None:
    assert [text for _, text in axis(NOW - seconds, NOW, PARIS)] == words


def test_times_in_words() -> None:
    assert (PARIS.hour(NOW), PARIS.full(NOW), iso(NOW)) == ("16:13", "2026-09-21 16:13:23", "2026-09-21T14:13:23Z")
    assert (PARIS.short(NOW, NOW), PARIS.short(NOW - 86400, NOW)) == ("16:13", "09-20 16:13")
    assert [Zone(*zone).label for zone in ((0, "UTC"), (7200, "CEST"), (-12600, "-0330"))] == [
        "UTC", "UTC+2 CEST", "UTC-3:30",
    ]  # fmt: skip
    spans = (0.2, 4, 61, 3600, 3960, 90000, 12 * 86400 + 7200)
    assert [span(seconds) for seconds in spans] == ["0 s", "4 s", "1 min", "1 h", "1 h 6 min", "1 d 1 h", "12 d"]
    assert (ago(0.4), ago(240)) == ("now", "4 min ago")


def test_a_young_history_is_not_shown_as_mostly_empty() -> None:
    assert [usual(seconds) for seconds in (0, 899, 900, 3599, 3600, 1e6)] == [
        "now-15m", "now-15m", "now-1h", "now-1h", "now-3h", "now-3h",
    ]  # fmt: skip
