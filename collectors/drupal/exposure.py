"""Since when a project of the site is known to be insecure: the exposure clock.

It starts with the first security release that the site lacks, or with the first advisory that names its version. What
concerns another kind of database than the site's does not count, once an advisory says so of all that came out then.
"""

from collections.abc import Sequence

from collectors.drupal.advisories import Advisory
from collectors.drupal.statuses import Installed, Verdict

TOGETHER = 86400.0  # seconds: an advisory and its release come on one day


def exposed_since(installed: Installed, verdict: Verdict, advisories: Sequence[Advisory], driver: str) -> float | None:
    """Unix seconds. None: not exposed as far as releases and advisories tell, or none of them has a date."""
    named = [each for each in advisories if each.project == installed.project and each.names(installed.version)]
    spared = [each for each in named if each.spares(driver)]
    others = [each for each in named if not each.spares(driver)]
    releases = (
        release.date for release in verdict.security if not _near(release.date, spared) or _near(release.date, others)
    )
    return min((date for date in (*releases, *(each.published for each in others)) if date), default=None)


def _near(date: float | None, advisories: Sequence[Advisory]) -> bool:
    return date is not None and any(each.published and abs(each.published - date) <= TOGETHER for each in advisories)
