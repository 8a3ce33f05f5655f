"""What every sub-command is given: which configuration, which state directory."""

from dataclasses import dataclass
from pathlib import Path

import click
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from agent import paths
from agent.configuration import Configuration, ConfigurationError, load
from history.database import SchemaError, open_database


class Misconfigured(click.ClickException):
    """A wrong configuration ends with 2, as wrong usage does."""

    exit_code = 2


@dataclass(frozen=True)
class Context:
    config_path: Path | None

    @property
    def state_dir(self) -> Path:
        return paths.state_dir()

    def read(self) -> Configuration:
        """Anew at each call, so that a reload sees the file as it is. ConfigurationError if it is wrong."""
        return Configuration() if self.config_path is None else load(self.config_path)

    def configuration(self) -> Configuration:
        """As `read`, for a command that ends with what is wrong."""
        try:
            return self.read()
        except ConfigurationError as error:
            raise Misconfigured(str(error)) from error

    def database(self) -> Engine:
        """The local database; ClickException where the state directory cannot be used."""
        try:
            return open_database(self.state_dir, self.configuration().history.database_url())
        except SchemaError as error:
            raise click.ClickException(str(error)) from error
        except (OSError, SQLAlchemyError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise click.ClickException(f"cannot use the state directory {self.state_dir}: {why}") from error
