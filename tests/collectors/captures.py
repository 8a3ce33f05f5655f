"""The captures in tests/data: what a server answered, by collector, product and version, and part."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.reading import once
from collectors import registry
from collectors.model import Collector, Part, Sample

DATA = Path(__file__).parent.parent / "data"


@dataclass(frozen=True)
class Capture:
    collector: Collector
    folder: Path

    @property
    def golden(self) -> Path:
        return self.folder / "metrics.prom"

    def parts(self) -> Iterator[tuple[Part, Any]]:
        """Each part that was captured, with what its `read` returned."""
        followed = (once(follower, self.collector.config()) for follower in self.collector.followers)
        for part in (*self.collector.parts, *followed):
            for suffix in ("json", "txt"):
                file = self.folder / f"payload.{part.name}.{suffix}"
                if file.exists():
                    text = file.read_text()
                    yield part, json.loads(text) if suffix == "json" else text

    def samples(self) -> list[Sample]:
        return [sample for part, payload in self.parts() for sample in part.parse(payload)]

    def __str__(self) -> str:
        return f"{self.collector.name}/{self.folder.name}"


def captures() -> list[Capture]:
    return [
        Capture(collector, folder)
        for collector in registry.collectors()
        for folder in sorted((DATA / collector.name).glob("*"))
    ]
