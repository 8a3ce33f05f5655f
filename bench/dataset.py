"""A day of a small fleet, made from a seed: what sizes and query times are compared on.

1,000 series of four targets, shaped like node and application exporters: 100 CPU counters in hundredths of a second,
200 integer counters, 200 histogram buckets, 60 idle counters, 290 constants, 110 gauges of integers or two decimals
with noise, 40 gauges of full precision. Stamps jitter by up to 60 ms, a scrape is late now and then, counters reset,
and each target is away once for ten minutes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.model import Family, Target

INTERVAL = 15_000  # ms
TARGETS = 4
HANDLERS = 5  # a target
BOUNDS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "+Inf")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Made:
    """One target's series over the whole time. At the stamps of `away` it gave no answer."""

    target: Target
    names: tuple[tuple[Family, tuple[str, ...]], ...]
    stamps: NDArray[np.int64]  # ms
    values: Floats  # [series x stamps]
    away: NDArray[np.bool_]


def fleet(start: int, hours: float, seed: int = 7, targets: int = TARGETS) -> list[Made]:
    """`start` in ms. Targets have 250 series each."""
    dice = np.random.default_rng(seed)
    return [_target(dice, number, start, int(hours * 3_600_000 / INTERVAL)) for number in range(targets)]


def _target(dice: np.random.Generator, number: int, start: int, scrapes: int) -> Made:
    named = list(_series(dice, number, scrapes))
    late = np.where(dice.random(scrapes) < 0.002, dice.integers(500, 5000, scrapes), 0)
    stamps = start + number * 1000 + np.arange(scrapes) * INTERVAL + dice.integers(0, 61, scrapes) + late
    away = np.zeros(scrapes, dtype=bool)
    if scrapes > 200:
        begin = int(dice.integers(100, scrapes - 50))
        away[begin : begin + 40] = True
    values = np.stack([values for _, _, values in named])
    host = f"host{number}"
    names = tuple((family, labels) for family, labels, _ in named)
    return Made(Target("node", f"{host}:9100", host), names, stamps, values, away)


def _series(dice: np.random.Generator, number: int, scrapes: int) -> Iterator[tuple[Family, tuple[str, ...], Floats]]:
    daily = 1 + 0.8 * np.sin(np.arange(scrapes) * INTERVAL / 86_400_000 * 2 * np.pi + number)

    def counter(per_scrape: float) -> Floats:
        grown = np.cumsum(dice.poisson(per_scrape * daily)).astype(np.float64) + float(dice.integers(0, 10**7))
        for at in dice.integers(1, scrapes, dice.poisson(scrapes / 40_000)):
            grown[at:] -= grown[at]
        return grown

    cpu = Family("node_cpu_seconds_total", "Seconds the CPUs spent in each mode.", ("cpu", "mode"), "counter")
    for core in range(5):
        for mode, share in zip(("user", "system", "idle", "iowait", "softirq"), (200, 60, 1200, 8, 1), strict=True):
            yield cpu, (str(core), mode), np.round(counter(share) / 100, 2)
    packets = Family("node_network_receive_packets_total", "Packets.", ("device",), "counter")
    for device in range(50):
        yield packets, (f"eth{device}",), counter(float(10 ** dice.uniform(0.5, 4)))
    bucket = Family("http_request_duration_seconds_bucket", "Requests.", ("handler", "le"), "counter")
    for handler in range(HANDLERS):
        steps = [counter(float(10 ** dice.uniform(-0.5, 1.5))) for _ in BOUNDS]
        for bound, grown in zip(BOUNDS, np.cumsum(steps, axis=0), strict=True):
            yield bucket, (f"/{handler}", bound), grown
    idle = Family("node_vmstat_oom_kill_total", "Seldom counted.", ("n",), "counter")
    for n in range(15):
        yield idle, (str(n),), counter(0.002)
    info = Family("node_info", "Constant.", ("n",), "gauge")
    for n in range(72 + number % 2):
        yield info, (str(n),), np.full(scrapes, float(dice.integers(0, 2**31)) if n % 2 else 1.0)
    yield from _gauges(dice, scrapes, 27 + (number + 1) % 2)


def _gauges(dice: np.random.Generator, scrapes: int, count: int) -> Iterator[tuple[Family, tuple[str, ...], Floats]]:
    gauge = Family("node_gauge", "Noisy.", ("n",), "gauge")
    for n in range(count):
        walk = np.cumsum(dice.normal(0, 0.3, scrapes))
        shape = (np.round(50 + walk, 2), np.round(1000 + 10 * walk), 4096.0 * np.round(10**6 + 500 * walk))[n % 3]
        yield gauge, (str(n),), shape
    for n in range(10):
        exact = Family("node_temperature_ratio", "Of full precision.", ("n",), "gauge")
        yield exact, (str(n),), dice.normal(0.5, 0.1, scrapes)
