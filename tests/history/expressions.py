"""Expressions for the comparison with a real Prometheus: a list by hand, and every function and operator combined."""

from collections.abc import Iterator
from pathlib import Path

BY_HAND = Path(__file__).with_name("expressions.txt").read_text().splitlines()

OVER_TIME = (
    "avg_over_time", "changes", "count_over_time", "delta", "deriv", "idelta", "increase", "irate", "last_over_time",
    "max_over_time", "min_over_time", "present_over_time", "rate", "resets", "stddev_over_time", "stdvar_over_time",
    "sum_over_time",
)  # fmt: skip
ELEMENTWISE = (
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "deg", "exp", "floor", "ln",
    "log10", "log2", "rad", "round", "sgn", "sin", "sinh", "sqrt", "tan", "tanh",
)  # fmt: skip
DATES = ("day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year")
AGGREGATES = ("avg", "count", "group", "max", "min", "stddev", "stdvar", "sum")
ARITHMETIC = ("+", "-", "*", "/", "%", "^", "atan2")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")

CLOSE = ("stddev", "stdvar", "deriv", "predict_linear", "sum", "avg", "^", "sinh", "cosh", "tan", "quantile")
"""What these are part of may differ in the order of summation, or in the last digits of a library's function."""


def made() -> Iterator[str]:
    for name in OVER_TIME:
        for selector in ("requests_total", "load", "queue_length", 'took_seconds_bucket{path="/"}'):
            for span in ("1m", "7m", "1h"):
                yield f"{name}({selector}[{span}])"
        yield f"sum by (host) ({name}(requests_total[5m]))"
        yield f"{name}(load[5m] offset 2m)"
        yield f"{name}(load[10m:1m])"
    for name in ELEMENTWISE:
        yield f"{name}(load)"
        yield f"{name}(queue_length / 4 - 1)"
    for name in DATES:
        yield f"{name}(vector(time()))"
        yield f"{name}(requests_total)"
    for name in AGGREGATES:
        for by in ("", "by (host) ", "without (host) ", "by (code, path) "):
            yield f"{name} {by}(rate(requests_total[5m]))"
        yield f"{name} by (cpu) (load)"
        yield f"{name}(queue_length)"
    for op in ARITHMETIC:
        yield f"load {op} 3"
        yield f"3 {op} load"
        yield f"load {op} queue_length"
        yield f"load {op} ignoring(cpu) group_left() max without (cpu) (queue_length)"
        yield f"sum by (host) (load) {op} on(host) sum by (host) (queue_length)"
        yield f"5 {op} 3"
    for op in COMPARISONS:
        for boolean in ("", "bool "):
            yield f"queue_length {op} {boolean}4"
            yield f"4 {op} {boolean}queue_length"
            yield f"load * 9 {op} {boolean}queue_length"
        yield f"5 {op} bool 3"
    for op in ("and", "or", "unless"):
        yield f"load {op} queue_length"
        yield f"load {op} on(host) owner_info"
        yield f"load > 0.5 {op} ignoring(cpu) owner_info"
    for k in ("0", "1", "3", "100"):
        yield f"topk({k}, load)"
        yield f"bottomk by (host) ({k}, load)"
    for q in ("-1", "0", "0.1", "0.5", "0.95", "1", "2"):
        yield f"quantile({q}, load)"
        yield f"quantile by (host) ({q}, queue_length)"
        yield f"quantile_over_time({q}, load[10m])"
        yield f"histogram_quantile({q}, rate(took_seconds_bucket[5m]))"
        yield f"histogram_quantile({q}, sum by (le) (rate(took_seconds_bucket[5m])))"
    for seconds in ("0", "600", "-600"):
        yield f"predict_linear(requests_total[10m], {seconds})"
        yield f"predict_linear(load[1h], {seconds})"


EXPRESSIONS = list(dict.fromkeys([*BY_HAND, *made()]))
