"""What every sub-command is given: which configuration, which state directory."""

from dataclasses import dataclass
from pathlib import Path

import click

from agent import paths
from agent.configuration import Configuration, ConfigurationError, load


class Misconfigured(click.ClickException):
    """A wrong configuration ends with 2, as wrong usage does."""

    exit_code = 2


@dataclass(frozen=True)
class Context:
    config_path: Path | None

    @property
    def state_dir(self) -> Path:
        return paths.state_dir()

    def configuration(self) -> Configuration:
        """Read anew at each call, so that a reload sees the file as it is."""
        if self.config_path is None:
            return Configuration()
        try:
            return load(self.config_path)
        except ConfigurationError as error:
            raise Misconfigured(str(error)) from error
