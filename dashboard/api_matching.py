"""`match[]` of Prometheus' API where no store selects: over the labels of rules and of targets."""

from collections.abc import Callable, Sequence

from history.model import Labels, QueryError
from history.promql.ast import Selector
from history.promql.parse import parse


def matching(selectors: Sequence[str]) -> Callable[[Labels], bool]:
    """Whether labels match any of the selectors; without one, all do. QueryError for what is no selector."""
    sets = [alternative for text in selectors for alternative in _selector(text).alternatives]
    return lambda labels: (
        not sets or any(all(matcher(labels.get(matcher.label, "")) for matcher in matchers) for matchers in sets)
    )


def _selector(text: str) -> Selector:
    node = parse(text)
    if not isinstance(node, Selector) or node != Selector(node.alternatives):  # no range, offset or @
        raise QueryError("bad_data", f"expected a series selector, found {text!r}")
    return node
