"""`raingauge check`: what one read of a target gives, with timings."""

import json
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from agent.cli.chosen import CollectorName, chosen
from agent.cli.context import Context
from agent.exposition import number, render
from agent.reading import Reading, trial
from agent.ticking import Watch
from collectors.model import Sample


@click.command()
@click.argument("collector", type=CollectorName())
@click.argument("instance", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each target.")
@click.pass_obj
def command(context: Context, collector: str, instance: str | None, as_json: bool) -> None:
    """Read the targets of a collector once and show what that gives. Ends with 1 if no part of one answers."""
    host = context.configuration().host
    answering = True
    for watch in chosen(context, collector, instance):
        readings = trial(watch.collector, watch.config)
        answering &= any(reading.answered for reading in readings)
        name = watch.collector.target(watch.config, host).instance
        if as_json:
            click.echo(json.dumps(_plain(name, watch, readings)))
        else:
            _print(name, watch, readings)
    raise SystemExit(0 if answering else 1)


def _plain(name: str, watch: Watch, readings: tuple[Reading, ...]) -> dict[str, Any]:
    return {
        "collector": watch.collector.name,
        "instance": name,
        "parts": [
            {
                "part": reading.part.name,
                "outcome": reading.outcome,
                "error": reading.error,
                "read_seconds": round(reading.read_seconds, 6),
                "parse_seconds": round(reading.parse_seconds, 6),
                "samples": [_sample(one) for one in reading.samples],
            }
            for reading in readings
        ],
    }  # fmt: skip


def _sample(one: Sample) -> dict[str, Any]:
    labels = dict(zip(one.family.labels, one.labels, strict=True))
    return {"name": one.family.name, "labels": labels, "value": number(one.value)}  # text, as Prometheus writes it


def _print(name: str, watch: Watch, readings: tuple[Reading, ...]) -> None:
    click.echo(f"{watch.collector.name} {name}: {watch.found}\n")
    table = Table("part", "outcome", "read", "parse", "samples", box=None)
    for column in table.columns[2:]:
        column.justify = "right"
    for reading in readings:
        times = (_ms(reading.read_seconds), _ms(reading.parse_seconds))
        table.add_row(reading.part.name, reading.outcome, *times, str(len(reading.samples)))
    Console().print(table)
    for reading in readings:
        if reading.error:
            click.echo(f"\n{reading.part.name}: {reading.outcome}: {reading.error}")
    samples = [sample for reading in readings for sample in reading.samples]
    if samples:
        click.echo("\n" + _without_comments(render(samples)))
    elif watch.remedy:
        click.echo(f"\nWhat would allow it:\n{watch.remedy}\n")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _without_comments(page: bytes) -> str:
    return "".join(line for line in page.decode().splitlines(keepends=True) if not line.startswith("#"))
