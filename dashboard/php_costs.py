"""PHP's time by site, with the pools that the site uses and how many of their workers it kept busy."""

from collections.abc import Mapping

from dashboard.costs import MOST_ROWS, CostTable, Span, Values, Watched, costs, quantities
from dashboard.host_facts import points
from history.model import Source

UNKNOWN = "no known pool"
"""The web server names none that is read: another server may be behind it."""
POOLS = 'max by (site, target_instance) (web_site_uses{target_job="phpfpm"})'


def pools(source: Source, span: Span, watched: Watched, by: str) -> CostTable:
    """By the access logs of PHP-FPM where there are any, else by how long the web server waited for it."""
    uses = _uses(source, span.at)
    asked = {name: quantities(source, span, f"web_{name}_total", ("site",)) for name in (
        "upstream_seconds", "upstream_requests", "php_seconds", "php_requests",
    )}  # fmt: skip
    seconds = _placed({**asked["upstream_seconds"], **asked["php_seconds"]}, uses)
    calls = _placed({**asked["upstream_requests"], **asked["php_requests"]}, uses)
    extra = {key: (f"{spent / span.seconds:.2g}",) for key, spent in seconds.items()}
    rows = costs(seconds, calls, extra, by)
    return CostTable(
        "pools", "Sites and pools", "time that was waited for PHP, by the pool that the site's web server names",
        ("Site", "time", "requests", "each"), ("workers busy",), rows[:MOST_ROWS], len(rows[MOST_ROWS:]),
        "" if rows else _nothing(watched),
    )  # fmt: skip


def _uses(source: Source, at: float) -> Mapping[str, str]:
    """Site -> its pools, without the host's name."""
    found: dict[str, list[str]] = {}
    for point in points(source, POOLS, at):
        instance = point.labels.get("target_instance", "").partition(":")[2]
        found.setdefault(point.labels.get("site", ""), []).append(instance)
    return {site: ", ".join(sorted(mine)) for site, mine in found.items()}


def _placed(values: Values, uses: Mapping[str, str]) -> Values:
    return {(site, f"pool {uses[site]}" if site in uses else UNKNOWN): value for (site,), value in values.items()}


def _nothing(watched: Watched) -> str:
    if why := watched.why("web", "weblog", "requests"):
        return why
    if not watched.reads("phpfpm"):
        return "No PHP-FPM is read."
    return (
        "No log says how long PHP took. nginx writes it where log_format has $upstream_response_time; a pool of"
        " PHP-FPM where access.format has %d."
    )
