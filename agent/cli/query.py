"""`raingauge query`: PromQL over the local history."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import click

from agent import asking
from agent.cli.context import Context
from agent.exposition import number
from collectors.config import seconds
from history import answer
from history.model import Matrix, QueryError, Scalar, Text, Vector
from history.store import Store

Result = Vector | Matrix | Scalar | Text


class Duration(click.ParamType):  # type: ignore[type-arg] # click 8.1 has no argument
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return float(seconds(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.argument("expr")
@click.option("--at", type=float, help="Time of the answer in Unix seconds; now if not given.")
@click.option("--range", "span", type=Duration(), help="Answer for so long before that time, such as 1h.")
@click.option("--step", type=Duration(), default="30s", show_default=True, help="Distance of a range's points.")
@click.option("--json", "as_json", is_flag=True, help="Prometheus' response.")
@click.pass_obj
def command(  # noqa: PLR0917 # click passes them by name
    context: Context, expr: str, at: float | None, span: float | None, step: float, as_json: bool
) -> None:
    """Ask the local history in PromQL, such as 'node_load1'."""
    source = asking.source(context.configuration(), Store(context.database()))
    end = time.time() if at is None else at
    try:
        result: Result = source.query_range(expr, end - span, end, step) if span else source.query(expr, end)
    except QueryError as error:
        if as_json:
            click.echo(json.dumps(answer.failure(error)))
            raise SystemExit(1) from error
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(answer.result(result)))
    else:
        _print(result)


def _print(result: Result) -> None:
    """A line for each sample, as promtool prints them."""
    if isinstance(result, Scalar | Text):
        click.echo(result.value)
        return
    if isinstance(result, Vector):
        samples = [(point.labels, point.value, point.t) for point in result.points]
    else:
        samples = [(line.labels, v, t) for line in result.lines for v, t in zip(line.values, line.times, strict=True)]
    for labels, value, t in samples:
        pairs = ", ".join(f'{key}="{text}"' for key, text in sorted(labels.items()) if key != "__name__")
        stamp = datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        click.echo(f"{labels.get('__name__', '')}{{{pairs}}} => {number(value)} @ {stamp}")
    if not samples:
        click.echo("no series match")
