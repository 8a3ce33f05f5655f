"""What Solr counts of each core's handlers and caches, and of its own Java machine.

Source: https://solr.apache.org/guide/solr/9_6/deployment-guide/metrics-reporting.html. Before 7.0 the answer has
`{"count": 1}` or `{"value": 1}` where it has `1` today.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from collectors.errors import ParseError
from collectors.model import Counter, Family, Gauge, Sample
from collectors.solr.config import Solr, ask
from collectors.sources.jsontext import inside, json_object, number, objects

CORE = ("core",)
HANDLER = ("core", "handler")
CACHE = ("core", "cache")
CORES = {"core": 50}
HANDLERS = {**CORES, "handler": 20}
CACHES = {**CORES, "cache": 20}

# Last word of the name -> family, with how many of Solr's units are one of ours.
OF_HANDLER: Mapping[str, tuple[Family, float]] = {
    "requests": (Counter("solr_core_requests_total", "Requests that the handler took.", HANDLER, bounds=HANDLERS), 1),
    "errors": (Counter("solr_core_request_errors_total", "Requests that failed.", HANDLER, bounds=HANDLERS), 1),
    "timeouts": (
        Counter("solr_core_timeouts_total", "Requests that took too long; in part answered.", HANDLER, bounds=HANDLERS),
        1,
    ),
    "totalTime": (
        Counter("solr_core_request_seconds_total", "Time that requests took, added up.", HANDLER, bounds=HANDLERS),
        1e9,
    ),
}
# Solr's figures without `cumulative_` begin anew with each commit.
OF_CACHE: Mapping[str, Family] = {
    "cumulative_lookups": Counter("solr_core_cache_lookups_total", "Times the cache was asked.", CACHE, bounds=CACHES),
    "cumulative_hits": Counter("solr_core_cache_hits_total", "Times the cache had it.", CACHE, bounds=CACHES),
    "cumulative_inserts": Counter("solr_core_cache_inserts_total", "Entries put into the cache.", CACHE, bounds=CACHES),
    "cumulative_evictions": Counter(
        "solr_core_cache_evictions_total", "Entries that had to go for others.", CACHE, bounds=CACHES
    ),
    "size": Gauge("solr_core_cache_entries", "Entries in the cache now.", CACHE, bounds=CACHES),
}
OF_UPDATES: Mapping[str, Family] = {
    "commits": Counter("solr_core_commits_total", "Commits that were asked for.", CORE, bounds=CORES),
    "docsPending": Gauge("solr_core_pending_documents", "Documents that wait for a commit.", CORE, bounds=CORES),
}
HEAP: Mapping[str, Family] = {
    "memory.heap.used": Gauge("solr_jvm_heap_used_bytes", "Heap memory in use."),
    "memory.heap.max": Gauge("solr_jvm_heap_max_bytes", "Most heap memory there may be."),
}
COLLECTIONS: Mapping[str, tuple[Family, float]] = {
    "count": (Counter("solr_jvm_gc_collections_total", "Garbage collections.", ("gc",), bounds={"gc": 10}), 1),
    "time": (Counter("solr_jvm_gc_seconds_total", "Time of garbage collections.", ("gc",), bounds={"gc": 10}), 1e3),
}
FAMILIES = (
    *(family for family, _ in OF_HANDLER.values()), *OF_CACHE.values(), *OF_UPDATES.values(), *HEAP.values(),
    *(family for family, _ in COLLECTIONS.values()),
)  # fmt: skip

PREFIXES = ("QUERY.", "UPDATE.", "CACHE.searcher.", "CORE.coreName", "memory.heap.", "gc.")
QUERY = "group=core,jvm&type=counter,meter,gauge&wt=json&json.nl=map&prefix=" + ",".join(PREFIXES)
"""Without timers: percentiles are not ours to add up, and they are most of the answer."""
ALWAYS = ("select", "update", "documentCache", "filterCache", "queryResultCache")
"""A core has thirty handlers and caches, of which few are ever used: the others are told once they were."""


def read(config: Solr) -> str:
    return ask(f"/admin/metrics?{QUERY}", config)


def parse(text: str) -> Iterable[Sample]:
    """Raise ParseError on what is no answer of /admin/metrics."""
    registries = inside(json_object(text, "Solr's metrics"), "metrics")
    if isinstance(registries, list):  # json.nl=flat, its default before 7.0: names and values in turn
        names = [name for name in registries[::2] if isinstance(name, str)]
        registries = dict(zip(names, registries[1::2], strict=False))
    if not isinstance(registries, dict):
        raise ParseError(f"expected Solr's metrics, found {text[:80]!r}")
    yield from _machine(objects(registries, "solr.jvm"))
    for registry, metrics in registries.items():
        if registry.startswith("solr.core.") and isinstance(metrics, dict):
            name = _plain(metrics.get("CORE.coreName"))
            yield from _core(name if isinstance(name, str) else registry.removeprefix("solr.core."), metrics)


def _plain(value: Any) -> Any:
    """Counters and meters have a `count`, gauges before 7.0 a `value`."""
    if isinstance(value, dict):
        return value.get("count", value.get("value", value))
    return value


def _machine(metrics: Mapping[str, Any]) -> Iterator[Sample]:
    for name, family in HEAP.items():
        if (value := number(_plain(metrics.get(name)))) is not None:
            yield family(value)
    for name, value in metrics.items():
        collector, _, what = name.removeprefix("gc.").rpartition(".")
        found = number(_plain(value))
        if name.startswith("gc.") and what in COLLECTIONS and found is not None:
            family, divisor = COLLECTIONS[what]
            yield family(found / divisor, collector)


def _core(core: str, metrics: Mapping[str, Any]) -> Iterator[Sample]:
    for name, value in metrics.items():
        kind, _, rest = name.partition(".")
        scope, _, what = rest.rpartition(".")
        if scope == "updateHandler" and what in OF_UPDATES:
            if (found := number(_plain(value))) is not None:
                yield OF_UPDATES[what](found, core)
        elif kind in ("QUERY", "UPDATE") and scope.startswith("/") and what in OF_HANDLER:
            yield from _handler(core, f"{kind}.{scope}", what, metrics)
        elif kind == "CACHE":
            yield from _cache(core, what, _plain(value))


def _handler(core: str, scope: str, what: str, metrics: Mapping[str, Any]) -> Iterator[Sample]:
    handler = scope.partition("./")[2]
    used = handler in ALWAYS or number(_plain(metrics.get(f"{scope}.requests")))
    found = number(_plain(metrics[f"{scope}.{what}"]))
    if used and found is not None:
        family, divisor = OF_HANDLER[what]
        yield family(found / divisor, core, handler)


def _cache(core: str, cache: str, facts: Any) -> Iterator[Sample]:
    if cache not in ALWAYS and not number(inside(facts, "cumulative_lookups")):
        return
    for name, family in OF_CACHE.items():
        if (value := number(inside(facts, name))) is not None:
            yield family(value, core, cache)
