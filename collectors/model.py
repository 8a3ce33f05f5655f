"""The shared vocabulary: families, samples, events, targets, and what a collector is.

One representation from the read to the chart: a `Sample` is never renamed or re-shaped on its way.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from collectors.config import Config
from collectors.inventory import Inventory

Kind = Literal["counter", "gauge", "untyped", "summary", "histogram"]
Severity = Literal["critical", "warning", "info"]

LABEL_BOUND = 200
"""Distinct values a label may take in one target unless its family says otherwise; past it a value becomes `other`."""


class Sample(NamedTuple):
    family: "Family"
    labels: tuple[str, ...]
    value: float


@dataclass(frozen=True, eq=False)
class Family:
    """One metric's name, help, labels, type and bounds, declared once beside the code that reads it.

    A name that ends in `*` is a family of names made from what the server says: `named("x")` gives each.
    """

    name: str
    help: str
    labels: tuple[str, ...] = ()
    kind: Kind = "gauge"
    bounds: Mapping[str, int] = field(default_factory=dict)
    """Label -> most distinct values; a label not named here has LABEL_BOUND."""
    keep_highest: bool = False
    """The kernel lets this counter slip back a little (idle time): publish the highest value seen."""
    part_of: "Family | None" = None
    """Of a summary or histogram: the family under whose HELP and TYPE these series stand on a page."""
    _named: dict[str, "Family"] = field(default_factory=dict, repr=False)

    def __call__(self, value: float, *labels: str) -> Sample:
        if len(labels) != len(self.labels):
            raise ValueError(f"{self.name} has labels {self.labels}, found {labels}")
        return Sample(self, labels, value)

    def named(self, rest: str, kind: Kind | None = None) -> "Family":
        """`kind`: where the server says which type each has."""
        if not self.name.endswith("*"):
            raise ValueError(f"{self.name} is one name, not a family of names")
        if rest not in self._named:
            help_text = self.help.replace("*", rest)
            self._named[rest] = Family(self.name[:-1] + rest, help_text, self.labels, kind or self.kind, self.bounds)
        return self._named[rest]

    def with_suffix(self, suffix: str, help: str) -> "Family":  # noqa: A002
        """The sum or the count of this summary or histogram, or its buckets."""
        labels = tuple(label for label in self.labels if label != "quantile")
        labels += ("le",) if suffix == "_bucket" else ()
        return Family(self.name + suffix, help, labels, self.kind, self.bounds, part_of=self)


def Gauge(name: str, help: str, labels: tuple[str, ...] = (), **options: Any) -> Family:  # noqa: A002, N802
    return Family(name, help, labels, "gauge", **options)


def Counter(name: str, help: str, labels: tuple[str, ...] = (), **options: Any) -> Family:  # noqa: A002, N802
    return Family(name, help, labels, "counter", **options)


def Untyped(name: str, help: str, labels: tuple[str, ...] = (), **options: Any) -> Family:  # noqa: A002, N802
    """For the official exporters' untyped families only; ours are gauges or counters."""
    return Family(name, help, labels, "untyped", **options)


def Summary(name: str, help: str, labels: tuple[str, ...] = (), **options: Any) -> Family:  # noqa: A002, N802
    """Its own series have a `quantile`; the official exporters' only, as `with_suffix` says."""
    return Family(name, help, labels, "summary", **options)


def Histogram(name: str, help: str, labels: tuple[str, ...] = (), **options: Any) -> Family:  # noqa: A002, N802
    """Has no series but those of `with_suffix`."""
    return Family(name, help, labels, "histogram", **options)


UP = Gauge("up", "1 if the target answered the last scrape. Written by whoever scrapes.")


@dataclass(frozen=True)
class Target:
    """What Prometheus would scrape as one. Its labels identify it; two targets never share them all."""

    job: str
    instance: str
    host: str
    extra: tuple[tuple[str, str], ...] = ()
    """`module` and `height` of checks."""

    @property
    def labels(self) -> dict[str, str]:
        return {"job": self.job, "instance": self.instance, "host": self.host, **dict(self.extra)}


def tcp_instance(host: str, address: str, port: int) -> str:
    """The instance of a server that is asked over TCP: this host's by its name, one elsewhere by its address."""
    name = host if address in ("127.0.0.1", "::1", "localhost") else address
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


@dataclass(frozen=True)
class Event:
    """A dated fact beside the samples: a restart, a deploy, a security finding, an alert's transition."""

    id: str
    kind: str
    severity: Severity
    host: str
    site: str
    first: float  # Unix seconds
    last: float  # Unix seconds
    count: int
    title: str
    evidence: tuple[Mapping[str, str], ...] = ()
    """Small records, redacted before they get here."""
    dedup_key: str = ""
    state: Literal["open", "closed"] = "closed"
    source: str = ""


@dataclass(frozen=True)
class Part:
    """One read of a target, with its own interval, deadline and outcome; published all or none."""

    name: str
    families: tuple[Family, ...]
    read: Callable[[Any], Any]
    """(config, or what `connect` gave) -> plain data; raises CollectError or Absent, lets OSError out."""
    parse: Callable[[Any], Iterable[Sample]]
    """(what `read` returned) -> samples; pure; raises ParseError."""
    interval: float = 10.0  # seconds
    wanted: Callable[[Any], bool] = lambda _config: True
    """Whether a target with this configuration has it; one that has not is neither read nor shown."""
    beside: bool = False
    """Of a follower that is."""


