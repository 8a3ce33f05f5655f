"""The time of a cycle of the alert engine: 500 rules over 5,000 series, with nothing firing and with much firing."""

import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from alerts.desk import TABLES
from alerts.evaluator import Evaluator
from alerts.model import Group, Rule
from alerts.notifier import Channel
from alerts.notifiers import webhook
from alerts.path.plan import at_once
from bench.figures import Figure, quantile
from collectors.model import Gauge, Sample, Target
from history.database import make_tables, open_database
from history.embedded import Embedded
from history.events import Events
from history.local import Local
from history.store import Store
from tests.lab.lab import Lab

TITLE = "rules"
INTERVAL = 15
METRICS, HOSTS, PARTS = 200, 5, 5
RULES = 500
FIRING_RULES = 108
"""Each of them has an alert for each series of its metric: 2,700 in all."""
FAMILIES = [Gauge(f"metric{number}", "", ("part",)) for number in range(METRICS)]
SHAPES = (
    "metric{0} > 1e12",
    "sum by (host) (rate(metric{0}[5m])) > 1e12",
    "max_over_time(metric{0}[10m]) > 1e12",
    "avg by (host) (metric{0}) > on (host) sum by (host) (metric{1}) + 1e12",
)
TEXTS = {
    "summary": "{{ $labels.host }}: part {{ $labels.part }} is at {{ $value | humanize }}",
    "description": "{{ if gt $value 10.0 }}much{{ else }}little{{ end }} of {{ $labels.job }}",
}


def measure(_lab: Lab, quick: bool) -> Iterable[Figure]:
    times = 5 if quick else 15
    yield from _figures("nothing fires", 0, times)
    yield from _figures("2,700 alerts fire", FIRING_RULES, times)


def _figures(name: str, firing: int, times: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="raingauge-bench-") as folder:
        engine = open_database(Path(folder))
        make_tables(engine, TABLES)
        store = Store(engine)
        now = time.time() // INTERVAL * INTERVAL - 3600
        for tick in range(60):
            _scrape(store, now - (60 - tick) * INTERVAL, tick)
        channel = Channel("bench", webhook.NOTIFIER, webhook.Webhook.model_validate({"url": "http://127.0.0.1:1/"}))
        evaluator = Evaluator(
            Embedded(store),
            engine,
            [group(firing)],
            channels=[channel],
            plan=at_once(["bench"]),
            sink=Local(store, Events(engine)),
        )
        took, work = [], []
        for cycle in range(times + 3):
            now += INTERVAL
            _scrape(store, now, 60 + cycle)
            began, worked = time.perf_counter(), time.thread_time()
            evaluator.evaluate(now)
            took.append((time.perf_counter() - began) * 1000)
            work.append((time.thread_time() - worked) * 1000)
        errors = [health.last_error for health in evaluator.health() if health.health != "ok"]
        alerts = sum(alert.state == "firing" for alert in evaluator.alerts())
        engine.dispose()
    if errors or alerts != firing * HOSTS * PARTS:
        raise AssertionError(f"expected {firing * HOSTS * PARTS} alerts, found {alerts}; errors: {errors[:3]}")
    series = f"{RULES} rules in one group over {METRICS * HOSTS * PARTS:,} series of {HOSTS} targets"
    how = f"{series}: query, step, save, route, store what rules made; median of {times} cycles after the first three"
    yield Figure(f"a cycle, {name}", quantile(took[3:], 0.5), "ms", how)
    yield Figure(
        f"   of it on a processor, {name}", quantile(work[3:], 0.5), "ms", "the rest waits for disk and others"
    )
    yield Figure(f"   the slowest, {name}", max(took[3:]), "ms", "of the same cycles")
    yield Figure(
        f"   the first, on a processor, {name}",
        work[0],
        "ms",
        "when all of them begin" if firing else "nothing is parsed yet",
    )


def group(firing: int) -> Group:
    return Group("bench", "bench.yml", INTERVAL, tuple(_rules(firing)))


def _rules(firing: int) -> Iterator[Rule]:
    """Every fifth records; the first alerting ones fire."""
    for number in range(RULES):
        at = number % METRICS
        if number % 5 == 0:
            yield Rule(f"avg by (host) (metric{at})", record=f"metric{at}:mean{number}")
            continue
        fires = number - number // 5 <= firing
        expr = f"metric{at} >= 0" if fires else SHAPES[number % 4].format(at, (at + 1) % METRICS)
        yield Rule(expr, f"Rule{number}", labels={"severity": "warning"}, annotations=TEXTS)


def _scrape(store: Store, at: float, tick: int) -> None:
    samples: list[Sample] = [
        family(tick * number + part, str(part)) for number, family in enumerate(FAMILIES) for part in range(PARTS)
    ]
    store.append_many((Target("node", f"host{n}", f"host{n}"), at, samples) for n in range(HOSTS))
