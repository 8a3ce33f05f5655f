"""`raingauge rules`: are rule files right, do they do what their tests say, and what do the rules do now."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent.cli.context import Context
from alerts.model import Group, Rule
from alerts.rulefile import RuleFileError

if TYPE_CHECKING:
    from agent.now import Now

FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))


@click.group()
def command() -> None:
    """Rule files: check and test them; list the rules that run, and explain one."""


@command.command()
@FILES
def attacks(files: tuple[Path, ...]) -> None:
    """Check rules for attacks in access logs, by their own examples. Ends with 1 if one is wrong."""
    from collectors.errors import ParseError
    from collectors.weblog.attacks import own

    wrong = False
    for file in files:
        try:
            rules = own.read(file)
            problems = list(own.problems(rules))
        except (ParseError, OSError) as error:
            rules, problems = (), [str(error)]
        for problem in problems:
            click.echo(f"{file}: {problem}", err=True)
        if not problems:
            click.echo(f"good: {file}: {len(rules)} rules")
        wrong |= bool(problems)
    raise SystemExit(wrong)


@command.command()
@FILES
def check(files: tuple[Path, ...]) -> None:
    """Say what is wrong with rule files, with line and key. Ends with 1 if anything is. No configuration is read."""
    from alerts import rulefile

    groups, errors = rulefile.load(files)
    problems = [str(error) for error in errors] + _unknown(groups)
    for file in files:
        if not any(problem.startswith(f"{file}:") for problem in problems):
            count = sum(len(group.rules) for group in groups if group.file == str(file))
            click.echo(f"good: {file}: {count} rules")
    for problem in problems:
        click.echo(problem, err=True)
    raise SystemExit(1 if problems else 0)


def _unknown(groups: list[Group]) -> list[str]:
    """Names in raingauge_depends_on that are no alert of these files, nor of the shipped ones."""
    from agent.configuration import Configuration
    from agent.rule_files import rule_files
    from alerts import rulefile

    shipped, _ = rulefile.load(rule_files(Configuration()))
    known = {rule.alert for group in (*groups, *shipped) for rule in group.rules}
    return [
        str(RuleFileError(group.file, 1, f"{rule.alert}.raingauge_depends_on", repr(name), "the name of an alert"))
        for group in groups
        for rule in group.rules
        for name in rule.depends_on
        if name not in known
    ]


@command.command()
@FILES
def test(files: tuple[Path, ...]) -> None:
    """Run unit tests of rules, in the files of `promtool test rules`. Ends with 1 if one fails."""
    from alerts.ruletest import file as tests
    from alerts.ruletest.run import run

    failed = False
    for file in files:
        click.echo(f"Unit Testing:  {file}")
        try:
            found = [str(difference) for difference in run(tests.load(file))]
        except RuleFileError as error:
            found = [f"    {error}"]
        failed |= bool(found)
        if found:
            click.echo("  FAILED:", err=True)
            click.echo("\n\n".join(found) + "\n", err=True)
        else:
            click.echo("  SUCCESS\n")
    raise SystemExit(1 if failed else 0)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each rule.")
@click.pass_obj
def list_rules(context: Context, as_json: bool) -> None:
    """Show every rule with its state, when its group was last evaluated, and what fails if it is asked now."""
    from agent.now import Now

    now = Now(context)
    rows = [_row(now, group, key, rule) for group in now.groups for key, rule in now.keys(group)]
    for error in now.errors:
        click.echo(str(error), err=True)
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
        return
    from rich.markup import escape

    from agent.cli.shown import table

    head = ("group", "rule", "severity", "state", "last_evaluation", "error")
    table(
        [name.capitalize().replace("_", " ") for name in head],
        ([escape(row[name] or "") for name in head] for row in rows),
    )


def _row(now: "Now", group: Group, key: str, rule: Rule) -> dict[str, Any]:
    return {
        "group": group.name,
        "file": group.file,
        "rule": rule.alert or rule.record,
        "severity": rule.labels.get("severity", "") if rule.alert else "",
        "state": now.state(key) if rule.alert else "recorded",
        "last_evaluation": now.evaluated(group),
        "error": now.error(group, rule),
    }


@command.command()
@click.argument("name")
@click.pass_obj
def explain(context: Context, name: str) -> None:
    """Show the rules of that name: expression part by part as of now, what is behind it, and why its alerts stand."""
    from difflib import get_close_matches

    from agent.now import Now

    now = Now(context)
    found = [(group, key, rule) for group in now.groups for key, rule in now.keys(group)
             if name in (rule.alert, rule.record)]  # fmt: skip
    if not found:
        names = [rule.alert or rule.record for group in now.groups for rule in group.rules]
        near = ", ".join(get_close_matches(name, names, 3)) or "see raingauge rules list"
        raise click.ClickException(f"no rule is called {name!r}: {near}")
    for group, key, rule in found:
        for line in now.explained(group, key, rule):
            click.echo(line)
