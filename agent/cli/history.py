"""`raingauge history`: what is kept, whether it is whole, and samples in and out. All of it while the service runs."""

import sqlite3
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TextIO

import click
import numpy as np

from agent.cli.context import Context
from agent.running import BusyError, alone
from collectors.config import seconds
from history import backup as copies
from history import inventory, openmetrics
from history.backup import BackupError
from history.database import give_back, room
from history.openmetrics import Extent, OpenMetricsError
from history.store import Store, past

NAMES = {0: "samples", 60: "1 min", 300: "5 min", 3600: "1 h"}
WINDOW = 20_000_000
"""Samples of a file that are in memory at a time."""


@click.group()
def command() -> None:
    """What is kept of the samples, whether it is whole, and text in and out."""


def _store(context: Context) -> Store:
    return Store(context.database(), context.configuration().history.keep)


@command.command()
@click.pass_obj
def info(context: Context) -> None:
    """What is kept, since when, and what it takes."""
    store = _store(context)
    size = room(store.engine)
    keep = context.configuration().history.keep
    targets = store.targets()
    click.echo(f"{'database':<10}{_size(size.used)} used, {_size(size.spare)} spare, at most {_size(keep.most_bytes)}")
    click.echo(f"{'targets':<10}{len(targets)}, with {sum(len(stored.series) for stored in targets):,} series")
    click.echo(f"\n{'kept':<10}{'since':<18}{'until':<18}{'for':>8}{'blocks':>8}{'size':>12}{'bytes each':>12}")
    for tier in inventory.kept(store):
        each = f"{tier.bytes / tier.samples:.2f}" if tier.bytes else "-"
        click.echo(
            f"{NAMES[tier.tier]:<10}{_moment(tier.since):<18}{_moment(tier.until):<18}"
            f"{_days(keep.of(tier.tier)):>8}{tier.blocks:>8}{_size(tier.bytes):>12}{each:>12}"
        )
    for problem in store.damaged().values():
        click.echo(f"damaged: {problem}", err=True)


@command.command()
@click.pass_obj
def verify(context: Context) -> None:
    """Read every page; ends with 1 if anything is damaged."""
    store = _store(context)
    total = sum(tier.blocks for tier in inventory.kept(store))
    with _progress(total, "reading blocks") as bar:
        for _ in inventory.verify(store):
            bar.update(1)
    problems = store.damaged()
    for problem in problems.values():
        click.echo(problem)
    if problems:
        raise click.ClickException(f"{len(problems)} of {total} blocks have damage; all else can be read")
    click.echo(f"{total} blocks are whole")


@command.command()
@click.pass_obj
def compact(context: Context) -> None:
    """Do at once what is otherwise done little by little: seal, roll up, merge, sweep, give space back."""
    store = _store(context)
    before = room(store.engine)
    due = len(store.maintenance.pairs())
    with _progress(due, "merging blocks") as bar:
        for _ in compacted(store):
            bar.update(1)
    after = room(store.engine)
    click.echo(f"{_size(before.used + before.spare)} before, {_size(after.used + after.spare)} now")


def compacted(store: Store) -> Iterator[None]:
    """Do it; one step for each merged block."""
    while store.maintenance.seal() or store.maintenance.roll():
        pass
    while store.maintenance.merge():
        yield
    store.maintenance.sweep()
    while (spare := room(store.engine).spare) > 0:
        give_back(store.engine, spare)
        if room(store.engine).spare >= spare:
            break


@command.command()
@click.argument("file", type=click.File("w", encoding="utf-8", lazy=True))
@click.option("--since", help="Only what is newer: a duration before now, such as 7d.")
@click.pass_obj
def export(context: Context, file: TextIO, since: str | None) -> None:
    """Write all samples as OpenMetrics text; roll-ups are not in it. FILE may be - for standard output."""
    store = _store(context)
    now = time.time()
    try:
        start = 0 if since is None else round((now - seconds(since)) * 1000)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--since") from error
    names = {labels["__name__"] for labels in store.series([], start, round(now * 1000))}
    with _progress(len(names), "writing metrics") as bar:
        seen: set[str] = set()
        for name, text in openmetrics.export(store, start, round(now * 1000)):
            file.write(text)
            if name in names and name not in seen:
                seen.add(name)
                bar.update(1)


@command.command("import")
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def import_(context: Context, path: Path) -> None:
    """Take in OpenMetrics text with time stamps; what the history has already of that time stays as it is."""
    store = _store(context)
    try:
        with path.open(encoding="utf-8", newline="\n") as lines:
            extent = openmetrics.scan(lines)
        if extent.last > time.time() * 1000:
            raise OpenMetricsError(f"a time stamp of {_moment(extent.last)}, which is yet to come")
        taken = _take_in(store, path, extent)
    except (OpenMetricsError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path}: {error}") from error
    click.echo(f"{taken:,} samples were taken in", nl=False)
    left = extent.samples - taken
    click.echo(f", {left:,} left out: the history has that time of their targets" if left else "")


def _take_in(store: Store, path: Path, extent: Extent) -> int:
    store.describe(extent.described)
    taken = 0
    windows = np.linspace(extent.first, extent.last + 1, -(-extent.samples // WINDOW) + 1).astype(int).tolist()
    with _progress(extent.samples, "taking in samples") as bar:
        for start, end in pairwise(windows):
            with path.open(encoding="utf-8", newline="\n") as lines:
                found = openmetrics.read(lines, start, end - 1)
            for each in past.by_target(store, found):
                taken += past.take(store, each)
                bar.update(each.count)
    return taken


@command.command()
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.pass_obj
def backup(context: Context, path: Path) -> None:
    """Copy the whole database, events and alerts too, to a new file, while the service runs."""
    if context.configuration().history.database_url():
        raise click.ClickException("the history is in PostgreSQL: pg_dump makes its copies")
    done = 0
    with _progress(1, "copying") as bar:

        def progress(left: int, total: int) -> None:
            nonlocal done
            bar.length = max(1, total)
            bar.update(total - left - done)
            done = total - left

        try:
            copies.backup(context.state_dir, path, progress)
        except (BackupError, OSError, sqlite3.Error) as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"{path}: {_size(path.stat().st_size)}")


@command.command()
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.pass_obj
def restore(context: Context, path: Path) -> None:
    """Put a copy in the place of the database, which is kept under another name. No service may be running."""
    try:
        alone(context.state_dir)
        aside = copies.restore(context.state_dir, path)
    except BusyError as error:
        raise click.ClickException(str(error)) from error
    except (BackupError, OSError, sqlite3.Error) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{path} is the database now" + (f"; the former one is {aside}" if aside else ""))


def _progress(length: int, label: str) -> "click._termui_impl.ProgressBar[int]":
    return click.progressbar(length=length, label=label, file=sys.stderr)


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.2f} GiB"


def _moment(stamp: int) -> str:
    return datetime.fromtimestamp(stamp / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _days(span: float) -> str:
    return f"{span / 86_400:.0f} d"
