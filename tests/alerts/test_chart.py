"""The picture of a message."""

import math
from dataclasses import replace
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from alerts.message.chart import HEIGHT, WIDTH, Chart, png, svg
from tests.alerts.examples import T
from tests.golden import DATA, golden

TIMES = tuple(T + 30 * at for at in range(100) if not 20 <= at < 25)
CHART = Chart(
    "web1: /srv has 2.1% of its <space> left", "ratio", TIMES,
    tuple(round(max(0.021, 0.4 - 0.000002 * (t - T) ** 1.6), 6) for t in TIMES), T, T + 3000, 0.03, "threshold",
    ((T + 900, "Deployed 4.2"), (T + 1500, "Config & views"), (T - 900, "Long before")), T + 2500,
)  # fmt: skip


def test_golden() -> None:
    golden(DATA / "message" / "chart.svg", svg(CHART))


def test_threshold_changes_the_alert_and_the_gap_are_drawn() -> None:
    drawn = svg(CHART)
    assert "threshold 3 %" in drawn
    assert "Deployed 4.2" in drawn
    assert "Long before" not in drawn
    (line,) = [path.get("d", "") for path in ElementTree.fromstring(drawn).iter() if path.get("stroke-width")]
    assert line.count("M") == 2


def test_it_is_a_png_of_twice_the_size() -> None:
    made = png(CHART)
    assert made.startswith(b"\x89PNG\r\n\x1a\n")
    assert (int.from_bytes(made[16:20]), int.from_bytes(made[20:24])) == (2 * WIDTH, 2 * HEIGHT)
    assert made != png(replace(CHART, limit=0.2))


@given(
    st.lists(st.floats(), min_size=1, max_size=30),
    st.text(max_size=50),
    st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32),
)
def test_any_values_make_a_picture(values: list[float], title: str, limit: float | None) -> None:
    values = [value if abs(value) < 1e300 else math.nan for value in values]
    times = tuple(T + 15 * at for at in range(len(values)))
    drawn = Chart(title, "count", times, tuple(values), T, T + 600, limit, marks=((T, title),), began=T)
    ElementTree.fromstring(svg(drawn))
