"""The server's version and start, and what each core holds.

Source: https://solr.apache.org/guide/solr/9_6/configuration-guide/coreadmin-api.html
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from collectors.errors import ParseError
from collectors.model import Family, Gauge, Sample
from collectors.solr.config import Solr, ask
from collectors.sources.jsontext import inside, json_object, number, objects

CORE = ("core",)
BOUNDS = {"core": 50}

INFO = Gauge("solr_info", "1; the server's version and mode are its labels.", ("version", "mode"))
START = Gauge("solr_start_timestamp_seconds", "When the server started, in Unix time.")
SYSTEM_FAMILIES = (INFO, START)

OF_INDEX: Mapping[str, Family] = {
    "numDocs": Gauge("solr_core_documents", "Documents that can be found.", CORE, bounds=BOUNDS),
    "deletedDocs": Gauge("solr_core_deleted_documents", "Deleted documents still in the index.", CORE, bounds=BOUNDS),
    "segmentCount": Gauge("solr_core_segments", "Segments of the index.", CORE, bounds=BOUNDS),
    "sizeInBytes": Gauge("solr_core_index_bytes", "Size of the index on disk.", CORE, bounds=BOUNDS),
}
MODIFIED = Gauge(
    "solr_core_last_modified_timestamp_seconds", "When the index last changed, in Unix time.", CORE, bounds=BOUNDS
)
FAILED = Gauge("solr_cores_failed", "Cores that the server could not load.")
CORES_FAMILIES = (*OF_INDEX.values(), MODIFIED, FAILED)


def read_system(config: Solr) -> str:
    return ask("/admin/info/system?wt=json", config)


def parse_system(text: str) -> Iterable[Sample]:
    answer = json_object(text, "Solr's system information")
    version = inside(answer, "lucene", "solr-spec-version")
    if not isinstance(version, str):
        raise ParseError(f"expected Solr's version, found {text[:80]!r}")
    yield INFO(1, version, str(answer.get("mode", "")))
    if (start := timestamp(inside(answer, "jvm", "jmx", "startTime"))) is not None:
        yield START(start)


def read_cores(config: Solr) -> str:
    return ask("/admin/cores?action=STATUS&wt=json&json.nl=map", config)


def parse_cores(text: str) -> Iterable[Sample]:
    answer = json_object(text, "the status of Solr's cores")
    cores = answer.get("status")
    if not isinstance(cores, dict):
        raise ParseError(f"expected the status of Solr's cores, found {text[:80]!r}")
    yield FAILED(len(objects(answer, "initFailures")))
    for core, facts in cores.items():
        yield from _core(core, objects(facts, "index"))


def _core(core: str, index: Mapping[str, Any]) -> Iterator[Sample]:
    for name, family in OF_INDEX.items():
        if (value := number(index.get(name))) is not None:
            yield family(value, core)
    if (modified := timestamp(index.get("lastModified"))) is not None:
        yield MODIFIED(modified, core)


def timestamp(text: Any) -> float | None:
    """`2024-03-01T12:00:00.123Z` -> Unix seconds; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) and found > 0 else None
