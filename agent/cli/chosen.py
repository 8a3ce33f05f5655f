"""The targets that a command line means: `raingauge check nginx`, `raingauge capture redis web-01:6379`."""

import click

from agent.cli.context import Context
from agent.discovery import Discoverer
from agent.ticking import Watch
from collectors import registry


class CollectorName(click.ParamType):  # type: ignore[type-arg] # click 8.1 has no argument
    name = "collector"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in registry.MODULES:
            self.fail(f"expected one of {', '.join(registry.MODULES)}, found {value!r}", param, ctx)
        return value


def chosen(context: Context, collector: str, instance: str | None) -> list[Watch]:
    """Of the configuration and of discovery; ClickException when there is none such."""
    configuration = context.configuration()
    found = Discoverer().discover(configuration)
    watches = {
        watch.collector.target(watch.config, configuration.host).instance: watch
        for watch in found.watches
        if watch.collector.name == collector
    }
    if not watches:
        reasons = [
            f"{each.found}: {each.reason}".rstrip(": ") for each in found.findings if each.collector == collector
        ]
        why = "; ".join(reasons) or "nothing like it runs here"
        raise click.ClickException(f"no {collector} target: {why}. `raingauge discover` says more")
    if instance is None:
        return list(watches.values())
    if instance not in watches:
        raise click.ClickException(f"no {collector} target {instance!r}; there are: {', '.join(watches)}")
    return [watches[instance]]
