"""`raingauge export`: what other programs read."""

import json
from pathlib import Path

import click


@click.group()
def command() -> None:
    """Write what other programs read."""


@command.command()
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=".", show_default=True, help="Where."
)
def grafana(folder: Path) -> None:
    """Write the charts of the pages as Grafana dashboards, a JSON file each; a file of that name is replaced.

    Import them in Grafana, or name the folder in its provisioning. They ask a data source of type Prometheus that has
    Raingauge's series: a Prometheus that scrapes it, or the dashboard's own address.
    """
    from dashboard.grafana import dashboards

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, dashboard in dashboards().items():
            path = folder / f"{name}.json"
            path.write_text(json.dumps(dashboard, indent=1) + "\n", encoding="utf-8")
            click.echo(path)
    except OSError as error:
        raise click.ClickException(f"cannot write {error.filename}: {error.strerror}") from error
