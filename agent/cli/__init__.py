"""The command line: `raingauge NOUN`, one file a noun, imported only when it is used."""

from importlib import import_module
from pathlib import Path

import click

from agent import paths

NOUNS = (
    "run",
    "agent",
    "dashboard",
    "demo",
    "discover",
    "check",
    "capture",
    "query",
    "runbook",
    "event",
    "history",
    "rules",
    "config",
    "notify",
    "alerts",
    "incidents",
    "silence",
    "ack",
    "boards",
    "export",
    "token",
    "user",
    "php-probe",
    "version",
)


class Nouns(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in NOUNS:
            return None
        command: click.Command = import_module(f"agent.cli.{cmd_name.replace('-', '_')}").command
        return command


@click.command("raingauge", cls=Nouns, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration file; else RAINGAUGE_CONFIG, /etc/raingauge/raingauge.yml or the user's own. None is needed.",
)
@click.pass_context
def main(ctx: click.Context, config_path: Path | None) -> None:
    """Monitoring for the people who run Drupal sites: metrics, charts and alerts of this host."""
    from agent.cli.context import Context

    ctx.obj = Context(config_path or paths.config_path())
