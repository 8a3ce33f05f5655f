"""What is collected, as Prometheus' API shows what it scrapes: /api/v1/targets and /api/v1/targets/metadata.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/#targets
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from collectors.model import Finding, Target, TargetStatus
from dashboard.api_matching import matching
from dashboard.services import Watched
from history import answer
from history.model import Source

ANY = ("", "any")
SUFFIXES = ("", "_bucket", "_sum", "_count", "_total")
"""Of series, after the name of their family."""
RECENT_SECONDS = 300.0
PATIENCE_SECONDS = 10.0
"""A read that takes longer has failed, whatever its interval."""


def targets(watched: Watched, state: str = "", pool: str = "") -> dict[str, Any]:
    """`data` of /api/v1/targets. What we found and cannot read is what Prometheus calls dropped."""
    state = state.lower()
    active = watched.targets() if state in (*ANY, "active") else ()
    dropped = watched.findings() if state in (*ANY, "dropped") else ()
    shown = [_dropped(finding) for finding in dropped if pool in ("", finding.collector)]
    counts: dict[str, int] = {}
    for finding in dropped:
        counts[finding.collector] = counts.get(finding.collector, 0) + 1
    return {
        "activeTargets": [_active(each) for each in sorted(active, key=_place) if pool in ("", each.target.job)],
        "droppedTargets": shown,
        "droppedTargetCounts": counts,
    }


def pools(watched: Watched) -> dict[str, Any]:
    """`data` of /api/v1/scrape_pools: a job is one."""
    return {"scrapePools": sorted({status.target.job for status in watched.targets()})}


def metadata(watched: Watched, source: Source, now: float, selector: str, metric: str) -> Iterator[dict[str, Any]]:
    """`data` of /api/v1/targets/metadata: which families each target has, or which has that metric."""
    matches = matching([selector] if selector else [])
    known = source.metadata(metric or None)
    for target in (status.target for status in watched.targets() if matches(status.target.labels)):
        there = _names(source, target, now)
        for name, metas in known.items():
            if not there.isdisjoint(name + suffix for suffix in SUFFIXES):
                family = {} if metric else {"metric": name}
                yield from ({"target": target.labels, **family, **asdict(each)} for each in metas)


def _names(source: Source, target: Target, now: float) -> set[str]:
    """Of the series that a target had a moment ago."""
    labels = ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in target.labels.items())
    return set(source.label_values("__name__", [f"{{{labels}}}"], now - RECENT_SECONDS, now))


def _place(status: TargetStatus) -> tuple[str, str]:
    return status.target.job, status.target.instance


def _active(status: TargetStatus) -> dict[str, Any]:
    target = status.target
    path = f"/metrics/{target.job}/{status.slug}" if status.slug else ""  # on the exporter's address
    interval = min((part.interval for part in status.parts), default=0.0)
    return {
        "discoveredLabels": {
            "__address__": target.instance,
            "__meta_raingauge_collector": status.collector,
            "__meta_raingauge_found": status.found,
            "job": target.job,
        },
        "labels": target.labels,
        "scrapePool": target.job,
        "scrapeUrl": path,
        "globalUrl": path,
        "lastError": "; ".join(f"{part.part}: {part.error}" for part in status.parts if part.error),
        "lastScrape": answer.moment(max((part.last_success or 0.0 for part in status.parts), default=0.0) or None),
        "lastScrapeDuration": sum(part.duration or 0.0 for part in status.parts),
        "health": _health(status),
        "scrapeInterval": answer.duration(interval),
        "scrapeTimeout": answer.duration(min(interval, PATIENCE_SECONDS)),
    }


def _health(status: TargetStatus) -> str:
    if status.up:
        return "up"
    return "unknown" if all(part.outcome == "waiting" for part in status.parts) else "down"


def _dropped(finding: Finding) -> dict[str, Any]:
    return {
        "discoveredLabels": {
            "__meta_raingauge_collector": finding.collector,
            "__meta_raingauge_found": finding.found,
            "__meta_raingauge_reason": finding.reason,
        },
        "scrapePool": finding.collector,
    }
