"""`raingauge incidents`: what belongs together, what explains it, and what people noted."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict

import click
from rich.markup import escape
from sqlalchemy import Engine

from agent.cli.context import Context
from agent.cli.shown import console, moment, table, whoever
from alerts.incidents import store
from alerts.incidents.model import Incident, Member
from alerts.message.incident import cause_lines, changes, movers
from alerts.message.words import duration
from history.database import make_tables


@click.group()
def command() -> None:
    """Alerts that belong together. Works on the database, whether the service runs or not."""


def _engine(context: Context) -> Engine:
    engine = context.database()
    make_tables(engine, store.TABLES)
    return engine


@command.command("list")
@click.option("--open", "open_only", is_flag=True, help="Only those that are not over.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@click.pass_obj
def show_all(context: Context, open_only: bool, limit: int, as_json: bool) -> None:
    """List incidents: the open ones, then the newest."""
    with _engine(context).connect() as connection:
        found = store.incidents(connection, open_only=open_only, limit=limit)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found]))
    elif not found:
        click.echo("no incident is open" if open_only else "there was no incident yet")
    else:
        rows = ((str(one.id), _state(one), one.severity, escape(one.site or one.host), moment(one.opened),
                 str(len(one.alerts)), escape(one.symptom)) for one in found)  # fmt: skip
        table(("Id", "State", "Severity", "Where", "Since", "Alerts", "Symptom"), rows)


def _state(one: Incident) -> str:
    return "open" if one.ended is None else f"over after {duration(one.ended - one.opened)}"


@command.command()
@click.argument("incident_id", type=int, metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def show(context: Context, incident_id: int, as_json: bool) -> None:
    """Show one incident: its alerts, what probably caused it, what moved and changed, what to run next."""
    with _engine(context).connect() as connection:
        found = store.incident(connection, incident_id)
    if found is None:
        raise _unknown(incident_id)
    if as_json:
        click.echo(json.dumps(asdict(found)))
    else:
        _print(found)


def _print(one: Incident) -> None:
    out = console()
    out.print(f"[bold]{escape(one.symptom)}[/bold]")
    where = " ".join(f"{name} {value}" for name, value in (("site", one.site), ("host", one.host)) if value)
    out.print(escape(f"{one.severity}, {_state(one)}, since {moment(one.opened)}, {where}".rstrip(", ")))
    sections: list[tuple[str, Iterable[str]]] = [
        ("Probably because", cause_lines(one)),
        ("Run next", [one.command]),
        ("Changed before", changes(one)),
        ("Moved most", movers(one)),
        ("Alerts", map(_member, one.alerts)),
        ("Notes", [f"{moment(note.at)}  {note.by}: {note.text}" for note in one.notes]),
    ]
    for title, lines in sections:
        shown = [line for line in lines if line]
        if shown:
            out.print(f"\n[bold]{title}[/bold]")
        for line in shown:
            out.print(f"  {escape(line)}")


def _member(member: Member) -> str:
    until = "" if member.until is None else f" to {moment(member.until)}"
    return f"{moment(member.since)}{until}  {member.name}: {member.words}"


@command.command()
@click.argument("incident_id", type=int, metavar="ID")
@click.argument("text")
@click.option("--by", default=whoever, show_default="who runs this", help="Who.")
@click.pass_obj
def note(context: Context, incident_id: int, text: str, by: str) -> None:
    """Write down what was found or done, for who comes next."""
    try:
        with _engine(context).begin() as connection:
            store.add_note(connection, incident_id, by, text, time.time())
    except KeyError as error:
        raise _unknown(incident_id) from error
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"noted on incident {incident_id}")


def _unknown(incident_id: int) -> click.ClickException:
    return click.ClickException(f"there is no incident {incident_id}; `raingauge incidents list` shows them")
