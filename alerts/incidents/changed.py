"""Which change may have started what began: one shortly before it, of a layer from which it can come. Pure."""

import re

from alerts.incidents.catalogue import LAYERS, Layer
from alerts.incidents.model import Change

BEFORE_SECONDS = 600.0
LATE_SECONDS, SEEN_LATE_SECONDS = 15.0, 75.0
"""A change may be told so much later than what it did: by a tick, and where a look each minute finds it."""
SUSPECTS = re.compile(
    r"deploy.*|package.*|service.*|.*restart.*|maintenance|"
    r"drupal\.(deploy|core_version|config_import|extensions_.*|maintenance)"
)
LAYER_OF: tuple[tuple[Layer, re.Pattern[str]], ...] = (
    ("database", re.compile(r"mysql|mariadb|postgres", re.IGNORECASE)),
    ("cache", re.compile(r"redis|valkey|memcached", re.IGNORECASE)),
    ("php", re.compile(r"php", re.IGNORECASE)),
    ("web", re.compile(r"nginx|apache|httpd|varnish", re.IGNORECASE)),
)
"""What a service or package is part of, by its name; anything else is of the host."""


def may_precede(change: Change, since: float) -> bool:
    """`since`: when it began, Unix seconds."""
    late = SEEN_LATE_SECONDS if change.kind.startswith("drupal.") else LATE_SECONDS
    return bool(SUSPECTS.fullmatch(change.kind)) and -late <= since - change.at <= BEFORE_SECONDS


def reaches(change: Change, layer: str) -> bool:
    """What began in that layer can come of it: trouble goes the way of an answer, from the database to the page."""
    return layer not in LAYERS or LAYERS.index(layer) >= LAYERS.index(_lowest(change))


def _lowest(change: Change) -> Layer:
    """New code asks the database for other things, but leaves the host and servers elsewhere alone."""
    if not change.kind.startswith(("service", "package")):
        return "database"
    return next((layer for layer, words in LAYER_OF if words.search(change.title)), "host")
