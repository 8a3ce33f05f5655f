"""Who is told what, when: the routing tree ready for use, made from the configuration or without one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources

import yaml

from alerts.matchers import Matcher, Matchers, matches, parse_all, written
from alerts.model import Labels
from alerts.path.intervals import TimeInterval, contains
from alerts.path.settings import InhibitRule, RouteSettings, RoutingSettings

GROUP_BY = ("alertname", "host")
ALL_LABELS = ("...",)
DATABASES = ("mysql", "postgres")


@dataclass(frozen=True)
class Route:
    """Times are seconds."""

    key: str = "{}"
    """As Alertmanager writes it: the matchers from the first route on."""
    receiver: str = ""
    """"" for nobody."""
    matchers: Matchers = ()
    group_by: tuple[str, ...] = GROUP_BY
    group_wait: float = 30.0
    group_interval: float = 300.0
    repeat_interval: float = 4 * 3600.0
    goes_on: bool = False
    mute: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    escalate: tuple[tuple[float, str], ...] = ()
    """(after, receiver)."""
    is_escalation: bool = False
    routes: tuple["Route", ...] = ()

    def taken(self, labels: Labels) -> Iterator["Route"]:
        """The routes that an alert takes: the deepest that fit, the first of each level unless it goes on."""
        if not matches(self.matchers, labels):
            return
        below = False
        for route in self.routes:
            fits = matches(route.matchers, labels)
            if fits:
                yield from route.taken(labels)
                below = True
            if fits and not route.goes_on:
                break
        if not below:
            yield self

    def group_labels(self, labels: Labels) -> Labels:
        if self.group_by == ALL_LABELS:
            return labels
        return {name: labels[name] for name in self.group_by if name in labels}

    def every(self) -> Iterator["Route"]:
        yield self
        for route in self.routes:
            yield from route.every()


@dataclass(frozen=True)
class Inhibition:
    source: Matchers
    target: Matchers
    equal: tuple[str, ...] = ()


Uses = Mapping[tuple[str, str], frozenset[tuple[str, str]]]
"""(host, site) -> the (job, instance) of the servers that it needs, from web_site_uses."""


def elsewhere(uses: Uses, cause: Labels, effect: Labels) -> bool:
    """The effect is about a site that is known to use another database, cache or pool than the cause."""
    known = uses.get((effect.get("host", ""), effect.get("site", "")), frozenset())
    job, instance = cause.get("job", ""), cause.get("instance", "")
    alike = DATABASES if job in DATABASES else (job,)
    return any(each in alike for each, _ in known) and (job, instance) not in known


@dataclass(frozen=True)
class Plan:
    root: Route = Route()
    inhibitions: tuple[Inhibition, ...] = ()
    intervals: Mapping[str, TimeInterval] = field(default_factory=dict)
    uses: Uses = field(default_factory=dict)
    """As was seen lately; nothing is known of what is not in it."""
    deploy_maintenance: float = 0.0
    """Seconds."""

    def receivers(self) -> frozenset[str]:
        """Every channel that a route or an escalation names."""
        routes = list(self.root.every())
        named = {route.receiver for route in routes} | {name for route in routes for _, name in route.escalate}
        return frozenset(named - {""})

    def brings(self, labels: Labels, receiver: str) -> bool:
        """A route that such an alert takes ends at this receiver."""
        return any(route.receiver == receiver for route in self.root.taken(labels))

    def muted(self, route: Route, now: float) -> str:
        """The time interval for which the route is quiet now; "" if it is not."""
        for name in route.mute:
            if contains(self.intervals[name], now):
                return name
        if route.active and not any(contains(self.intervals[name], now) for name in route.active):
            return f"not {' or '.join(route.active)}"
        return ""


def at_once(names: Iterable[str]) -> Plan:
    """Each of these is told everything, without waiting for more."""
    every = [Route(receiver=name, group_wait=0, group_interval=0, goes_on=True) for name in names]
    return Plan(Route(routes=tuple(every)))


def by_severity(names: Iterable[str]) -> tuple[Route, ...]:
    """The routes without a `notify.route`: critical soon and often, what is not graded as a warning, info never."""
    critical, other = Matcher("severity", "=", "critical"), Matcher("severity", "!~", "critical|info|none")
    routes: list[Route] = []
    for name in names:
        soon = Route(written([critical]), name, (critical,), GROUP_BY, 10, 60, 3600, goes_on=True)
        later = Route(written([other]), name, (other,), GROUP_BY, 60, 900, 86400, goes_on=True)
        routes += [replace(route, key=f"{{}}/{route.key}") for route in (soon, later)]
    return tuple(routes)


def plan(settings: RoutingSettings) -> Plan:
    if settings.route is None:
        root = Route(routes=by_severity(settings.channel_names()))
    else:
        root = _route(settings.route, Route(), "{}")
    rules = [*(shipped_inhibitions() if settings.shipped_inhibitions else ()), *settings.inhibit_rules]
    inhibitions = (
        Inhibition(parse_all(rule.source_matchers), parse_all(rule.target_matchers), rule.equal) for rule in rules
    )
    intervals = {interval.name: interval for interval in settings.time_intervals}
    return Plan(root, tuple(inhibitions), intervals, deploy_maintenance=settings.deploy_maintenance)


def _route(given: RouteSettings, above: Route, key: str) -> Route:
    """What is not set is the route above's; matchers, intervals and escalations are each route's own."""
    inherited = ("receiver", "group_by", "group_wait", "group_interval", "repeat_interval")
    own = {name: value for name in inherited if (value := getattr(given, name)) is not None}
    here = replace(
        above, key=key, matchers=parse_all(given.matchers), goes_on=given.goes_on, routes=(),
        mute=given.mute_time_intervals, active=given.active_time_intervals,
        escalate=tuple((step.after, step.receiver) for step in given.escalate), **own,
    )  # fmt: skip
    below: list[Route] = []
    for number, route in enumerate(given.routes):
        inner = f"{key}/{written(parse_all(route.matchers))}"
        taken = any(inner == other.key for other in below)
        below.append(_route(route, here, f"{inner}/{number}" if taken else inner))
    return replace(here, routes=tuple(below))


def shipped_inhibitions() -> tuple[InhibitRule, ...]:
    text = resources.files("alerts").joinpath("inhibitions.yml").read_text(encoding="utf-8")
    return tuple(InhibitRule.model_validate(rule) for rule in yaml.safe_load(text)["inhibit_rules"])
