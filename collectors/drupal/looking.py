"""A look at a site's database, once a minute."""

from collections.abc import Callable
from typing import Any

from collectors.drupal.config import Drupal
from collectors.drupal.site import Site, connect
from collectors.sources import looking

Look = Callable[[Site, str, Any, float], tuple[Any, Any]]
"""(site, its name, cursor, now) -> (what is new, the cursor after it, which holds `looked`)"""


def each_minute(name: str, look: Look) -> Callable[[Drupal, Any], tuple[Any, Any]]:
    """A follower's `read`."""

    def connected(config: Drupal, cursor: Any, now: float) -> tuple[Any, Any]:
        with connect(config) as site:
            return look(site, config.site, cursor, now)

    connected.__module__ = look.__module__  # whose definition it is
    return looking.each_minute(name, connected)
