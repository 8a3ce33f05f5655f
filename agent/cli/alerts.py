"""`raingauge alerts`: what fires, who knows, what holds it back; and why somebody was told or not."""

import json
from dataclasses import asdict
from typing import Any

import click
from rich.markup import escape

from agent import alerting
from agent.cli.context import Context
from agent.cli.shown import console, moment, table
from alerts.desk import Desk, Standing
from alerts.model import Alert
from alerts.notices import fingerprint

HIDDEN = ("alertname", "severity")


@click.command()
@click.option("--why", metavar="FINGERPRINT", help="What was decided on one alert, and what comes next.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def command(context: Context, why: str | None, as_json: bool) -> None:
    """List what fires, the worst first. Works on the database, whether the service runs or not."""
    desk = alerting.desk(context.configuration(), context.database())
    if why is not None:
        _why(desk, why, as_json)
        return
    standings, pending = desk.standings(), desk.pending()
    if as_json:
        click.echo(
            json.dumps({"firing": [_plain(one) for one in standings], "pending": [_labels(one) for one in pending]})
        )
        return
    if not standings:
        click.echo("nothing fires")
    else:
        table(("Alert", "Severity", "Where", "Since", "Told", "Held back", "Fingerprint"), map(_row, standings))
    for alert in pending:
        click.echo(f"pending: {alert.name} {_where(alert)} since {moment(alert.active_at)}")


def _row(one: Standing) -> tuple[str, ...]:
    told = ", ".join(
        f"{name} {moment(at)}{' (not delivered yet)' if name in one.undelivered else ''}"
        for name, at in one.told.items()
    )
    since = moment(one.alert.fired_at or one.alert.active_at)
    held = one.held_by or ("" if one.receivers else "no route leads to anybody")
    return (
        escape(one.alert.name), one.alert.severity, escape(_where(one.alert)), since, escape(told), escape(held),
        one.fingerprint,
    )  # fmt: skip


def _where(alert: Alert) -> str:
    return " ".join(f"{name}={value}" for name, value in alert.labels.items() if name not in HIDDEN)


def _plain(one: Standing) -> dict[str, Any]:
    return {
        **_labels(one.alert),
        "since": one.alert.fired_at,
        "receivers": list(one.receivers),
        "told": dict(one.told),
        "undelivered": sorted(one.undelivered),
        "silenced_by": [silence.id for silence in one.mark.silenced_by],
        "inhibited_by": [fingerprint(alert.labels) for alert in one.mark.inhibited_by],
        "flapping": one.flapping,
        "held_by": one.held_by,
    }


def _labels(alert: Alert) -> dict[str, Any]:
    return {"fingerprint": fingerprint(alert.labels), "labels": dict(alert.labels)}


def _why(desk: Desk, key: str, as_json: bool) -> None:
    decisions = desk.decisions(key)
    found = next((one for one in desk.standings() if one.fingerprint == key), None)
    if found is None and not decisions:
        raise click.ClickException(f"no alert with the fingerprint {key!r}; `raingauge alerts` shows those that fire")
    if as_json:
        now = None if found is None else _plain(found)
        click.echo(json.dumps({"now": now, "decisions": [asdict(one) for one in decisions]}))
        return
    out = console()
    if found is None:
        out.print("It does not fire now.")
    else:
        _now(desk, found)
    for one in decisions:
        out.print(f"{moment(one.at)}  {one.decision:4}  {escape(one.receiver):12}  {escape(one.reason)}")


def _now(desk: Desk, one: Standing) -> None:
    out = console()
    out.print(f"[bold]{escape(one.alert.name)}[/bold] {escape(_where(one.alert))}")
    out.print(f"fires since {moment(one.alert.fired_at or one.alert.active_at)}")
    if one.held_by:
        out.print(f"held back: {escape(one.held_by)}")
    for route in desk.routes(one.alert):
        out.print(f"route {escape(route.key)} leads to {escape(route.receiver or 'nobody')}")
    for receiver, memory in desk.next_ticks(one.fingerprint):
        out.print(f"{escape(receiver)} is looked at next {moment(memory.due)}")
    out.print()
