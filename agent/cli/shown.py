"""What commands about alerts share: moments, tables and who is at the keyboard."""

import getpass
import os
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from collectors.config import seconds


class Moment(click.ParamType):  # type: ignore[type-arg] # click 8.1 has no argument
    """`2h` from now, or `2030-01-31T08:00` in this host's time; Unix seconds."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return time.time() + float(seconds(value))
        except ValueError:
            pass
        try:
            return datetime.fromisoformat(value).astimezone().timestamp()
        except ValueError:
            self.fail(f"expected a duration such as 2h or a time such as 2030-01-31T08:00, found {value!r}", param, ctx)


def moment(at: float) -> str:
    """In this host's time."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M")


def console() -> Console:
    """As wide as the terminal; in a pipe so wide that lines stay whole."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else 400, highlight=False, soft_wrap=False)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for title in head:
        shown.add_column(title, overflow="fold")
    for row in rows:
        shown.add_row(*row)
    console().print(shown)


def whoever() -> str:
    """The account that began the session, also under sudo."""
    return os.environ.get("SUDO_USER") or getpass.getuser()
