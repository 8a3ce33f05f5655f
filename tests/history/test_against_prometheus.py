"""The same samples in our store and in Debian's Prometheus: the same answers.

That is 2.42, whose ranges are closed at both ends: so we answer as Prometheus 2 does.
"""

import json
import math
import random
from collections.abc import Iterator
from typing import Any

import pytest

from collectors.model import Gauge, Sample, Target
from history import answer
from history.database import open_database
from history.embedded import Embedded
from history.model import QueryError
from history.numbers import number
from history.store import Store
from tests.history.expressions import CLOSE, EXPRESSIONS
from tests.lab import prometheus
from tests.lab.prometheus import Prometheus

pytestmark = pytest.mark.servers

START = 1_700_000_040  # Unix seconds, on a minute
TICKS = 720
COUNTER = Gauge("requests_total", "", ("code", "path"))
NOISE = Gauge("load", "", ("cpu",))
STEPS = Gauge("queue_length", "", ("cpu",))
BUCKET = Gauge("took_seconds_bucket", "", ("le", "path"))
OWNER = Gauge("owner_info", "", ("team",))
TARGETS = [Target("web", f"h{n}:80", f"h{n}") for n in range(3)]
PATHS = ("/", "/cart", "/user")
BOUNDS = ("0.1", "0.5", "1", "+Inf")


