"""The file of unit tests, refused with the exact place of what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from yaml import Node

from alerts.expression import check_expression
from alerts.reserved import PREFIX
from alerts.rulefile import RuleFileError, read, texts
from alerts.ruletest.notation import NotSeries, Value, series, values
from alerts.strict_yaml import Read, Wrong, duration, each, mapping, show, text
from history import numbers
from history.model import Labels

INTERVAL = 60.0  # seconds, promtool's
MOST_EVALUATIONS = 100_000


@dataclass(frozen=True)
class Expected:
    labels: Labels
    annotations: Labels


@dataclass(frozen=True)
class AlertTest:
    at: float  # seconds after the start
    name: str
    alerts: tuple[Expected, ...] = ()


@dataclass(frozen=True)
class ExprTest:
    at: float  # seconds after the start
    expr: str
    samples: tuple[tuple[Labels, float], ...] = ()


@dataclass(frozen=True)
class Test:
    name: str = ""
    interval: float = 0.0  # seconds
    input: tuple[tuple[Labels, tuple[Value, ...]], ...] = ()
    alerts: tuple[AlertTest, ...] = ()
    exprs: tuple[ExprTest, ...] = ()
    external_labels: Labels = field(default_factory=dict)
    external_url: str = ""
    start: float = 0.0  # Unix seconds

    @property
    def end(self) -> float:
        """Seconds after the start of what is asked last."""
        return max([0.0, *(each.at for each in self.alerts), *(each.at for each in self.exprs)])


@dataclass(frozen=True)
class File:
    path: Path
    rule_files: tuple[Path, ...]
    interval: float  # seconds
    tests: tuple[Test, ...]
    order: tuple[str, ...] = ()
    """Of groups by their names."""
    fuzzy: bool = False


def load(path: Path) -> File:
    """RuleFileError for the first thing that is wrong."""
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleFileError(str(path), 0, "file", str(error), "a readable test file") from error
    keys = read(content, str(path), FILE)
    found = [match for name in keys.get("rule_files", ()) for match in _files(path.parent, name)]
    interval = keys.get("evaluation_interval", 0.0) or INTERVAL
    tests = tuple(keys.get("tests", ()))
    for test in tests:
        if test.end / interval > MOST_EVALUATIONS:
            what = f"{test.end / interval:,.0f} evaluations"
            raise RuleFileError(str(path), 1, "evaluation_interval", what, f"at most {MOST_EVALUATIONS:,}")
    return File(
        path, tuple(found), interval, tests, tuple(keys.get("group_eval_order", ())), keys.get("fuzzy_compare", False)
    )


def _files(folder: Path, name: str) -> list[Path]:
    """Those that a pattern names; a name without any is itself, to be reported as missing."""
    given = Path(name)
    place = Path(given.anchor) if given.is_absolute() else folder
    pattern = str(given.relative_to(given.anchor)) if given.is_absolute() else name
    try:
        return sorted(place.glob(pattern)) or [place / pattern]
    except (ValueError, NotImplementedError):
        return [place / pattern]


def _series(node: Node, key: str) -> tuple[Labels, tuple[Value, ...]]:
    keys = mapping(node, key, {"series": _labels, "values": _values})
    if not keys.get("series"):
        raise Wrong(node, "series", "no series", "its name and labels")
    return keys["series"], keys.get("values", ())


def _labels(node: Node, key: str) -> Labels:
    try:
        labels, rest = series(text(node, key))
    except NotSeries as error:
        raise Wrong(node, key, str(error), 'a series such as up{job="a"}') from error
    if rest:
        raise Wrong(node, key, repr(rest), "nothing after the labels")
    return labels


def _values(node: Node, key: str) -> tuple[Value, ...]:
    try:
        return tuple(values(text(node, key)))
    except NotSeries as error:
        raise Wrong(node, key, str(error), "values such as 1+2x3 _ stale") from error


def _expected(node: Node, key: str) -> Expected:
    keys = mapping(node, key, {"exp_labels": texts, "exp_annotations": texts})
    annotations: Mapping[str, str] = keys.get("exp_annotations", {})
    return Expected(
        {name: value for name, value in keys.get("exp_labels", {}).items() if value},
        {name: value for name, value in annotations.items() if value and not name.startswith(PREFIX)},
    )


def _alert_test(node: Node, key: str) -> AlertTest:
    keys = mapping(node, key, {"eval_time": duration, "alertname": text, "exp_alerts": each(_expected)})
    if not keys.get("alertname"):
        raise Wrong(node, "alertname", "no name", "the alert's name")
    return AlertTest(keys.get("eval_time", 0.0), keys["alertname"], tuple(keys.get("exp_alerts", ())))


def _sample(node: Node, key: str) -> tuple[Labels, float]:
    keys = mapping(node, key, {"labels": _sample_labels, "value": _number, "histogram": _no_histogram})
    return keys.get("labels", {}), keys.get("value", 0.0)


def _sample_labels(node: Node, key: str) -> Labels:
    return _labels(node, key) if text(node, key).strip() not in ("", "{}") else {}


def _no_histogram(node: Node, key: str) -> None:
    raise Wrong(node, key, "a native histogram", "a value: native histograms are not supported")


def _number(node: Node, key: str) -> float:
    try:
        return float(text(node, key).replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError as error:
        raise Wrong(node, key, show(node), "a number") from error


def _expr_test(node: Node, key: str) -> ExprTest:
    keys = mapping(node, key, {"expr": text, "eval_time": duration, "exp_samples": each(_sample)})
    if problem := check_expression(keys.get("expr", "")):
        raise Wrong(node, "expr", problem, "a PromQL expression")
    return ExprTest(keys.get("eval_time", 0.0), keys["expr"], tuple(keys.get("exp_samples", ())))


def _time(node: Node, key: str) -> float:
    try:
        return numbers.time(text(node, key))
    except ValueError as error:
        raise Wrong(node, key, show(node), "Unix seconds or a time such as 2026-01-31T00:00:00Z") from error


def _test(node: Node, key: str) -> Test:
    keys = mapping(node, key, TEST)
    return Test(
        name=keys.get("name", ""),
        interval=keys.get("interval", 0.0),
        input=tuple(keys.get("input_series", ())),
        alerts=tuple(keys.get("alert_rule_test", ())),
        exprs=tuple(keys.get("promql_expr_test", ())),
        external_labels=keys.get("external_labels", {}),
        external_url=keys.get("external_url", ""),
        start=keys.get("start_timestamp", 0.0),
    )


def _bool(node: Node, key: str) -> bool:
    if text(node, key) not in ("true", "false"):
        raise Wrong(node, key, show(node), "true or false")
    return text(node, key) == "true"


TEST: dict[str, Read] = {
    "name": text,
    "interval": duration,
    "input_series": each(_series),
    "alert_rule_test": each(_alert_test),
    "promql_expr_test": each(_expr_test),
    "external_labels": texts,
    "external_url": text,
    "start_timestamp": _time,
}
FILE: dict[str, Read] = {
    "rule_files": each(text),
    "evaluation_interval": duration,
    "group_eval_order": each(text),
    "fuzzy_compare": _bool,
    "tests": each(_test),
}
