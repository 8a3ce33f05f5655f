"""What all parts of one evaluation share: its source, its span, what it may take, and what it says on the way."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

import numpy as np

from history.numbers import plain
from history.promql.limits import DEFAULT, Limits, exceeded
from history.samples import Floats, Group, Rolled, Samples, Wanted


@dataclass(frozen=True)
class Query:
    source: Samples
    start: int  # ms
    end: int  # ms, as asked: the last step may be earlier
    step: int  # ms
    limits: Limits = DEFAULT
    promql_2x: bool = False
    """Ranges and lookback include their left border, and what else Prometheus 2 does otherwise."""
    begun: float = field(default_factory=monotonic)
    notes: dict[str, None] = field(default_factory=dict)
    """Annotations in the order of their first appearance."""
    reads: list[tuple[int, int]] = field(default_factory=list)
    """Series and samples of each selection."""

    @property
    def instant(self) -> bool:
        return self.start == self.end

    @property
    def step_seconds(self) -> float:
        """0 for an instant."""
        return 0.0 if self.instant else self.step / 1000

    def note(self, text: str) -> None:
        """`PromQL warning: ...` or `PromQL info: ...`, without the position that the parser does not give."""
        self.notes.setdefault(text)

    @property
    def left(self) -> int:
        """Samples that may still be read."""
        return self.limits.samples - sum(samples for _, samples in self.reads)

    def note_rolled(self, found: Sequence[Rolled], wanted: Wanted) -> None:
        """A warning where nothing as fine as wanted is kept any more."""
        widest = max((int(each.widths.max()) for each in found if len(each.widths)), default=0)
        if not wanted.kinds:
            self.note("PromQL warning: this function needs samples, and those of the older part of its range are gone")
        elif widest > wanted.resolution:
            self.note(f"PromQL warning: the older part is kept as roll-ups of {widest // 60_000} minutes only")

    def note_quantile(self, q: Floats) -> None:
        wrong = q[(q < 0) | (q > 1) | np.isnan(q)]
        if len(wrong):
            self.note(f"PromQL warning: quantile value should be between 0 and 1, got {plain(float(wrong[0]))}")

    def read(self, groups: list[Group]) -> None:
        """Count what a selection has read. QueryError when all of them are too much."""
        self.reads.append((sum(len(group.labels) for group in groups), sum(group.values.size for group in groups)))
        series, samples = map(sum, zip(*self.reads, strict=True))
        if series > self.limits.series:
            raise exceeded("execution", f"the query reads {series:,} series", self.limits.series, "series")
        self.hold(samples)

    def hold(self, samples: int) -> None:
        """QueryError when a step of the evaluation would hold that many values."""
        if samples > self.limits.samples:
            raise exceeded(
                "execution",
                f"query processing would load too many samples into memory: {samples:,}",
                self.limits.samples,
                "samples",
            )

    def in_time(self) -> None:
        """QueryError when the query has taken too long. To be asked before whatever may take long."""
        took = monotonic() - self.begun
        if took > self.limits.seconds:
            raise exceeded(
                "timeout",
                f"query timed out in expression evaluation: {took:.1f} seconds",
                self.limits.seconds,
                "seconds",
            )