def ticks() -> Iterator[tuple[Target, float, list[Sample]]]:
    dice = random.Random(20)
    counters: dict[tuple[str, str, str], float] = {}
    for tick in range(TICKS):
        for at, target in enumerate(TARGETS):
            if at == 1 and 300 <= tick < 400:
                continue  # nobody looked: longer than the lookback
            samples = [OWNER(1, f"team{at % 2}")]
            for code in ("200", "500"):
                for path in PATHS:
                    key = (target.host, code, path)
                    counters[key] = counters.get(key, 5e6) + dice.randrange(0, 40)
                    if dice.random() < 0.003:
                        counters[key] = float(dice.randrange(3))
                    samples.append(COUNTER(counters[key], code, path))
            for cpu in range(2 if tick < 200 else 4):  # some begin late
                samples.append(NOISE(dice.random(), str(cpu)))
                samples.append(STEPS(float((tick // 7 + cpu) % 9), str(cpu)))
            for path in PATHS:
                total = 0.0
                for bound in BOUNDS:
                    key = (target.host, bound, path)
                    counters[key] = counters.get(key, 1e5) + dice.randrange(0, 9)
                    total += counters[key]
                    samples.append(BUCKET(total, bound, path))
            yield target, float(START + 10 * tick), samples


def openmetrics() -> str:
    """By series, as promtool wants the samples of one metric together."""
    lines: dict[str, list[str]] = {}
    for target, t, samples in ticks():
        for sample in samples:
            labels = {**dict(zip(sample.family.labels, sample.labels, strict=True)), **target.labels}
            text = ",".join(f'{name}="{value}"' for name, value in labels.items())
            lines.setdefault(sample.family.name, []).append(f"{sample.family.name}{{{text}}} {sample.value!r} {t:.3f}")
    return "\n".join(line for each in lines.values() for line in each) + "\n# EOF\n"


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    engine = open_database(tmp_path_factory.mktemp("ours"))
    Store(engine).append_many(ticks())
    yield Embedded(Store(engine), promql_2x=True)
    engine.dispose()


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Prometheus(tmp_path_factory.mktemp("theirs"), openmetrics=openmetrics()) as running:
        yield running.url


def ask(url: str, path: str, **parameters: Any) -> dict[str, Any]:
    found: dict[str, Any] = prometheus.ask(url, path, **parameters)[1]
    return found


def table(lines: list[dict[str, Any]]) -> dict[tuple[tuple[str, str], ...], dict[float, str]]:
    return {
        tuple(sorted(line["metric"].items())): {float(t): value for t, value in line.get("values") or [line["value"]]}
        for line in lines
    }


def close(wanted: str, found: str, tolerance: float) -> bool:
    a, b = float(wanted), float(found)
    return (math.isnan(a) and math.isnan(b)) or a == b or math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-15)


def assert_same(wanted: dict[str, Any], found: dict[str, Any], expr: str = "") -> None:
    assert wanted["status"] == "success", wanted
    assert found["data"]["resultType"] == wanted["data"]["resultType"]
    if wanted["data"]["resultType"] == "scalar":
        assert found == wanted
        return
    tolerance = 1e-9 if any(name in expr for name in CLOSE) else 1e-12
    theirs, ours = table(wanted["data"]["result"]), table(found["data"]["result"])
    assert set(ours) == set(theirs)
    for labels, values in theirs.items():
        assert list(ours[labels]) == list(values), labels
        found_here = ours[labels]
        wrong = {t: (v, found_here[t]) for t, v in values.items() if not close(v, found_here[t], tolerance)}
        assert wrong == {}, labels
        assert all(number(float(value)) == value for value in values.values())


@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_a_range(ours: Embedded, theirs: str, expr: str) -> None:
    start, end = START - 120, START + 10 * TICKS + 420
    wanted = ask(theirs, "query_range", query=expr, start=start, end=end, step=60)
    found = json.loads(json.dumps(answer.result(ours.query_range(expr, start, end, 60.0))))
    # 2.42 gives `@ end()` the range's end as asked, ours the last step; here they are the same.
    assert (end - start) % 60 == 0
    assert_same(wanted, found, expr)


@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_an_instant(ours: Embedded, theirs: str, expr: str) -> None:
    at = START + 5000
    wanted = ask(theirs, "query", query=expr, time=at)
    assert_same(wanted, json.loads(json.dumps(answer.result(ours.query(expr, at)))), expr)


def test_there_are_many_of_them() -> None:
    assert len(EXPRESSIONS) >= 500


@pytest.mark.parametrize("expr", ["sort_desc(load)", "topk(3, load)", "sort(load)", "bottomk(3, load)"])
def test_the_order_of_an_instant(ours: Embedded, theirs: str, expr: str) -> None:
    at = START + 5000
    wanted = ask(theirs, "query", query=expr, time=at)
    found = json.loads(json.dumps(answer.result(ours.query(expr, at))))
    assert [point["metric"] for point in found["data"]["result"]] == [
        point["metric"] for point in wanted["data"]["result"]
    ]


@pytest.mark.parametrize("expr", ["load{cpu='0'}[1m]", "'text'", "1 + 1"])
def test_other_types_of_result(ours: Embedded, theirs: str, expr: str) -> None:
    at = START + 5000
    wanted = ask(theirs, "query", query=expr, time=at)
    found = json.loads(json.dumps(answer.result(ours.query(expr, at))))
    for each in (wanted, found):
        if each["data"]["resultType"] == "matrix":
            each["data"]["result"].sort(key=lambda line: sorted(line["metric"].items()))
    assert found == wanted


@pytest.mark.parametrize(
    "expr",
    [
        "load +",
        "load{",
        "{}",
        "rate(load)",
        "load * on(host) queue_length",
        "load * on(host) owner_info",
        "sum(load[1m])",
    ],
)
def test_refusals_are_of_the_same_type(ours: Embedded, theirs: str, expr: str) -> None:
    wanted = ask(theirs, "query", query=expr, time=START + 5000)
    with pytest.raises(QueryError) as caught:
        ours.query(expr, START + 5000)
    found = answer.failure(caught.value)
    assert (found["status"], found["errorType"]) == (wanted["status"], wanted["errorType"])


@pytest.mark.parametrize("matchers", [[], ['load{host="h1"}'], ['{cpu="3"}', "owner_info"], ["nothing"]])
def test_what_there_is(ours: Embedded, theirs: str, matchers: list[str]) -> None:
    start, end = START, START + 10 * TICKS
    asked = {"start": start, "end": end, **({"match[]": matchers} if matchers else {})}
    if matchers:
        series = ask(theirs, "series", **asked)["data"]
        key = lambda labels: sorted(labels.items())  # noqa: E731
        assert sorted(ours.series(matchers, start, end), key=key) == sorted(series, key=key)
    assert ours.label_names(matchers, start, end) == ask(theirs, "labels", **asked)["data"]
    for name in ("host", "cpu", "__name__"):
        assert ours.label_values(name, matchers, start, end) == ask(theirs, f"label/{name}/values", **asked)["data"]
