"""Run the benches one after another over one lab and print what they found."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench import (
    attacks,
    checks,
    dashboard,
    drupal,
    exporters,
    figures,
    footprint,
    imports,
    netdata,
    queries,
    rules,
    scrape,
    start,
    storage,
    told_events,
    weblog,
)
from bench.figures import Figure
from bench.machine import machine
from tests.lab.lab import Lab

MODULES = (
    start,
    footprint,
    scrape,
    exporters,
    netdata,
    checks,
    imports,
    storage,
    queries,
    rules,
    told_events,
    weblog,
    drupal,
    attacks,
    dashboard,
)
BENCHES = {bench.TITLE: bench.measure for bench in MODULES}


def main() -> None:
    asked = _arguments()
    console = Console(width=max(120, Console().width))
    began, on = time.monotonic(), machine()
    console.print("  ".join(f"{name}: {value}" for name, value in on.items()), "", highlight=False)
    found: dict[str, Sequence[Figure]] = {}
    with Lab() as lab:
        for name in asked.bench or BENCHES:
            found[name] = tuple(BENCHES[name](lab, asked.quick))
            figures.show(console, name, found[name])
    console.print(f"measured in {time.monotonic() - began:.0f} s", highlight=False)
    if asked.json:
        figures.write(asked.json, on, found)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("bench", nargs="*", metavar="BENCH", help=f"some of {', '.join(BENCHES)}; all if none is named")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: under 90 s instead of under 6 minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    asked = parser.parse_args()
    if unknown := set(asked.bench) - set(BENCHES):
        parser.error(f"expected some of {', '.join(BENCHES)}, found {', '.join(sorted(unknown))}")
    return asked


main()
