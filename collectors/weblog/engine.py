"""From what the logs have gained to counters and events.

Lines are taken by the thousand and column by column: what is the same for many lines is worked out once.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple

from collectors.model import Event, State
from collectors.weblog.agents import AGENTS
from collectors.weblog.families import SITE
from collectors.weblog.formats import detect, layout
from collectors.weblog.layout import Columns, Request, rows
from collectors.weblog.routes import FILES, OTHER, ROUTES, SECTION, with_query
from collectors.weblog.site import CACHES, UNKNOWN, Site
from collectors.weblog.values import BUCKETS, MOMENTS, UPSTREAMS, timings
from collectors.weblog.windows import Windows

CHUNK = 2**19
"""Characters that are taken at once."""
LOOKED_AT = 50
"""Lines by which a format is found."""
STRANGE = 20
"""So many lines, and none of them in the format that was known: it is another one now."""
WINDOWS = "windows "
"""What the state's keys begin with that hold a site's last minutes."""

Inspect = Callable[[Request, str, str], Iterable[Event]]
"""(request, site, class) -> events: asked for each line. Pure."""


def step(state: State, payload: Any, inspect: Inspect | None = None) -> tuple[State, Sequence[Event]]:
    work = Work(state, payload, inspect)
    for piece in payload["pieces"]:
        work.take(piece)
    return work.done(), work.events


class Read(NamedTuple):
    format: str
    parsed: int
    """Lines that were understood."""
    columns: Columns
    unit: float
    """Of durations, in seconds."""


class Hosts(dict[str, str]):
    """A host as it is logged -> site."""

    def __init__(self, names: Mapping[str, str], default: str) -> None:
        super().__init__()
        self._names = names
        self._default = default

    def __missing__(self, host: str) -> str:
        name = host.lower().rstrip(".")
        if name not in self._names:
            name = name.rpartition(":")[0] if name.rpartition(":")[2].isdigit() else name
        wild = "*." + name.partition(".")[2]
        found = self._names.get(name) or self._names.get(wild) or self._default
        if len(self) < 1000 and len(host) < 256:
            self[host] = found
        return found


class Work:
    """One step. The state that it begins with stays as it is."""

    def __init__(self, state: State, payload: Any, inspect: Inspect | None) -> None:
        self.state = dict(state)
        self.now: float = payload["at"]
        self.hosts: Mapping[str, str] = payload["hosts"]
        self.events: list[Event] = []
        self._inspect = inspect
        self._sites: dict[str, Site] = {}
        self._windows: dict[str, Windows] = {}
        self._newest: list[float] = []
        self._lines = dict(state.get("lines") or {"parsed": 0, "unparsed": 0})
        self._formats = dict(state.get("formats") or {})
        self.state["readable"] = payload["readable"]

    def done(self) -> State:
        self.state["lines"], self.state["formats"] = self._lines, self._formats
        for name, site in self._sites.items():
            self.state[SITE + name] = site.counts
        for name, table in self._windows.items():
            self.state[WINDOWS + name] = table.packed()
        if self._newest:
            self.state["lag"] = round(max(0.0, self.now - min(self._newest)), 3)
        return self.state

    def site(self, name: str) -> Site:
        if name not in self._sites:
            self._sites[name] = Site(self.state.get(SITE + name))
        return self._sites[name]

    def windows(self, name: str) -> Windows:
        if name not in self._windows:
            self._windows[name] = Windows(name, self.state.get(WINDOWS + name))
        return self._windows[name]

    def take(self, piece: Any) -> None:
        last = None
        for chunk in _chunks(piece["text"]):
            lines = chunk.count("\n") + (not chunk.endswith("\n"))
            read = self._read(piece, chunk, lines)
            self._lines["parsed"] += read.parsed
            self._lines["unparsed"] += lines - read.parsed
            if read.parsed:
                self._count(piece, read)
                last = MOMENTS[read.columns["time"][-1]] if "time" in read.columns else None
        if last is not None and piece["followed"]:
            self._newest.append(last)

    def _read(self, piece: Any, chunk: str, lines: int) -> Read:
        """With the format that the configuration says, or that was found before, or that is found now."""
        path, php = piece["path"], piece["php"]
        known = self._formats.get(path, "")
        read = _first((piece["format"], known), chunk, php)
        if not read.parsed and not php and (not known or lines >= STRANGE):
            read = _first([detect(chunk.split("\n", LOOKED_AT)[:LOOKED_AT])], chunk, php)
        if read.parsed:
            self._formats[path] = read.format
        return read

    def _count(self, piece: Any, read: Read) -> None:
        count, columns, unit = read.parsed, read.columns, read.unit
        default = piece["site"] or OTHER
        logged = "host" in columns and bool(self.hosts)
        sites = list(map(Hosts(self.hosts, default).__getitem__, columns["host"])) if logged else [default] * count
        if piece["php"]:
            self._count_php(sites, columns, unit)
            return
        queried = [at for at, query in enumerate(columns.get("query") or ()) if query]
        classes = _classes(count, columns, queried)
        statuses = columns.get("status") or [""] * count
        self._count_requests(sites, classes, statuses)
        self._count_clients(sites, columns)
        self._add(sites, columns, "bytes", int)
        self._add(sites, columns, "upstream", UPSTREAMS.__getitem__)
        self._count_durations(sites, classes, columns, unit)
        self._watch(sites, classes, statuses, columns, queried)
        if self._inspect is not None:
            for site, found, row in zip(sites, classes, rows(count, columns), strict=True):
                self.events += self._inspect(Request._make(row), site, found)

    def _count_requests(self, sites: list[str], classes: list[str], statuses: Sequence[str]) -> None:
        counted = Counter(zip(sites, classes, statuses, strict=True))
        new = {(site, found) for site, found, status in counted if found.startswith(SECTION) and status[:1] == "2"}
        new = {each for each in new if self.site(each[0]).learns and self.site(each[0]).label(each[1]) != each[1]}
        if new:  # line by line, so that it does not matter which lines are read together
            classes[:] = [
                self.site(site).learn(found, status) if (site, found) in new else found
                for site, found, status in zip(sites, classes, statuses, strict=True)
            ]
            self._count_requests(sites, classes, statuses)
            return
        for (site, found, status), times in counted.items():
            self.site(site).add(found, status, times)

    def _count_clients(self, sites: list[str], columns: Columns) -> None:
        agents = map(AGENTS.__getitem__, columns["agent"]) if "agent" in columns else repeat("")
        methods = columns.get("method") or repeat("")
        for (site, method, agent), times in Counter(zip(sites, methods, agents, strict=False)).items():
            self.site(site).add_client(method, agent, times)
        for name in (name for name in CACHES if name in columns):
            for (site, said), times in Counter(zip(sites, columns[name], strict=True)).items():
                self.site(site).add_cached(name, said, times)

    def _add(self, sites: list[str], columns: Columns, name: str, value: Callable[[str], float]) -> None:
        texts = columns.get(name, ())
        if texts and not self.hosts and "" not in texts and "-" not in texts:
            self.site(sites[0]).add_to(name, sum(map(value, texts)))
            return
        sums: dict[str, float] = defaultdict(float)
        for site, text in zip(sites, texts, strict=False):
            if text not in UNKNOWN:
                sums[site] += value(text)
        for site, amount in sums.items():
            self.site(site).add_to(name, amount)

    def _count_durations(self, sites: list[str], classes: list[str], columns: Columns, unit: float) -> None:
        if "duration" not in columns:
            return
        cells: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0] * (len(BUCKETS) + 1))
        known = timings(unit)
        for key, text in zip(zip(sites, classes, strict=True), columns["duration"], strict=True):
            if (timing := known[text]) is not None:
                cell = cells[key]
                cell[timing[0]] += 1
                cell[-1] += timing[1]
        for (site, found), cell in cells.items():
            self.site(site).add_durations(found, cell)

    def _count_php(self, sites: list[str], columns: Columns, unit: float) -> None:
        known = timings(unit)
        for site, text in zip(sites, columns.get("duration", ()), strict=False):
            if (timing := known[text]) is not None:
                self.site(site).add_to("php requests", 1)
                self.site(site).add_to("php seconds", timing[1])

    def _watch(
        self, sites: list[str], classes: list[str], statuses: Sequence[str], columns: Columns, queried: list[int]
    ) -> None:
        """What shows only over some minutes."""
        times = columns.get("time") or [""] * len(sites)
        if "404" in statuses and (paths := columns.get("path")):
            for at in (at for at, status in enumerate(statuses) if status == "404"):
                self.events += self.windows(sites[at]).missed(paths[at], MOMENTS[times[at]] or self.now)
        remotes = columns.get("remote") or [""] * len(sites)
        for at in (at for at in queried if classes[at] not in FILES and statuses[at] != "404"):
            found, query = self.site(sites[at]).label(classes[at]), columns["query"][at]
            now = MOMENTS[times[at]] or self.now
            self.events += self.windows(sites[at]).asked(found, query, remotes[at], now)


def _first(formats: Iterable[str], chunk: str, php: bool) -> Read:
    """By the first format that fits any of it."""
    for text in formats:
        found = layout(text, php=php)
        if found and (read := found.columns(chunk))[0]:
            return Read(text, *read, found.seconds)
    return Read("", 0, {}, 1.0)


def _chunks(text: str) -> Iterator[str]:
    """Whole lines."""
    at = 0
    while at < len(text):
        end = text.rfind("\n", at, at + CHUNK) + 1
        if end <= at:
            end = (text.find("\n", at) + 1) or len(text)
        yield text[at:end]
        at = end


def _classes(count: int, columns: Columns, queried: list[int]) -> list[str]:
    """`queried`: the lines with a query string."""
    if "path" not in columns:
        return [OTHER] * count
    classes = list(map(ROUTES.__getitem__, columns["path"]))
    queries = columns.get("query", ())
    for at in queried:
        classes[at] = with_query(classes[at], queries[at])
    return classes
