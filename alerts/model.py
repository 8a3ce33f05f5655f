"""Rules, alerts and notices: the words that the engine, delivery and the pages share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Labels = Mapping[str, str]
State = Literal["pending", "firing", "resolved"]


@dataclass(frozen=True)
class Rule:
    """One rule of a Prometheus rule file. `alert` or `record` is its name; the other is ""."""

    expr: str
    alert: str = ""
    record: str = ""
    hold: float = 0.0
    """The file's `for`, seconds."""
    keep_firing_for: float = 0.0  # seconds
    labels: Labels = field(default_factory=dict)
    annotations: Labels = field(default_factory=dict)
    """Without those of the reserved names, which are the fields below."""
    resolve_expr: str = ""
    """A firing alert that is not in the result of `expr` any more ends only when this has an element for it."""
    no_data: Literal["keep", "fire", "ok"] = "keep"
    """What becomes of alerts when a part behind `expr` does not answer."""
    min_valid: float = 0.0
    """Of the samples in the ranges of `expr`, the part that has to be there."""
    depends_on: tuple[str, ...] = ()
    """Names of the alerts that explain this one."""


@dataclass(frozen=True)
class Group:
    name: str
    file: str
    interval: float  # seconds
    rules: tuple[Rule, ...]
    limit: int = 0
    query_offset: float = 0.0  # seconds
    labels: Labels = field(default_factory=dict)


@dataclass(frozen=True)
class Alert:
    """One element of an alerting rule's result, over time. Labels identify it; value and annotations are refreshed."""

    labels: Labels
    annotations: Labels
    state: State
    value: float
    active_at: float  # Unix seconds, when it first was true
    fired_at: float | None = None  # Unix seconds
    resolved_at: float | None = None  # Unix seconds
    last_true: float = 0.0  # Unix seconds
    missing_since: float | None = None
    """Unix seconds since which its data is missing; an alert with missing data keeps its state."""
    false_since: float | None = None
    """Unix seconds since which it is false and only `keep_firing_for` holds it."""
    seen: float = 0.0
    """Unix seconds of the last evaluation that knew whether it is true."""
    lowest: float | None = None
    highest: float | None = None
    """Its values since it is active."""

    @property
    def name(self) -> str:
        return self.labels.get("alertname", "")

    @property
    def severity(self) -> str:
        return self.labels.get("severity", "info")

    @property
    def layer(self) -> str:
        """Alerts of events have no label for it."""
        return self.labels.get("layer", "") or ("security" if self.labels.get("class") == "security" else "")


@dataclass(frozen=True)
class RuleHealth:
    group: str
    rule: Rule
    health: Literal["unknown", "ok", "err"]
    last_error: str = ""
    last_evaluation: float | None = None  # Unix seconds
    evaluation_seconds: float = 0.0


@dataclass
class EvaluatorStats:
    """Counters since start; the agent publishes them."""

    evaluations: int = 0
    failures: int = 0
    messages: int = 0
    last_cycle: float | None = None  # Unix seconds
    cycle_seconds: float = 0.0
