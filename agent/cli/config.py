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
    for url in _any_page_passes(configuration):
        click.echo(
            f"note: the check of {url} expects no text, so a white page with status 200 passes: set must_contain"
        )


def _any_page_passes(configuration: Configuration) -> list[str]:
    """Addresses of checks that look at the status alone, without their query."""
    found = []
    for one in configuration.targets_of("probe"):
        asked = one.model_dump()
        other = any(asked[kind] for kind in ("tcp", "dns", "icmp", "fastcgi"))
        expected = any(asked[key] for key in ("must_contain", "must_match", "expect_json", "expect_headers"))
        if not other and not expected and not asked["steps"] and asked["method"] != "HEAD":
            found.append(str(asked["url"]).partition("?")[0])
    return found


@command.command()
def schema() -> None:
    """Print the JSON schema of the file, for editors."""
    click.echo(json.dumps(Configuration.model_json_schema(), indent=2))


@command.command()
def example() -> None:
    """Print a file with every key, its default and what it is for."""
    click.echo("\n".join(schemas.example()))
