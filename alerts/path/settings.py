"""Routes, inhibitions and time intervals in the configuration, in Alertmanager's words.

Source: https://prometheus.io/docs/alerting/latest/configuration/
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from alerts.matchers import parse_matchers
from alerts.path.intervals import TimeInterval
from collectors.config import Config, Seconds


def _matcher(text: str) -> str:
    parse_matchers(text)
    return text


MatcherText = Annotated[str, AfterValidator(_matcher)]
Wait = Annotated[Seconds, Field(ge=0)]
Interval = Annotated[Seconds, Field(gt=0)]


class Escalation(Config):
    after: Interval
    """How long an alert goes on after it was told, without an acknowledgement."""
    receiver: Annotated[str, Field(min_length=1)]
    """Whom to tell then: the name of a channel."""


class RouteSettings(Config):
    receiver: str | None = None
    """The name of a channel; the route above's if not set. Empty: nobody."""
    matchers: tuple[MatcherText, ...] = ()
    """Which alerts take it, such as `severity="critical"`; all of them have to fit."""
    group_by: tuple[str, ...] | None = None
    """Alerts with equal values of these labels are one message; `...` for all labels."""
    group_wait: Wait | None = None
    """How long the first message of a group waits for others to come."""
    group_interval: Interval | None = None
    """Time between two messages of a group in which something is new."""
    repeat_interval: Interval | None = None
    """Time after which what still fires is told again; looked at each group_interval."""
    goes_on: Annotated[bool, Field(alias="continue")] = False
    """Also try the routes behind this one."""
    mute_time_intervals: tuple[str, ...] = ()
    """Names of time intervals during which nobody is told; what goes on is told after."""
    active_time_intervals: tuple[str, ...] = ()
    """Names of time intervals outside of which nobody is told."""
    escalate: tuple[Escalation, ...] = ()
    """Whom to tell when nobody acknowledges."""
    routes: tuple["RouteSettings", ...] = ()
    """Routes below, with the same keys: the first that fits is taken."""

    @field_validator("group_by")
    @classmethod
    def _each_label_once(cls, labels: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if labels and len(set(labels)) < len(labels):
            raise ValueError("expected each label once")
        if labels and "..." in labels and len(labels) > 1:
            raise ValueError("expected no other label beside ...")
        return labels

    def tree(self) -> Iterator["RouteSettings"]:
        yield self
        for route in self.routes:
            yield from route.tree()


class InhibitRule(Config):
    source_matchers: tuple[MatcherText, ...] = ()
    """Alerts that suppress others while they fire."""
    target_matchers: tuple[MatcherText, ...] = ()
    """Alerts that are suppressed."""
    equal: tuple[str, ...] = ()
    """Labels that have to be the same on both; a label that is not there is an empty one."""

    @model_validator(mode="after")
    def _both_sides(self) -> Self:
        if not self.source_matchers or not self.target_matchers:
            raise ValueError("expected source_matchers and target_matchers")
        return self


class RoutingSettings(Config):
    """Base of `notify`, whose other keys are channels by name."""

    route: RouteSettings | None = None
    """Who is told what. Without it every channel is told everything but `info`."""
    inhibit_rules: tuple[InhibitRule, ...] = ()
    """Which alerts make others pointless, beside those that come with Raingauge."""
    shipped_inhibitions: bool = True
    """Suppress what follows from a host, a disk or a server that is down, as alerts/inhibitions.yml says."""
    deploy_maintenance: Annotated[Seconds, Field(ge=0, le=3600)] = 300.0
    """How long after a deploy warnings of its site are held back, unless they are of security; 0: not at all."""
    time_intervals: tuple[TimeInterval, ...] = ()
    """Quiet hours and the like, for `mute_time_intervals` and `active_time_intervals` of routes."""

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        intervals = [interval.name for interval in self.time_intervals]
        if twice := next((name for name in intervals if intervals.count(name) > 1), None):
            raise ValueError(f"expected each time interval once, found {twice!r} again")
        for route in self.route.tree() if self.route else ():
            named = [step.receiver for step in route.escalate] + ([route.receiver] if route.receiver else [])
            if wrong := next((name for name in named if name not in self.channel_names()), None):
                known = ", ".join(self.channel_names()) or "none is set"
                raise ValueError(f"expected the name of a channel ({known}), found receiver {wrong!r}")
            used = (*route.mute_time_intervals, *route.active_time_intervals)
            if wrong := next((name for name in used if name not in intervals), None):
                raise ValueError(f"expected the name of a time interval, found {wrong!r}")
        return self

    @model_validator(mode="after")
    def _root_takes_all(self) -> Self:
        if self.route and (self.route.matchers or self.route.goes_on):
            raise ValueError("expected no matchers and no continue at the first route: it takes every alert")
        return self

    def channel_names(self) -> tuple[str, ...]:
        return tuple(str(name) for _, value in self if isinstance(value, Mapping) for name in value)
