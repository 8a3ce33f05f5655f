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

    def sites(self, labels: Labels) -> frozenset[str]:
        """That it is about; none: of the whole host, or nobody knows."""
        if site := labels.get("site", "") or (labels.get("job") == "drupal" and labels.get("instance", "")):
            return frozenset({site})
        host, target = labels.get("host", ""), (labels.get("job", ""), labels.get("instance", ""))
        return frozenset(site for (where, site), servers in self.uses.items() if where == host and target in servers)

    def apart(self, one: Labels, other: Labels) -> bool:
        """They are about different sites, or one is about a site that is known to use another server."""
        sites = self.sites(one), self.sites(other)
        if all(sites) and sites[0].isdisjoint(sites[1]):
            return True
        return elsewhere(self.uses, one, other) or elsewhere(self.uses, other, one)


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
