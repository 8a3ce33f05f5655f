"""From what the logs have gained to counters and events."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from collectors.model import Event, State
from collectors.weblog import warming
from collectors.weblog.counting import Hosts, Lines, add, add_php, lines_of
from collectors.weblog.families import SITE
from collectors.weblog.formats import detect, layout
from collectors.weblog.layout import Columns, Request, request
from collectors.weblog.routes import FILES, OTHER
from collectors.weblog.site import Site
from collectors.weblog.values import MOMENTS
from collectors.weblog.windows import Asked, Windows

CHUNK = 2**17
"""Characters that are taken at once."""
LOOKED_AT = 50
"""Lines by which a format is found."""
STRANGE = 20
"""So many lines, and none of them in the format that was known: it is another one now."""
WINDOWS = "windows "
"""What the state's keys begin with that hold a site's last minutes."""
WARMING = "warming "
"""And how warm its caches were in them."""

Inspect = Callable[[Request, str, str], Iterable[Event]]
"""(request, site, class) -> events."""
Choose = Callable[[Lines], Iterable[int]]
"""Which of the lines `inspect` is asked for, in their order."""


def step(
    state: State, payload: Any, inspect: Inspect | None = None, choose: Choose = lambda lines: range(lines.count)
) -> tuple[State, Sequence[Event]]:
    work = Work(state, payload, inspect, choose)
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


class Work:
    """One step. The state that it begins with stays as it is."""

    def __init__(self, state: State, payload: Any, inspect: Inspect | None, choose: Choose) -> None:
        kinds = (SITE, WINDOWS, WARMING)
        kept = {f"{kind}{name}" for kind in kinds for name in payload["sites"]}
        self.state = {key: value for key, value in state.items() if not key.startswith(kinds) or key in kept}
        self.now: float = payload["at"]
        self.hosts: Mapping[str, str] = payload["hosts"]
        self._heard = payload.get("heard", ())
        self.events: list[Event] = []
        self._inspect, self._choose = inspect, choose
        self._sites: dict[str, Site] = {}
        self._windows: dict[str, Windows] = {}
        self._newest: list[float] = []
        self._lines = dict(state.get("lines") or {"parsed": 0, "unparsed": 0})
        self._formats = {path: form for path, form in state.get("formats", {}).items() if path in payload["readable"]}
        self.state["readable"] = payload["readable"]

    def done(self) -> State:
        self.state["lines"], self.state["formats"] = self._lines, self._formats
        for name, site in self._sites.items():
            self.state[SITE + name] = site.counts
            if cached := site.counts["cache"]:
                key = WARMING + name
                self.state[key], told = warming.step(name, self.state.get(key), cached, self._heard, self.now)
                self.events += told
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
        default = piece["site"] or OTHER
        hosts = Hosts(self.hosts, default) if self.hosts and "host" in read.columns else None
        lines = lines_of(read.parsed, read.columns, read.unit, hosts, default)
        if piece["php"]:
            add_php(lines, self.site)
            return
        add(lines, self.site)
        self._watch(lines)
        if self._inspect is not None:
            for at in self._choose(lines):
                self.events += self._inspect(request(at, lines.columns), lines.sites[at], lines.classes[at])

    def _watch(self, lines: Lines) -> None:
        """What shows only over some minutes."""
        columns, sites, statuses = lines.columns, lines.sites, lines.statuses
        times = columns.get("time") or [""] * lines.count
        if "404" in statuses and "path" in columns:
            for at in (at for at, status in enumerate(statuses) if status == "404"):
                now = MOMENTS[times[at]] or self.now
                self.events += self.windows(sites[at]).missed(columns["path"][at], now)
        remotes = columns.get("remote") or [""] * lines.count
        said = columns.get("cache") or columns.get("drupal_cache") or [""] * lines.count
        for at in (at for at in lines.queried if lines.classes[at] not in FILES and statuses[at] != "404"):
            found = self.site(sites[at]).label(lines.classes[at])
            asked = Asked(found, columns["path"][at], columns["query"][at], remotes[at], said[at])
            self.events += self.windows(sites[at]).asked(asked, MOMENTS[times[at]] or self.now)


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
