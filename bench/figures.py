"""A figure with its method, and figures as a table for people and as JSON for comparisons."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """`value` is None where it could not be measured: `method` says why."""

    name: str
    value: float | None
    unit: str
    method: str


def quantile(values: Iterable[float], share: float) -> float:
    """By nearest rank; 0.5 is the median."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(title: str, figures: Sequence[Figure]) -> Table:
    found = Table("figure", "value", "unit", "method", title=title, title_justify="left", box=None, pad_edge=False)
    found.columns[1].justify = "right"
    above = ""
    for figure in figures:
        value = "skipped" if figure.value is None else shown(figure.value)
        found.add_row(figure.name, value, figure.unit, "as above" if figure.method == above else figure.method)
        above = figure.method
    return found


def shown(value: float) -> str:
    """Three digits say all that a measurement of this kind knows."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def show(console: Console, title: str, figures: Sequence[Figure]) -> None:
    console.print(table(title, figures), "")


def write(path: Path, machine: dict[str, str], found: dict[str, Sequence[Figure]]) -> None:
    benches = {name: [asdict(figure) for figure in figures] for name, figures in found.items()}
    path.write_text(json.dumps({"machine": machine, "benches": benches}, indent=1) + "\n")
