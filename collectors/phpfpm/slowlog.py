"""PHP-FPM's slow log, counted: which script, and where in it PHP was when the request had taken too long.

Pure: text comes in pieces of any size, and the state between them is plain data. Paths go no further than a file's
place in its site; arguments are not in this log.

Source: https://www.php.net/manual/en/install.fpm.configuration.php#slowlog
"""

import re
from collections.abc import Iterable
from typing import NamedTuple, TypedDict

from collectors.model import Counter, Sample
from collectors.phpfpm.logtext import MOST_POOLS, Counts, count, from_rows, to_rows, whole_lines

MOST_PLACES = 100
MOST_MODULES = 50
MOST_NAME = 80  # characters
SLOW = Counter(
    "php_slow_requests_total",
    "Requests slower than request_slowlog_timeout, by script and by the innermost function at that time.",
    ("pool", "script", "frame"),
    bounds={"pool": MOST_POOLS + 1, "script": MOST_PLACES + 1, "frame": MOST_PLACES + 1},
)
BY_MODULE = Counter(
    "php_slow_requests_by_module_total",
    "Slow requests by the innermost module or theme of Drupal in the stack; `none` where there is none.",
    ("pool", "module"),
    bounds={"pool": MOST_POOLS + 1, "module": MOST_MODULES + 1},
)
FAMILIES = (SLOW, BY_MODULE)

HEAD = re.compile(r"\[\d\d-\w{3}-\d{4} [\d:]{8}\] +\[pool ([^\]]+)\] pid \d+")
SCRIPT = "script_filename = "
FRAME = re.compile(r"\[0x[0-9a-f]+\] (?P<function>.*?)\(\)(?: (?P<file>.+):\d+)?")
EVALUATED = re.compile(r"\(\d+\) : .*$")  # `x.php(5) : eval()'d code`
CLOSURE = re.compile(r"\{closure.*\}")  # from PHP 8.4 on it has the file in it
DOCROOTS = {"web", "docroot", "html", "htdocs", "httpdocs", "public", "public_html", "wwwroot", "www"}
EXTENSION = re.compile(r"/(?:modules|themes)/(?:contrib/|custom/)?([a-z][a-z0-9_]*)/")
TWIG = "/php/twig/"


class Request(TypedDict):
    """A slow request whose lines are being read."""

    pool: str
    script: str
    frame: str
    """Empty until the first was read; then the request is counted."""
    module: str


class State(TypedDict):
    rest: str
    request: Request | None
    places: list[list[str | int]]
    """Pool, script, frame, requests."""
    modules: list[list[str | int]]
    """Pool, module, requests."""


class Totals(NamedTuple):
    """Since the state was new."""

    places: Counts
    modules: Counts


def start() -> State:
    return State(rest="", request=None, places=[], modules=[])


def step(state: State, text: str, pool: str = "") -> tuple[State, Totals]:
    """The state after that text, which goes on where the last one ended, and what was counted so far.

    `pool`: of several that share the log, only this one counts; "": all.
    """
    lines, rest = whole_lines(state["rest"], text)
    totals = Totals(from_rows(state["places"]), from_rows(state["modules"]))
    request = state["request"]
    for line in lines:
        request = _line(request, line.rstrip("\r"), totals, pool)
    after = State(rest=rest, request=request, places=to_rows(totals.places), modules=to_rows(totals.modules))
    return after, totals


def _line(request: Request | None, line: str, totals: Totals, only: str) -> Request | None:
    """The request that the next line belongs to."""
    places, modules = totals
    if head := HEAD.fullmatch(line):
        _end(request, places, modules)
        if only and head[1] != only:
            return None
        return Request(pool=_name(head[1]), script="unknown", frame="", module="")
    if request is None:
        return None
    if line.startswith(SCRIPT) and not request["frame"]:
        return {**request, "script": _in_site(line.removeprefix(SCRIPT))}
    if not (frame := FRAME.fullmatch(line)):
        _end(request, places, modules)
        return None
    pool, file = request["pool"], frame["file"] or ""
    if not request["frame"]:
        place = _name(f"{_function(frame['function'])}() {_file(file)}".strip())
        request = {**request, "frame": place}
        count(places, pool, (request["script"], place), MOST_PLACES)
    if not request["module"] and (module := _module(file)):
        request = {**request, "module": module}
        count(modules, pool, (module,), MOST_MODULES)
    return request


def _end(request: Request | None, places: Counts, modules: Counts) -> None:
    """Count what only the end tells: a request without frames (nobody had the right to trace it), or without module."""
    if request and not request["frame"]:
        count(places, request["pool"], (request["script"], "unknown"), MOST_PLACES)
    if request and not request["module"]:
        count(modules, request["pool"], ("none",), MOST_MODULES)


def _name(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)[:MOST_NAME]


def _function(name: str) -> str:
    """Closures and anonymous classes may have a path in their name."""
    return CLOSURE.sub("{closure}", name.partition("@anonymous")[0])


def _file(path: str) -> str:
    """Its name; those of compiled Twig templates are but hashes."""
    return "a Twig template" if TWIG in path else EVALUATED.sub("", path).rpartition("/")[2]


def _in_site(path: str) -> str:
    """What follows the last folder that is a docroot by its name; else the file's name alone."""
    folders = path.split("/")
    last = max((at for at, folder in enumerate(folders[:-1]) if folder in DOCROOTS), default=len(folders) - 2)
    return _name("/".join(folders[last + 1 :]))


def _module(path: str) -> str:
    if TWIG in path:
        return "twig"
    found = EXTENSION.search(path)
    return _name(found[1]) if found else ""


def samples(totals: Totals) -> Iterable[Sample]:
    for key, number in sorted(totals.places.items()):
        yield SLOW(number, *key)
    for key, number in sorted(totals.modules.items()):
        yield BY_MODULE(number, *key)
