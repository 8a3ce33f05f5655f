"""The log engine's hook: each line that is worth a look to counters, groups and events."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from collectors.model import Event, State
from collectors.own_requests import is_own
from collectors.weblog import engine
from collectors.weblog.attacks import logins
from collectors.weblog.attacks.classify import hits
from collectors.weblog.attacks.families import COUNTS, KEYS, RATES
from collectors.weblog.attacks.floods import FLOOD, Rates, forms
from collectors.weblog.attacks.keys import Keys
from collectors.weblog.attacks.logins import source_of
from collectors.weblog.attacks.outcome import Pace, outcome, with_page
from collectors.weblog.attacks.prefilter import chosen, odd
from collectors.weblog.attacks.scans import scans
from collectors.weblog.attacks.telling import Found, Seen, severity_of, shown, tell
from collectors.weblog.counting import Lines
from collectors.weblog.families import SITE
from collectors.weblog.layout import Request
from collectors.weblog.values import MOMENTS, timings
from collectors.weblog.windows import network_of

HARDLY_THERE = frozenset(("probe", "sensitive_file", "webshell"))


def step(state: State, payload: Any) -> tuple[State, Sequence[Event]]:
    watch = Watch(state, payload)
    after, events = engine.step(state, payload, watch.inspect, watch.choose)
    kept = {key: value for key, value in after.items() if not key.startswith(COUNTS)}
    return kept | watch.state(), events


class Watch:
    """One step. The state that it begins with stays as it is."""

    def __init__(self, state: State, payload: Any) -> None:
        self._now: float = payload["at"]
        self._counts = {site: dict(state.get(COUNTS + site, {})) for site in payload["sites"]}
        self._keys = Keys(state.get(KEYS))
        self._rates = Rates(state.get(RATES))
        self._usual = {site: state.get(SITE + site, {}).get("durations", {}) for site in payload["sites"]}
        self._unit = 1.0
        self._floods: Iterator[float | None] = iter(())
        """Of the chosen lines: the minute in which their source becomes a flood."""

    def state(self) -> State:
        counts = {COUNTS + site: found for site, found in self._counts.items()}
        return {**counts, KEYS: self._keys.plain(), RATES: self._rates.plain()}

    def choose(self, lines: Lines) -> Sequence[int]:
        self._unit = lines.unit
        floods = self._rates.add(lines)
        found = sorted({*chosen(lines), *floods}) if floods else chosen(lines)
        self._floods = map(floods.get, found)
        return found

    def inspect(self, request: Request, site: str, route: str) -> Iterable[Event]:
        now, flood = MOMENTS[request.time] or self._now, next(self._floods)
        if is_own(request.remote, request.method, request.path, request.query, request.agent):
            return ()
        each = [*self._attacks(request, site, route, now), *self._doors(request, site, route, now)]
        return each if flood is None else [*each, *self._flood(request, site, flood)]

    def _flood(self, request: Request, site: str, at: float) -> Iterator[Event]:
        self._add(site, f"{FLOOD.found} {FLOOD.outcome}")
        yield from self._tell(site, FLOOD._replace(who=source_of(request.remote)), request, at)

    def _pace(self, request: Request, site: str, route: str) -> Pace | None:
        timing = timings(self._unit)[request.duration]
        cell = self._usual.get(site, {}).get(route)
        if timing is None or not cell or not (requests := sum(cell[:-1])):
            return None
        return Pace(timing[1], cell[-1] / requests)

    def _attacks(self, request: Request, site: str, route: str, now: float) -> Iterator[Event]:
        found = hits(request) if odd(request) else []
        pages = self._keys.get("pages", site) or []
        for hit in found:
            pace = self._pace(request, site, route) if hit.found == "sqli" else None
            how = outcome(hit, request, pages, pace)
            self._add(site, f"{hit.found} {how}")
            yield from self._tell(site, Found(hit.found, how, hit.rule, hit.why, hit.cve), request, now)
        if any(hit.found in HARDLY_THERE for hit in found):
            after = with_page(pages, request)
            if after is not pages:
                self._keys.put("pages", site, after)

    def _doors(self, request: Request, site: str, route: str, now: float) -> Iterator[Event]:
        said = logins.result(request, route)
        each: Iterator[Found] = chain(
            logins.walks(self._keys, site, request, route, now), scans(self._keys, site, request, now),
            forms(self._keys, site, request, route, now),
        )  # fmt: skip
        if said:
            self._add(site, f"login {said}")
            each = logins.login(self._keys, site, request, said, now)
        found = list(each)
        for key in dict.fromkeys(f"{one.found} {one.outcome}" for one in found):
            self._add(site, key)
        for one in found:
            yield from self._tell(site, one, request, now)

    def _tell(self, site: str, one: Found, request: Request, now: float) -> Iterator[Event]:
        network = one.who or network_of(request.remote)
        seen = Seen(site, network, one.found, one.outcome, severity_of(one.found, one.outcome), now)
        return tell(self._keys, seen, shown(request, one))

    def _add(self, site: str, key: str) -> None:
        counts = self._counts.setdefault(site, {})
        counts[key] = counts.get(key, 0) + 1
