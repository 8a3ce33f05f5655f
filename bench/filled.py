"""The same made samples in our store, in Prometheus and in VictoriaMetrics."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.exposition import escaped
from bench.dataset import Made
from collectors.model import Sample
from history.database import open_database
from history.numbers import plain
from history.store import Store


@dataclass(frozen=True)
class Ingest:
    samples: int
    appending: float
    """Processor seconds."""
    upkeep: float
    """Processor seconds of sealing, roll-ups and merging."""


def ours(folder: Path, made: Sequence[Made]) -> Ingest:
    """Tick by tick, as a running agent does it, with all upkeep."""
    engine = open_database(folder)
    store = Store(engine)
    samples, appending, upkeep = 0, 0.0, 0.0
    for tick in range(len(made[0].stamps)):
        ticks = [
            (
                each.target,
                each.stamps[tick] / 1000,
                []
                if each.away[tick]
                else [Sample(*named, v) for named, v in zip(each.names, each.values[:, tick].tolist(), strict=True)],
            )
            for each in made
        ]
        samples += sum(len(found) for _, _, found in ticks)
        began = time.process_time()
        store.append_many(ticks)
        between = time.process_time()
        while store.maintain(ticks[0][1]):
            pass
        appending += between - began
        upkeep += time.process_time() - between
    engine.dispose()
    return Ingest(samples, appending, upkeep)


def text(made: Sequence[Made], factor: float) -> Iterator[str]:
    """A series after the other, its lines together; stamps are ms times the factor."""
    for each in made:
        here = ~each.away
        stamps = [plain(stamp * factor) for stamp in each.stamps[here].tolist()]
        for (family, labels), row in zip(each.names, each.values, strict=True):
            own = {**dict(zip(family.labels, labels, strict=True)), **each.target.labels}
            pairs = ",".join(f'{key}="{escaped(value)}"' for key, value in own.items())
            name = f"{family.name}{{{pairs}}}"
            points = zip(row[here].tolist(), stamps, strict=True)
            yield "".join(f"{name} {plain(value)} {stamp}\n" for value, stamp in points)


def openmetrics(path: Path, made: Sequence[Made]) -> None:
    """Metric by metric, as promtool wants them."""
    by_name: dict[str, list[str]] = {}
    for part in text(made, 0.001):
        by_name.setdefault(part.partition("{")[0], []).append(part)
    with path.open("w") as file:
        for parts in by_name.values():
            file.writelines(parts)
        file.write("# EOF\n")


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
