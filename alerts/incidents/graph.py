"""Which alert explains which: the shipped inhibitions, those of the configuration, and what rules depend on. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from alerts.matchers import matches, parse_all
from alerts.model import Group, Labels
from alerts.path.plan import Inhibition, Plan, Uses, elsewhere, shipped_inhibitions


@dataclass(frozen=True)
class Graph:
    inhibitions: tuple[Inhibition, ...] = ()
    depends_on: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Alert -> those that explain it on the same host."""
    uses: Uses = field(default_factory=dict)

    def explains(self, cause: Labels, effect: Labels) -> bool:
        name = effect.get("alertname", "")
        if cause.get("alertname", "") == name:
            return False
        if cause.get("alertname", "") in self.depends_on.get(name, ()):
            return cause.get("host", "") == effect.get("host", "")
        if elsewhere(self.uses, cause, effect):
            return False
        return any(_follows(rule, cause, effect) for rule in self.inhibitions)


def graph(plan: Plan, groups: Iterable[Group]) -> Graph:
    """The shipped inhibitions are part of it also where the configuration does without them: they still explain."""
    shipped = (
        Inhibition(parse_all(rule.source_matchers), parse_all(rule.target_matchers), rule.equal)
        for rule in shipped_inhibitions()
    )
    depends_on: dict[str, frozenset[str]] = {}
    for rule in (rule for group in groups for rule in group.rules if rule.depends_on):
        depends_on[rule.alert] = depends_on.get(rule.alert, frozenset()) | set(rule.depends_on)
    return Graph(tuple(dict.fromkeys([*shipped, *plan.inhibitions])), depends_on, plan.uses)


def _follows(rule: Inhibition, cause: Labels, effect: Labels) -> bool:
    return (
        all(cause.get(name, "") == effect.get(name, "") for name in rule.equal)
        and matches(rule.source, cause)
        and matches(rule.target, effect)
        and not (matches(rule.source, effect) and matches(rule.target, cause))
    )
