"""The text of /metrics and of each target's page: swapped whole at a tick's close, read from any thread.

Each is joined, and compressed, when it is first asked for after a tick: where nobody scrapes, it costs nothing.
"""

import gzip
import hashlib
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from agent.exposition import Writer, page
from collectors.model import Family, Sample, Target


class Page:
    def __init__(self, blocks: Sequence[Mapping[Family, bytes]] = ()) -> None:
        self._blocks = blocks

    @cached_property
    def text(self) -> bytes:
        return page(self._blocks)

    @cached_property
    def packed(self) -> bytes:
        return gzip.compress(self.text, compresslevel=1)


@dataclass
class Published:
    target: Target
    writer: Writer
    samples: Sequence[Sample] = ()
    blocks: Mapping[Family, bytes] = field(default_factory=dict)
    page: Page | None = None


class Pages:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._published: dict[Target, Published] = {}
        self._metrics = Page()
        self.ready = False
        """At least one tick has closed."""

    def publish(self, target: Target, samples: Sequence[Sample]) -> None:
        """The target's samples from now on; the joint page has them after `render`."""
        with self._lock:
            there = self._published.get(target) or Published(target, Writer(target.labels))
            blocks = there.writer.blocks(samples)
            self._published[target] = Published(target, there.writer, samples, blocks)

    def forget(self, target: Target) -> None:
        with self._lock:
            self._published.pop(target, None)

    def render(self) -> None:
        with self._lock:
            self._metrics = Page([published.blocks for published in self._published.values()])
        self.ready = True

    @property
    def metrics(self) -> Page:
        return self._metrics

    def targets(self) -> list[Target]:
        with self._lock:
            return list(self._published)

    def target_page(self, job: str, slug: str) -> Page | None:
        """One target without target labels, made when first asked for after a tick; None for one that is not there."""
        with self._lock:
            found = [p for p in self._published.values() if p.target.job == job]
        published = next((p for p in found if self.slug(p.target) == slug), None)
        if published is None:
            return None
        if published.page is None:
            published.page = Page([Writer().blocks(published.samples)])
        return published.page

    def slug(self, target: Target) -> str:
        """The target's name in a path; six digits of a hash tell apart those that would be equal."""
        plain = _plain(target)
        others = [other for other in self.targets() if other.job == target.job and other != target]
        if all(_plain(other) != plain for other in others):
            return plain
        return f"{plain}-{hashlib.sha256(repr(sorted(target.labels.items())).encode()).hexdigest()[:6]}"


def _plain(target: Target) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "_", target.instance)
