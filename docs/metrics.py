"""What is collected: each collector's parts and families, and what Raingauge says of itself."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from agent import alerting, dead_man, outcomes, upkeep
from agent.discovery import DEFAULT_INTERVAL
from agent.ingest import pulling, receive, send
from collectors import heartbeat, registry
from collectors.model import UP, Collector, Family, Follower, Part
from docs.markdown import code, duration, first_paragraph, table

DATA = Path(__file__).parent.parent / "tests/data"
SOURCE = re.compile(r"https?://\S+[^\s.]")
LEAD = """\
Names, labels and types are the official exporters'. Every series also has the labels of its target: `job`, `instance`,
`host`, and for checks `module` and `height`. A name that ends in `*` stands for a metric for each row that the server
shows. What is not known is absent, never 0.

`interval` is the setting; what is read more rarely keeps its own interval.

"""
OWN = """\
### raingauge

What Raingauge says of itself. Job `raingauge`; `raingauge agent` evaluates no rules and has no families of them. `up`
is in the history only: whoever scrapes writes its own.

"""
HEAD = ("Metric", "Type", "Labels", "Meaning")


def metrics() -> str:
    return LEAD + "\n".join([*(_collector(each) for each in registry.collectors()), _heartbeats(), _own()])


def _collector(collector: Collector) -> str:
    docstring = sys.modules[registry.MODULES[collector.name]].__doc__ or ""
    parts = [_part(part, docstring) for part in collector.parts]
    parts += [_part(follower, docstring) for follower in collector.followers]
    lines = [
        f"### {collector.name}\n",
        f"{first_paragraph(docstring)} {' '.join(_links(docstring))}\n",
        f"Job `{collector.job}`. Needs: {collector.grants or 'nothing; what it may not read is left out.'}\n",
        table(("Part", "Read every", "From"), parts),
        table(HEAD, [_row(family) for family in families(collector)]),
    ]
    return "\n".join(lines)


def _part(part: Part | Follower, above: str) -> Sequence[str]:
    docstring = sys.modules[part.read.__module__].__doc__ or ""
    every = "`interval`" if part.interval == DEFAULT_INTERVAL else duration(part.interval)
    every = "1s" if isinstance(part, Follower) else every
    text = first_paragraph(docstring) if docstring != above else ""
    links = [link for link in _links(docstring) if link not in _links(above)]
    return code(part.name), every, " ".join([text, *links])


def _links(docstring: str) -> list[str]:
    return [f"<{found}>" for found in SOURCE.findall(docstring)]


def families(collector: Collector) -> tuple[Family, ...]:
    """With `<x>_up`, which the runner adds."""
    up = (collector.up(collector.config(), 1).family,) if collector.up else ()
    return tuple(dict.fromkeys((*up, *collector.families)))


def _row(family: Family) -> Sequence[str]:
    return code(family.name), family.kind, ", ".join(map(code, family.labels)), family.help


def _heartbeats() -> str:
    waited_for = heartbeat.collector(lambda _job: {})
    docstring = heartbeat.__doc__ or ""
    lead = (
        f"### heartbeat\n\n{first_paragraph(docstring)} Job `heartbeat`; for each job of `heartbeats` one target.\n\n"
    )
    return lead + table(HEAD, [_row(family) for family in waited_for.families])


def _own() -> str:
    parts = (outcomes, alerting, upkeep, receive, send, dead_man, pulling)
    return OWN + table(HEAD, [_row(family) for family in (*(each for part in parts for each in part.FAMILIES), UP)])


def tested_versions() -> str:
    """A folder of captures is named product-version, and what is special about it after that.

    `documented`: written after the product's documentation, since no such server was at hand.
    """
    rows = []
    for name in registry.MODULES:
        folders = [each.name for each in sorted((DATA / name).glob("*-*")) if each.is_dir()]
        found = dict.fromkeys(
            " ".join(folder.removesuffix("-documented").split("-")[:2])
            + (" (as documented)" if folder.endswith("-documented") else "")
            for folder in folders
        )
        if found:
            rows.append((code(name), ", ".join(found)))
    return table(("Collector", "Versions whose answers the tests read"), rows)
