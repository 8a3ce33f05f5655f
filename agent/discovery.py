"""Which targets there are: what the configuration says, and what is on this host and answers.

Collectors propose from the inventory; a trial read decides. What was found once stays watched while it is down.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from agent.configuration import Configuration
from agent.look import look
from agent.reading import Reading, failed, trial
from agent.remembered import Remembered
from agent.ticking import Watch
from collectors import registry
from collectors.config import Config
from collectors.errors import Unreachable
from collectors.inventory import Inventory
from collectors.inventory.sites import renamed
from collectors.model import Collector, Finding, Follower, Part, Proposal, Target

TRIAL_SECONDS = 8.0
FIRST_WAIT = 60.0  # seconds
LONGEST_WAIT = 600.0  # seconds
"""A server that lets nobody in logs each try: a refused proposal is tried again ever more rarely."""
DEFAULT_INTERVAL = 10.0  # seconds
WORST_FIRST = ("denied", "unreachable", "unsupported", "parse", "bug")
"""Of several failed tries at one server, the reason that says most."""

Paced = TypeVar("Paced", Part, Follower)
Trial = Callable[[Collector, Config], tuple[Reading, ...]]


@dataclass(frozen=True)
class Try:
    """One way into one thing that was found, and how it went."""

    collector: str
    proposal: Proposal
    readings: tuple[Reading, ...]
    """Empty: it was not tried, as another way in answered before, or there was nothing to try."""
    kept: bool


@dataclass(frozen=True)
class Discovery:
    watches: tuple[Watch, ...] = ()
    findings: tuple[Finding, ...] = ()
    blind: tuple[str, ...] = ()
    readings: Mapping[Target, tuple[Reading, ...]] = field(default_factory=dict)
    """Of the targets that were tried this time."""
    tries: tuple[Try, ...] = ()
    """Every proposal of this time."""


@dataclass
class Refused:
    finding: Finding | None
    """None: it answers, but not as it should be to be kept, and there is nothing to tell."""
    tries: int
    next_try: float  # Unix seconds


Place = tuple[str, str]
"""(collector, what was found): proposals that agree in it are several ways into one server."""


class Discoverer:
    """`discover` again and again; it remembers what answered and what did not."""

    def __init__(
        self,
        remembered: Remembered | None = None,
        *,
        inventory: Callable[[str], Inventory] = look,
        trial: Trial = trial,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._remembered = remembered
        self._inventory = inventory
        self._trial = trial
        self._clock = clock
        self._refused: dict[Place, Refused] = {}

    def forget_refused(self) -> None:
        """Try everything again at the next `discover`."""
        self._refused = {}

    def discover(self, configuration: Configuration) -> Discovery:
        """The configuration's targets first; of the same target, that one counts."""
        host = configuration.host
        watches = {watch.collector.target(watch.config, host): watch for watch in configured(configuration)}
        if not configuration.discovery:
            return Discovery(tuple(paced(watch, configuration.interval) for watch in watches.values()))
        now = self._clock()
        known = {watch.collector.target(watch.config, host): watch for watch in self._known()}
        inventory = self._inventory(host)
        names = {(site.docroot, site.directory): site.name for site in configuration.sites}
        inventory = replace(inventory, sites=renamed(inventory.sites, names))
        proposals = proposed(inventory)
        known = {
            target: watch for target, watch in known.items() if not self._has_another_name(target, watch, proposals)
        }
        readings = self._try(self._untried(proposals, watches, known, host, now))
        found = _answered(proposals, readings, known, host)
        self._note(proposals, readings, now)
        if self._remembered:
            self._remembered.seen(found.values(), now)
        for target, watch in {**known, **found}.items():
            watches.setdefault(target, watch)
        refused = [each.finding for place, each in self._refused.items() if place in proposals]
        findings = [finding for finding in refused if finding]
        findings += [_finding(each) for each in _hopeless(proposals) if not _watched(each, watches.values())]
        mine = {self._target(place[0], each, host): tried for (place, each), tried in readings.items()}
        return Discovery(
            tuple(paced(watch, configuration.interval) for watch in watches.values()),
            tuple(findings), inventory.blind, {target: tried for target, tried in mine.items() if target in watches},
            tuple(_tries(proposals, readings)),
        )  # fmt: skip

    @staticmethod
    def _target(name: str, config: Config, host: str) -> Target:
        return registry.collector(name).target(config, host)

    def _known(self) -> Iterable[Watch]:
        return self._remembered.watches(self._clock()) if self._remembered else ()

    def _has_another_name(self, target: Target, watch: Watch, proposals: Mapping[Place, Sequence[Proposal]]) -> bool:
        """A site that is proposed again, as another target than before."""
        group = proposals.get((watch.collector.name, watch.found), ()) if watch.collector.name == "drupal" else ()
        now = [self._target("drupal", each.config, target.host) for each in group if each.config is not None]
        return bool(now) and target not in now

    def _untried(
        self,
        proposals: Mapping[Place, Sequence[Proposal]],
        configured: Mapping[Target, Watch],
        known: Mapping[Target, Watch],
        host: str,
        now: float,
    ) -> list[tuple[Place, list[Config]]]:
        """What has to be tried now: neither watched already nor refused a short while ago."""
        untried = []
        for place, group in proposals.items():
            configs = [each.config for each in group if each.config is not None]
            targets = {self._target(place[0], config, host) for config in configs}
            watched = any(target in configured for target in targets) or any(
                known[target].config == config
                for config in configs
                if (target := self._target(place[0], config, host)) in known
            )
            refused = self._refused.get(place)
            if configs and not watched and not (refused and now < refused.next_try):
                untried.append((place, configs))
        return untried

    def _try(self, untried: Sequence[tuple[Place, list[Config]]]) -> dict[tuple[Place, Config], tuple[Reading, ...]]:
        """All places at the same time, the ways into one after another until one answers. Late ones are left behind."""
        readings: dict[tuple[Place, Config], tuple[Reading, ...]] = {}

        def one(place: Place, configs: Sequence[Config]) -> None:
            for config in configs:
                tried = self._trial(registry.collector(place[0]), config)
                readings[place, config] = tried
                if _good(registry.collector(place[0]), tried):
                    return

        threads = [threading.Thread(target=one, args=each, name="trial", daemon=True) for each in untried]
        for thread in threads:
            thread.start()
        until = time.monotonic() + TRIAL_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        done = dict(readings)
        for place, configs in untried:
            if not any((place, config) in done for config in configs):
                late = Unreachable(f"no answer within {TRIAL_SECONDS:g} s")
                done[place, configs[0]] = tuple(
                    failed(part, late) for part in registry.collector(place[0]).parts_of(configs[0])
                )
        return done

    def _note(
        self,
        proposals: Mapping[Place, Sequence[Proposal]],
        readings: Mapping[tuple[Place, Config], tuple[Reading, ...]],
        now: float,
    ) -> None:
        for place, group in proposals.items():
            tried = {config: result for (at, config), result in readings.items() if at == place}
            if not tried:
                continue
            if any(_good(registry.collector(place[0]), result) for result in tried.values()):
                self._refused.pop(place, None)
                continue
            before = self._refused.get(place)
            tries = before.tries + 1 if before else 1
            wait = min(FIRST_WAIT * 2 ** (tries - 1), LONGEST_WAIT)
            self._refused[place] = Refused(_refusal(place, group, tried), tries, now + wait)


