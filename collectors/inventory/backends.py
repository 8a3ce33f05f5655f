"""What keeps a site's caches, locks, flood entries and queues: where it is not the database, the tables are leftovers.

Source: https://www.drupal.org/project/redis https://www.drupal.org/project/memcache
"""

from typing import Literal

from collectors.inventory.php.memory import Dynamic, Value
from collectors.inventory.settings_php import Settings

Backend = Literal["database", "redis", "memcache", "apcu", "other", "unknown"]
SUBSYSTEMS = ("cache", "lock", "flood", "queue")


def backends(settings: Settings) -> dict[str, Backend]:
    """Subsystem -> what keeps it."""
    services = _services(settings.get("settings", "container_yamls"))
    lock = settings.get("conf", "lock_inc")
    return {
        "cache": _kind(
            _first(settings.get("settings", "cache", "default"), settings.get("conf", "cache_default_class"))
        ),
        "lock": services if lock is None else _kind(lock),
        "flood": services,
        "queue": _kind(_first(settings.get("settings", "queue_default"), settings.get("conf", "queue_default_class"))),
    }


def bin_backend(settings: Settings, name: str) -> Backend:
    """Of the cache bin `cache_<name>` (`cache`: Drupal 7's own)."""
    modern = settings.get("settings", "cache", "bins", name)
    older = settings.get("conf", f"cache_class_cache_{name}" if name else "cache_class_cache")
    own = _first(modern, older)
    return backends(settings)["cache"] if own is None else _kind(own)


def _first(*values: Value) -> Value:
    return next((value for value in values if value is not None), None)


def _kind(value: Value) -> Backend:
    """Of a service's or class's name."""
    if value is None:
        return "database"
    if not isinstance(value, str):
        return "unknown"
    text = value.lower()
    kinds: tuple[Backend, ...] = ("redis", "memcache", "apcu", "database")
    found: Backend | None = next((kind for kind in kinds if kind in text), None)
    if found:
        return found
    # Core's chained backend keeps its truth in the database and a copy in each server's memory.
    known = ("chainedfast", "systemqueue", "includes/lock.inc", "queue.database")
    return "database" if any(part in text for part in known) else "other"


def _services(files: Value) -> Backend:
    """The files of services that the modules bring replace locks and flood entries together."""
    if isinstance(files, Dynamic):
        return "unknown"
    for file in files.values() if isinstance(files, dict) else ():
        kind = _kind(file) if isinstance(file, str) else "other"
        if kind in ("redis", "memcache"):
            return kind
    return "database"