class PartRead(NamedTuple):
    """How the last read of a part went, and how many failed since the target is watched."""

    part: str
    succeeded: bool
    seconds: float
    failures: int


State = dict[str, Any]
"""What a follower knows: keys with JSON-able values, each kept apart so that only what changed is written."""


@dataclass(frozen=True)
class Follower:
    """Reads what a source has gained: logs, journals, tables that grow. Publishes at the ticks."""

    name: str
    families: tuple[Family, ...]
    read: Callable[[Any, Any], tuple[Any, Any]]
    """(config, cursor) -> (what is new; None: nothing, the cursor after it), all JSON-able. The first cursor is None.
    Raises as a part's `read` does."""
    step: Callable[[State, Any], tuple[State, Sequence[Event]]]
    """(state, what is new) -> (state after it, events); pure, and the state that it is given stays as it was. It begins
    with {}. An event's id derives from the source (file, offset), so that the same step gives the same ids."""
    samples: Callable[[State], Iterable[Sample]]
    """What the ticks publish of it."""
    more: Callable[[Any], bool] = lambda _payload: True
    """(what is new) -> whether there may be more already: then the next look is at once and not after a second."""
    interval: float = 10.0  # seconds between two ticks that publish it
    every: float = 1.0  # seconds between two looks at the source
    wanted: Callable[[Any], bool] = lambda _config: True
    """As a part's."""
    beside: bool = False
    """It reads a file beside the server, which is there when the server is not: it does not make the target up."""
    source: Literal["", "events"] = ""
    """`events`: its payload is `events`, the host's own new ones as objects, instead of what `read` would give."""
    hears: tuple[str, ...] = ()
    """Kinds of this host's own events that `step` is told of: its payload, an object, has them as `heard`,
    [site, last (Unix seconds)] each, of the last hour."""


@dataclass(frozen=True)
class Proposal:
    """What discovery thinks is there. One successful read of any part keeps it."""

    found: str
    """What was seen: "nginx (pid 812) listens on 127.0.0.1:80"."""
    config: Config | None = None
    """None: nothing to try, only `remedy` to show."""
    remedy: str = ""
    """The exact line or command that would let us read it; shown when the trial is denied or unsupported."""
    unused: str = ""
    """Why nobody may be there at all, "no PHP-FPM runs": then that nobody answers is nothing to mend."""


@dataclass(frozen=True)
class Collector:
    """How to read one kind of system. A module's `COLLECTOR`; see collectors/nginx/__init__.py for the pattern."""

    name: str
    """Its word in the configuration and on the command line."""
    job: str
    config: type[Config]
    parts: tuple[Part, ...]
    instance: Callable[[Any, str], str]
    """(config, host) -> the target's instance."""
    discover: Callable[[Inventory], Iterable[Proposal]]
    followers: tuple[Follower, ...] = ()
    up: Callable[[Any, int], Sample] | None = None
    """(config, 1 or 0) -> `<x>_up`, added by the runner: 1 answered, 0 unreachable, absent when it was denied."""
    connect: Callable[[Any], AbstractContextManager[Any]] | None = None
    """For a kept connection: the runner enters it, passes its value to `read`, and drops it on any error."""
    of_read: Callable[[Any, PartRead], Iterable[Sample]] | None = None
    """(config, how the last read of a part went) -> what the official exporter tells of its own reads."""
    read_families: tuple[Family, ...] = ()
    """Of `of_read`."""
    extra: Callable[[Any], tuple[tuple[str, str], ...]] = lambda _config: ()
    accepts: Callable[[Iterable[Sample]], bool] = lambda _samples: True
    """Whether a trial that answered these samples is good enough for discovery to keep the proposal."""
    grants: str = ""
    """The least privilege that it needs, as text for the reference page."""

    @property
    def families(self) -> tuple[Family, ...]:
        read = [part.families for part in self.parts] + [follower.families for follower in self.followers]
        parts = (family for families in read for family in families)
        return tuple(dict.fromkeys((*parts, *self.read_families)))

    def parts_of(self, config: Config) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.wanted(config))

    def followers_of(self, config: Config) -> tuple[Follower, ...]:
        return tuple(follower for follower in self.followers if follower.wanted(config))

    def target(self, config: Config, host: str) -> Target:
        return Target(self.job, self.instance(config, host), host, self.extra(config))


@dataclass(frozen=True)
class PartStatus:
    """How the last read of a part went; what the targets page and `raingauge check` show."""

    part: str
    interval: float
    outcome: str
    """`waiting` before the first read, then ok, absent, unreachable, denied, unsupported, parse, timeout or bug."""
    error: str = ""
    duration: float | None = None  # seconds
    last_success: float | None = None  # Unix seconds
    samples: int = 0
    beside: bool = False


@dataclass(frozen=True)
class TargetStatus:
    target: Target
    slug: str
    collector: str
    found: str
    """How we came to it: "configuration" or discovery's words."""
    parts: Sequence[PartStatus]
    remedy: str = ""
    elsewhere: bool = False
    """It is of another host, whose own Raingauge reads it."""

    @property
    def up(self) -> bool:
        """At least one part of the server itself answered at its last read."""
        return any(part.outcome in ("ok", "absent") for part in self.parts if not part.beside)


@dataclass(frozen=True)
class Finding:
    """Something on this host that we cannot read, why, and the line or command that would allow it."""

    collector: str
    found: str
    reason: str
    remedy: str
