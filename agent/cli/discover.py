"""`raingauge discover`: what is on this host, what of it cannot be read and why, and what would allow it."""

import json
from typing import Any

import click

from agent.cli.context import Context
from agent.discovery import Discoverer, Discovery, Try, idle
from agent.reading import Reading
from agent.remembered import Remembered
from agent.ticking import Watch
from collectors import registry
from collectors.config import Config


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--explain", is_flag=True, help="Why each thing is proposed, what was tried, and how it went.")
@click.option("--forget", metavar="INSTANCE", help="Stop watching a target that was found once and is gone for good.")
@click.pass_obj
def command(context: Context, as_json: bool, explain: bool, forget: str | None) -> None:
    """Look for everything that can be watched here; reads, and changes nothing."""
    configuration = context.configuration()
    if forget is not None:
        _forget(context, forget, configuration.host)
        return
    found = Discoverer().discover(configuration)
    if as_json:
        click.echo(json.dumps(_plain(found, configuration.host)))
    elif explain:
        _explain(found)
    else:
        _print(found, configuration.host)


def _forget(context: Context, instance: str, host: str) -> None:
    gone = Remembered(context.database()).forget(instance, host)
    if not gone:
        raise click.ClickException(f"no target that discovery found has the instance {instance!r}")
    click.echo(f"{instance} is forgotten; if it is seen again it is watched again")


def _readings(found: Discovery, watch: Watch, host: str) -> tuple[Reading, ...]:
    return found.readings.get(watch.collector.target(watch.config, host), ())


def _plain(found: Discovery, host: str) -> dict[str, Any]:
    return {
        "targets": [
            {
                "collector": watch.collector.name,
                "instance": watch.collector.target(watch.config, host).instance,
                "found": watch.found,
                "parts": {one.part.name: one.outcome for one in _readings(found, watch, host)},
                "remedy": watch.remedy if _failing(_readings(found, watch, host)) else "",
            }
            for watch in found.watches
        ],
        "findings": [vars(finding) for finding in found.findings],
        "blind": list(found.blind),
    }


def _failing(readings: tuple[Reading, ...]) -> list[Reading]:
    return [reading for reading in readings if not reading.answered]


def _print(found: Discovery, host: str) -> None:
    click.secho("Watched", bold=True)
    for watch in found.watches:
        target = watch.collector.target(watch.config, host)
        readings = _readings(found, watch, host)
        click.echo(f"  {watch.collector.name:9} {target.instance:40} {watch.found}")
        for reading in _failing(readings):
            click.echo(f"           {reading.part.name}: {reading.outcome}: {reading.error}")
        if _failing(readings) and watch.remedy:
            _remedy(watch.remedy)
    if found.findings:
        click.secho("\nFound, and not readable yet", bold=True)
    for finding in found.findings:
        click.echo(f"  {finding.collector:9} {finding.found}")
        if finding.reason:
            click.echo(f"           {finding.reason}")
        _remedy(finding.remedy)
    unused = [each.proposal for each in found.tries if idle(each.proposal, _failing(each.readings))]
    if unused:
        click.secho("\nNot in use", bold=True)
    for proposal in unused:
        click.echo(f"  {proposal.found}: {proposal.unused}")
    if found.blind:
        click.secho("\nNot seen", bold=True)
    for sentence in found.blind:
        click.echo(f"  {sentence}")
    if found.findings:
        click.echo("\nA running Raingauge tries again within 10 minutes, and at once after a reload (SIGHUP).")


def _explain(found: Discovery) -> None:
    for each in found.tries:
        click.secho(f"{each.collector}: {each.proposal.found}", bold=True)
        click.echo(f"  {_verdict(each)}")
        if each.proposal.config is not None:
            click.echo(f"  with: {_settings(each.proposal.config)}")
        for reading in each.readings:
            samples = f"{len(reading.samples):5} samples"
            click.echo(f"    {reading.part.name:14} {reading.outcome:12} {samples}  {reading.error}".rstrip())
        if not each.kept and each.proposal.remedy and not idle(each.proposal, _failing(each.readings)):
            _remedy(each.proposal.remedy)
        grants = registry.collector(each.collector).grants
        click.echo(f"  needs: {grants}\n" if grants else "")
    for sentence in found.blind:
        click.echo(f"not seen: {sentence}")


def _verdict(each: Try) -> str:
    if each.kept:
        return "watched: it answered"
    if idle(each.proposal, _failing(each.readings)):
        return f"not in use: {each.proposal.unused}"
    if each.readings:
        return "not watched: nothing of it could be read, or not as it should be"
    return "not tried: there is nothing to try yet, or another way in answered"


def _settings(config: Config) -> str:
    """What is not as it is by default; secrets never show themselves."""
    chosen = config.model_dump(mode="json", exclude_defaults=True)
    return ", ".join(f"{name}: {value}" for name, value in chosen.items()) or "the defaults"


def _remedy(text: str) -> None:
    click.echo("           What would allow it:" if text else "", nl=bool(text))
    for line in text.splitlines():
        click.echo(f"             {line}")
