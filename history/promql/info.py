"""info(): adds to each series the labels of the info metrics of the same job and instance.

Source: https://prometheus.io/docs/prometheus/latest/querying/functions/#info
"""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from history.model import Labels, QueryError
from history.promql.ast import Aggregate, At, Binary, Call, Negate, Node, Selector, Subquery
from history.promql.frames import NAME, Frame, key, merge, stack
from history.samples import Floats, Mask, Matcher, matches

if TYPE_CHECKING:
    from history.promql.evaluate import Evaluation

IDENTITY = ("instance", "job")
ANY_INFO = Matcher(NAME, "=~", ".+_info")
TARGET_INFO = Matcher(NAME, "=", "target_info")


def info(evaluation: "Evaluation", node: Call) -> Frame:
    base = evaluation.vector(node.args[0])
    asked = _asked(node)
    names = [matcher for matcher in asked if matcher.label == NAME] or [TARGET_INFO]
    if all(matcher.op in ("!=", "!~") for matcher in names):
        names.append(ANY_INFO)
    others = [matcher for matcher in asked if matcher.label != NAME]
    sources = _Sources(evaluation, _reference(node.args[0]), names, others)
    frames = [
        base.take([row]) if _is_source(labels, names) else sources.enriched(base.take([row]))
        for row, labels in enumerate(base.labels)
    ]
    return merge(stack(frames, evaluation.steps))


def _asked(node: Call) -> Sequence[Matcher]:
    if len(node.args) < 2:
        return ()
    selector = node.args[1]
    if not isinstance(selector, Selector) or len(selector.alternatives) != 1:
        raise QueryError("bad_data", "expected label selectors in braces as the second argument of info")
    return selector.alternatives[0]


def _is_source(labels: Labels, names: Sequence[Matcher]) -> bool:
    return all(matcher(labels.get(NAME, "")) for matcher in names)


def _reference(node: Node) -> tuple[int, At]:
    """Offset and @ of the first selector: the info metrics are read as of the same time."""
    if isinstance(node, Selector):
        return node.offset, node.at
    if isinstance(node, Subquery):
        offset, at = _reference(node.inner)
        return (node.offset + offset, node.at) if at is None else (offset, at)
    parts: Sequence[Node] = ()
    if isinstance(node, Call):
        parts = node.args
    elif isinstance(node, Aggregate | Negate):
        parts = (node.inner,)
    elif isinstance(node, Binary):
        parts = (node.lhs, node.rhs)
    return next((found for part in parts if (found := _reference(part)) != (0, None)), (0, None))


class _Sources:
    """The info series by what they are about."""

    def __init__(
        self,
        evaluation: "Evaluation",
        reference: tuple[int, At],
        names: Sequence[Matcher],
        others: Sequence[Matcher],
    ) -> None:
        offset, at = reference
        selector = Selector((tuple(names),), None, offset, at)
        self._frame, self._stamps = evaluation.latest(selector)
        self._wanted = frozenset(matcher.label for matcher in others)
        self._optional = all(matcher("") for matcher in others)
        self._rows: dict[Hashable, list[int]] = {}
        for row, labels in enumerate(self._frame.labels):
            if matches(labels, others):
                self._rows.setdefault(_about(labels), []).append(row)

    def enriched(self, base: Frame) -> Frame:
        """One series, as several where its info changes over time."""
        rows = self._rows.get(_about(base.labels[0]), [])
        chosen = self._chosen(rows)
        patterns, which = np.unique(chosen, axis=1, return_inverse=True)
        frames = []
        for number, pattern in enumerate(patterns.T):
            here = base.present & (which.ravel() == number)[None]
            used = [row for row in pattern.tolist() if row >= 0]
            if here.any() and (used or self._optional):
                frames.append(replace(base, labels=[self._labels(base.labels[0], used)], present=here))
        return stack(frames, base.values.shape[1])

    def _chosen(self, rows: Sequence[int]) -> "np.ndarray[tuple[int, int], np.dtype[np.int64]]":
        """[info metrics x steps]: of each metric the series with the newest sample; -1 for none."""
        by_name: dict[str, list[int]] = {}
        for row in rows:
            by_name.setdefault(self._frame.labels[row].get(NAME, ""), []).append(row)
        chosen = np.full((len(by_name), self._frame.values.shape[1]), -1, dtype=np.int64)
        for at, same in enumerate(by_name.values()):
            present: Mask = self._frame.present[same]
            stamps: Floats = np.where(present, self._stamps[same], -np.inf)
            newest = np.array(same)[stamps.argmax(axis=0)]
            chosen[at] = np.where(present.any(axis=0), newest, -1)
        return chosen

    def _labels(self, own: Labels, rows: Sequence[int]) -> Labels:
        added: dict[str, str] = {}
        for row in rows:
            for name, value in self._frame.labels[row].items():
                if name == NAME or name in IDENTITY or (self._wanted and name not in self._wanted):
                    continue
                if added.setdefault(name, value) != value:
                    raise QueryError("execution", f"conflicting label: {name}")
        return {**added, **own}


def _about(labels: Labels) -> Hashable:
    return key({name: labels.get(name, "") for name in IDENTITY})