def _tries(
    proposals: Mapping[Place, Sequence[Proposal]], readings: Mapping[tuple[Place, Config], tuple[Reading, ...]]
) -> Iterable[Try]:
    for place, group in proposals.items():
        collector = registry.collector(place[0])
        for proposal in group:
            tried = readings.get((place, proposal.config), ()) if proposal.config is not None else ()
            yield Try(place[0], proposal, tried, bool(tried) and _good(collector, tried))


def configured(configuration: Configuration) -> Iterable[Watch]:
    for name in registry.MODULES:
        for config in configuration.targets_of(name):
            yield Watch(registry.collector(name), config)


def paced(watch: Watch, interval: float) -> Watch:
    """The watch with the parts that its configuration asks for: the fast ones at that interval, or all at its own."""
    collector, own = watch.collector, getattr(watch.config, "interval", None)
    parts = tuple(_paced(part, interval, own) for part in collector.parts_of(watch.config))
    followers = tuple(_paced(follower, interval, own) for follower in collector.followers_of(watch.config))
    return replace(watch, collector=replace(collector, parts=parts, followers=followers))


def _paced(part: Paced, interval: float, own: float | None) -> Paced:
    return replace(part, interval=own or interval) if own or part.interval == DEFAULT_INTERVAL else part


def proposed(inventory: Inventory) -> dict[Place, list[Proposal]]:
    proposals: dict[Place, list[Proposal]] = {}
    for collector in registry.collectors():
        for proposal in collector.discover(inventory):
            proposals.setdefault((collector.name, proposal.found), []).append(proposal)
    return proposals


