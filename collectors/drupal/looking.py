"""A look at a site's database that is dear enough to be had seldom."""

from collections.abc import Callable
from typing import Any

from collectors.drupal.config import Drupal
from collectors.drupal.site import Site, connect
from collectors.sources import looking

Look = Callable[[Site, str, Any, float], tuple[Any, Any]]
"""(site, its name, cursor, now) -> (what is new, the cursor after it, which holds `looked`)"""


def seldom(name: str, look: Look, seconds: float = looking.LOOK_SECONDS) -> Callable[[Drupal, Any], tuple[Any, Any]]:
    """A follower's `read`, of which a look is had no sooner than so long after the one before."""

    def connected(config: Drupal, cursor: Any, now: float) -> tuple[Any, Any]:
        with connect(config) as site:
            return look(site, config.site, cursor, now)

    connected.__module__ = look.__module__  # whose definition it is
    return looking.seldom(name, connected, seconds)
