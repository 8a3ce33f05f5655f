"""Invalidations of cache tags: what makes pages be built anew.

Source: https://www.drupal.org/docs/drupal-apis/cache-api/cache-tags
"""

from collections.abc import Iterable
from typing import Any

from collectors.drupal.site import Site
from collectors.errors import Absent
from collectors.model import Counter, Gauge, Sample

INVALIDATIONS = Counter(
    "drupal_cachetag_invalidations_total",
    "Invalidations of cache tags, by what the tags begin with: node for node:7 and all other nodes.",
    ("group",),
    bounds={"group": 40},
)
TAGS = Gauge("drupal_cachetags", "Cache tags that were ever invalidated.")
FAMILIES = (INVALIDATIONS, TAGS)

GROUPS = {
    "mysql": "SUBSTRING_INDEX(tag, ':', 1)",
    "pgsql": "split_part(tag, ':', 1)",
    "sqlite": "substr(tag, 1, instr(tag || ':', ':') - 1)",
}


def read(site: Site) -> list[list[Any]]:
    """Absent in Drupal 7, which has no tags."""
    if site.seven:
        raise Absent("Drupal 7 has no cache tags")
    site.only_in_database("cache")
    group = GROUPS[site.tables.account.driver]
    return site.tables.rows(
        f"SELECT {group}, COUNT(*), SUM(invalidations) FROM {{cachetags}} GROUP BY 1 ORDER BY 3 DESC LIMIT 1000"
    )


def parse(rows: list[list[Any]]) -> Iterable[Sample]:
    yield TAGS(sum(count for _, count, _ in rows))
    for group, _, invalidations in rows:
        yield INVALIDATIONS(invalidations, group)