def _answered(
    proposals: Mapping[Place, Sequence[Proposal]],
    readings: Mapping[tuple[Place, Config], tuple[Reading, ...]],
    known: Mapping[Target, Watch],
    host: str,
) -> dict[Target, Watch]:
    """What is proposed and answers now, or did before with the same settings."""
    found: dict[Target, Watch] = {}
    for place, group in proposals.items():
        collector = registry.collector(place[0])
        for proposal in group:
            if proposal.config is None:
                continue
            target = collector.target(proposal.config, host)
            tried = readings.get((place, proposal.config), ())
            before = known.get(target)
            if _good(collector, tried) or (before and before.config == proposal.config):
                found[target] = Watch(collector, proposal.config, proposal.found, proposal.remedy)
    return found


def _good(collector: Collector, tried: Sequence[Reading]) -> bool:
    """The trial decides for keeping."""
    samples = [sample for reading in tried for sample in reading.samples]
    return any(reading.answered for reading in tried if not reading.part.beside) and collector.accepts(samples)


def _hopeless(proposals: Mapping[Place, Sequence[Proposal]]) -> Iterable[tuple[Place, Proposal]]:
    """There is nothing to try, only something to tell."""
    return [(place, each) for place, group in proposals.items() for each in group if each.config is None]


def _watched(hopeless: tuple[Place, Proposal], watches: Iterable[Watch]) -> bool:
    place, proposal = hopeless
    return any(watch.collector.name == place[0] and watch.found == proposal.found for watch in watches)


def _finding(hopeless: tuple[Place, Proposal]) -> Finding:
    place, proposal = hopeless
    return Finding(place[0], proposal.found, "", proposal.remedy)


def _refusal(place: Place, group: Sequence[Proposal], tried: Mapping[Config, tuple[Reading, ...]]) -> Finding | None:
    failures = [reading for result in tried.values() for reading in result if not reading.answered]
    if not failures or idle(group[0], failures):
        return None
    worst = min(failures, key=_telling)
    remedy = next((each.remedy for each in group if each.config in tried and each.remedy), "")
    return Finding(place[0], place[1], f"{worst.outcome}: {worst.error}", remedy)


def idle(proposal: Proposal, failures: Iterable[Reading]) -> bool:
    """Nobody answers, and nobody has to."""
    return bool(proposal.unused) and {reading.outcome for reading in failures} == {"unreachable"}


def _telling(reading: Reading) -> int:
    return WORST_FIRST.index(reading.outcome) if reading.outcome in WORST_FIRST else len(WORST_FIRST)
