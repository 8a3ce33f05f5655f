"""Lines of one format, as many at once, added to what is known of their sites.

Column by column: what is the same for many lines is worked out once.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

from collectors.weblog.agents import AGENTS
from collectors.weblog.layout import Columns
from collectors.weblog.routes import OTHER, ROUTES, SECTION, with_query
from collectors.weblog.site import CACHES, UNKNOWN, Site
from collectors.weblog.values import BUCKETS, UPSTREAMS, timings


@dataclass(frozen=True)
class Lines:
    count: int
    columns: Columns
    unit: float
    """Of durations, in seconds."""
    sites: list[str]
    one_site: bool
    classes: list[str]
    statuses: Sequence[str]
    queried: list[int]
    """Those with a query string."""


SiteOf = Callable[[str], Site]


class Hosts(dict[str, str]):
    """A host as it is logged -> site."""

    def __init__(self, names: Mapping[str, str], default: str) -> None:
        super().__init__()
        self._names = names
        self._default = default

    def __missing__(self, host: str) -> str:
        name = host.lower().rstrip(".")
        before, _, port = name.rpartition(":")
        name = before if port.isdecimal() and before else name
        wild = "*." + name.partition(".")[2]
        found = self._names.get(name) or self._names.get(wild) or self._default
        if len(self) < 1000 and len(host) < 256:
            self[host] = found
        return found


def lines_of(count: int, columns: Columns, unit: float, hosts: Hosts | None, default: str) -> Lines:
    """`hosts`: None where there are none to be known. Their site is `default` then."""
    sites = [default] * count if hosts is None else list(map(hosts.__getitem__, columns["host"]))
    queries = columns.get("query", ())
    queried = [at for at, query in enumerate(queries) if query]
    classes = list(map(ROUTES.__getitem__, columns["path"])) if "path" in columns else [OTHER] * count
    for at in queried:
        classes[at] = with_query(classes[at], queries[at])
    return Lines(count, columns, unit, sites, hosts is None, classes, columns.get("status") or [""] * count, queried)


def add(lines: Lines, site_of: SiteOf) -> None:
    _add_requests(lines, site_of)
    _add_clients(lines, site_of)
    _add_amounts(lines, site_of, "bytes", "bytes", int)
    _add_amounts(lines, site_of, "upstream", "upstream", UPSTREAMS.__getitem__)
    _add_amounts(lines, site_of, "upstream", "upstream requests", lambda _: 1)
    _add_durations(lines, site_of)


def add_php(lines: Lines, site_of: SiteOf) -> None:
    """Lines of PHP-FPM: the web server has them, too."""
    known = timings(lines.unit)
    for name, text in zip(lines.sites, lines.columns.get("duration", ()), strict=False):
        if (timing := known[text]) is not None:
            site_of(name).add_to("php requests", 1)
            site_of(name).add_to("php seconds", timing[1])


def _add_requests(lines: Lines, site_of: SiteOf) -> None:
    counted = Counter(zip(lines.sites, lines.classes, lines.statuses, strict=True))
    good = {(site, found) for site, found, status in counted if found.startswith(SECTION) and status[:1] == "2"}
    new = {(site, found) for site, found in good if site_of(site).may_learn(found)}
    if new:  # line by line, so that it does not matter which lines are read together
        lines.classes[:] = [
            site_of(site).learn(found, status) if (site, found) in new else found
            for site, found, status in zip(lines.sites, lines.classes, lines.statuses, strict=True)
        ]
        counted = Counter(zip(lines.sites, lines.classes, lines.statuses, strict=True))
    for (site, found, status), times in counted.items():
        site_of(site).add(found, status, times)


def _add_clients(lines: Lines, site_of: SiteOf) -> None:
    columns = lines.columns
    agents = map(AGENTS.__getitem__, columns["agent"]) if "agent" in columns else repeat("")
    methods = columns.get("method") or repeat("")
    for (site, method, agent), times in Counter(zip(lines.sites, methods, agents, strict=False)).items():
        site_of(site).add_client(method, agent, times)
    for name in (name for name in CACHES if name in columns):
        for (site, said), times in Counter(zip(lines.sites, _said(columns, name), strict=True)).items():
            site_of(site).add_cached(name, said, times)


def _said(columns: Columns, cache: str) -> Sequence[str]:
    """A page that comes from Drupal's page cache has what the other one said when it was made."""
    if cache != "dynamic_cache" or "drupal_cache" not in columns:
        return columns[cache]
    both = zip(columns["drupal_cache"], columns[cache], strict=True)
    return ["" if page == "HIT" else said for page, said in both]


def _add_amounts(lines: Lines, site_of: SiteOf, column: str, name: str, value: Callable[[str], float]) -> None:
    texts = lines.columns.get(column, ())
    if lines.one_site:
        known = [value(text) for text in texts if text not in UNKNOWN]
        if known:
            site_of(lines.sites[0]).add_to(name, sum(known))
        return
    sums: dict[str, float] = defaultdict(float)
    for site, text in zip(lines.sites, texts, strict=False):
        if text not in UNKNOWN:
            sums[site] += value(text)
    for site, amount in sums.items():
        site_of(site).add_to(name, amount)


def _add_durations(lines: Lines, site_of: SiteOf) -> None:
    if "duration" not in lines.columns:
        return
    cells: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0] * (len(BUCKETS) + 1))
    known = timings(lines.unit)
    for key, text in zip(zip(lines.sites, lines.classes, strict=True), lines.columns["duration"], strict=True):
        if (timing := known[text]) is not None:
            cell = cells[key]
            cell[timing[0]] += 1
            cell[-1] += timing[1]
    for (site, found), cell in cells.items():
        site_of(site).add_durations(found, cell)
