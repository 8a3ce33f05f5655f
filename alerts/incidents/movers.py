"""Which series left their usual course, by robust statistics: medians, and the spread around them. Pure."""

import math
from collections.abc import Iterable, Sequence
from statistics import median

from alerts.incidents.catalogue import LAYERS, Candidate, filled
from alerts.incidents.model import Mover
from alerts.model import Labels

MAD_TO_DEVIATION = 1.4826
"""Of a normal distribution."""
ENOUGH = 3.0
"""A score from which a series has moved; one that stood still has it at the candidate's `least`."""
FEWEST = 8
"""Points of the window before: with fewer nothing is known of what is usual."""
LASTING = 2
"""Points in a row that are beyond the usual: one alone is an outlier."""
SHOWN = 3


def mover(
    candidate: Candidate, labels: Labels, times: Sequence[float], values: Sequence[float], split: float
) -> Mover | None:
    """How one series moved since `split`, Unix seconds, against all of it that lies before; None if it did not."""
    points = [(t, value) for t, value in zip(times, values, strict=True) if math.isfinite(value)]
    before = [value for t, value in points if t < split]
    after = [(t, value) for t, value in points if t >= split]
    if len(before) < FEWEST or not after:
        return None
    usual = median(before)
    spread = MAD_TO_DEVIATION * median(abs(value - usual) for value in before) + candidate.least / ENOUGH
    beyond = [_counted(candidate, value - usual) / spread >= ENOUGH for _, value in after]
    start = next((at for at in range(len(after)) if all(beyond[at : at + LASTING])), None)
    if start is None:
        return None
    now = median(value for _, value in after[start:])
    score = _counted(candidate, now - usual) / spread
    if score < ENOUGH:
        return None  # it was back soon
    return Mover(
        filled(candidate.title, labels), candidate.expr, candidate.layer, usual, now, candidate.unit, after[start][0],
        score,
    )  # fmt: skip


def _counted(candidate: Candidate, difference: float) -> float:
    return {"up": difference, "down": -difference, "both": abs(difference)}[candidate.direction]


def top(movers: Iterable[Mover]) -> tuple[Mover, ...]:
    """Of each candidate the series that moved most, of these the three that did, the first to move first."""
    best: dict[str, Mover] = {}
    for each in movers:
        if each.expr not in best or each.score > best[each.expr].score:
            best[each.expr] = each
    most = sorted(best.values(), key=lambda one: -one.score)[:SHOWN]
    return tuple(sorted(most, key=lambda one: (one.moved_at, LAYERS.index(one.layer))))
