"""What the commands that stay share: addresses from the command line, the log, and words for what cannot be bound."""

import errno
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from agent.cli.context import Misconfigured
from agent.configuration import Configuration, split_address


def overridden(configuration: Configuration, **listen: str | None) -> Configuration:
    """The configuration with the addresses that the command line gives."""
    for name, address in listen.items():
        if address is not None:
            try:
                split_address(address)
            except ValueError as error:
                raise Misconfigured(f"--{name}-listen: {error}") from error
            settings: Any = getattr(configuration, name)
            changed = settings.model_copy(update={"listen": address})
            configuration = configuration.model_copy(update={name: changed})
    return configuration


def logs_to_stderr() -> None:
    """One line an entry, without colours: journald and files keep it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("raingauge").setLevel(logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a missed tick shows in our own series


@contextmanager
def listening(configuration: Configuration) -> Iterator[None]:
    """Words for an address that cannot be bound, and for a file or folder that cannot be used."""
    try:
        yield
    except OSError as error:
        addresses = f"exporter {configuration.exporter.listen}, dashboard {configuration.dashboard.listen}"
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(f"an address is taken by another program: {addresses}") from error
        if error.errno in (errno.EADDRNOTAVAIL, errno.EACCES) and not error.filename:
            raise click.ClickException(f"cannot listen on {addresses}: {error.strerror}") from error
        place = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"cannot start: {place}{error.strerror or error}") from error
