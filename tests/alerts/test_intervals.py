from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from alerts.path.intervals import TimeInterval, contains


def interval(**span: Any) -> TimeInterval:
    return TimeInterval.model_validate({"name": "x", "time_intervals": [span]})


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(("span", "inside", "outside"), [
    ({"times": [{"start_time": "08:00", "end_time": "17:30"}]}, "2026-03-02T08:00", "2026-03-02T17:30"),
    ({"times": [{"start_time": "22:00", "end_time": "24:00"}]}, "2026-03-02T23:59", "2026-03-02T00:00"),
    ({"weekdays": ["monday:friday"]}, "2026-03-02", "2026-03-01"),
    ({"weekdays": ["Sunday", "saturday"]}, "2026-03-01", "2026-03-02"),
    ({"days_of_month": ["1:5"]}, "2026-03-05", "2026-03-06"),
    ({"days_of_month": ["-1"]}, "2028-02-29", "2028-02-28"),
    ({"days_of_month": ["20:-3"]}, "2026-03-29", "2026-03-30"),
    ({"months": ["may:august", "12"]}, "2026-12-01", "2026-04-30"),
    ({"years": ["2026:2027"]}, "2027-12-31", "2028-01-01"),
    ({"location": "Europe/Berlin", "times": [{"start_time": "00:00", "end_time": "01:00"}]}, "2026-03-02T23:30",
     "2026-03-02T00:30"),
    ({"weekdays": ["monday"], "months": ["march"]}, "2026-03-02", "2026-04-06T00:01:00"[:10].replace("06", "07")),
])  # fmt: skip
@pytest.mark.a3("Routing", "Time intervals are Alertmanager's: times, weekdays, days, months, years, time zone.")
def test_contains(span: dict[str, Any], inside: str, outside: str) -> None:
    assert contains(interval(**span), at(inside))
    assert not contains(interval(**span), at(outside))


def test_any_of_its_spans() -> None:
    both = TimeInterval.model_validate({
        "name": "x", "time_intervals": [{"weekdays": ["sunday"]}, {"months": ["may"]}],
    })  # fmt: skip
    assert contains(both, at("2026-03-01"))
    assert contains(both, at("2026-05-05"))
    assert not contains(both, at("2026-03-02"))
    assert contains(interval(location="Local"), at("2026-03-02"))


@pytest.mark.parametrize("span", [
    {"times": [{"start_time": "8:00", "end_time": "17:00"}]}, {"times": [{"start_time": "08:00", "end_time": "24:01"}]},
    {"weekdays": ["friday:monday"]}, {"weekdays": ["someday"]}, {"days_of_month": ["0"]}, {"days_of_month": ["-1:5"]},
    {"days_of_month": ["32"]}, {"months": ["13"]}, {"years": ["2027:2026"]}, {"location": "Mars/Base"},
])  # fmt: skip
def test_refused(span: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        interval(**span)
