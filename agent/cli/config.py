"""`raingauge config`: is the file right, and what may be in it."""

import json

import click

from agent import schema as schemas
from agent.cli.context import Context, Misconfigured
from agent.configuration import Configuration, ConfigurationError


@click.group()
def command() -> None:
    """The configuration file: none is needed; each key is an operator's decision."""


@command.command()
@click.pass_obj
def check(context: Context) -> None:
    """Say whether the file, and the rule files and secrets that it names, can be used."""
    from agent.rule_files import RuleFiles

    configuration = context.configuration()
    groups, errors = RuleFiles(configuration).load()
    problems = [str(error) for error in errors]
    try:
        configuration.password()
    except OSError as error:
        problems.append(f"dashboard.password_file: cannot read {error.filename}: {error.strerror}")
    except ConfigurationError as error:
        problems.append(str(error))
    if problems:
        raise Misconfigured("\n".join(problems))
    file = context.config_path or "no configuration file, so the defaults"
    click.echo(f"good: {file}; {sum(len(group.rules) for group in groups)} rules in {len(groups)} groups")


@command.command()
def schema() -> None:
    """Print the JSON schema of the file, for editors."""
    click.echo(json.dumps(Configuration.model_json_schema(), indent=2))


@command.command()
def example() -> None:
    """Print a file with every key, its default and what it is for."""
    click.echo("\n".join(schemas.example()))
