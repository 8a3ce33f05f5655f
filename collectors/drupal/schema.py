"""Updates of the database that the code on the disk brings and that were not run yet.

Source: https://api.drupal.org/api/drupal/core%21lib%21Drupal%21Core%21Extension%21module.api.php/function/hook_update_N/11
"""

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

from collectors.drupal.php_values import Value, unserialize
from collectors.drupal.site import Site
from collectors.errors import Absent, CollectError, ParseError
from collectors.model import Gauge, Sample
from collectors.sources.files import read_text

PENDING = Gauge(
    "drupal_database_updates_pending", "Updates of the database that update.php or drush updatedb would run.", ("kind",)
)
FAMILIES = (PENDING,)

MOST_FOLDERS = 5000
DEEPEST = 5
NO_MODULES = {"src", "tests", "config", "css", "js", "templates", "node_modules", "vendor", "images", "translations",
              "assets", "lib", "libraries", "dist", "files", "migrations", "help_topics"}  # fmt: skip
UPDATE = re.compile(r"^\s*function\s+([a-z][a-z0-9_]*)_update_([0-9]{4,6})\s*\(", re.MULTILINE)
POST_UPDATE = re.compile(r"^\s*function\s+([a-z][a-z0-9_]*_post_update_\w+)\s*\(", re.MULTILINE)


def read(site: Site) -> dict[str, Any]:
    """Absent where the code cannot be read."""
    if not site.version:
        raise Absent("the site's code is not here, or shut to us")
    core = "modules/system" if site.seven else "core/modules/system"
    if not _text(f"{site.docroot}/{core}/system.install"):
        raise Absent(f"{site.docroot}/{core}: the code of core's modules is not here, or shut to us")
    return _seven(site, site.docroot) if site.seven else _later(site, site.docroot, site.directory)


def _seven(site: Site, docroot: str) -> dict[str, Any]:
    rows = site.tables.rows(
        "SELECT name, schema_version, filename FROM {system}"
        " WHERE status = 1 AND type = 'module' AND schema_version >= 0"
    )
    highest = {}
    for name, _, filename in rows:
        text = _text(os.path.join(docroot, os.path.dirname(filename), f"{name}.install"))  # noqa: PTH118, PTH120
        highest[name] = _highest(text, name)
    return {"installed": {name: version for name, version, _ in rows}, "highest": highest, "post": None}


def _later(site: Site, docroot: str, directory: str) -> dict[str, Any]:
    rows = site.tables.rows("SELECT name, value FROM {key_value} WHERE collection = 'system.schema'", blobs=(1,))
    existing = site.tables.rows(
        "SELECT value FROM {key_value} WHERE collection = 'post_update' AND name = 'existing_updates'", blobs=(0,)
    )
    enabled = {name for name, _ in rows}
    highest: dict[str, int] = {}
    post: list[str] = []
    for folder in _folders(docroot, directory):
        name = folder.rpartition("/")[2]
        if name in enabled and name not in highest:
            highest[name] = _highest(_text(f"{folder}/{name}.install"), name)
            found = POST_UPDATE.findall(_text(f"{folder}/{name}.post_update.php"))
            post += [each for each in found if each.startswith(f"{name}_post_update_")]
    return {
        "installed": dict(rows),
        "highest": highest,
        "post": {"found": sorted(post), "run": existing[0][0] if existing else None},
    }


def _folders(docroot: str, directory: str) -> Iterator[str]:
    """Those that modules may be in; what a site has of its own beats what all have."""
    seen = 0
    for start in (
        f"sites/{directory}/modules",
        "modules",
        "profiles",
        "sites/all/modules",
        "core/modules",
        "core/profiles",
    ):
        root = f"{docroot}/{start}"
        for path, inner, _ in os.walk(root):
            seen += 1
            if seen > MOST_FOLDERS:
                return
            deep = path.count("/") - root.count("/") >= DEEPEST
            inner[:] = [] if deep else sorted(name for name in inner if name not in NO_MODULES and name[0] != ".")
            yield path


def _text(path: str) -> str:
    try:
        return read_text(path)
    except (Absent, CollectError, OSError):
        return ""


def _highest(text: str, module: str) -> int:
    return max((int(number) for name, number in UPDATE.findall(text) if name == module), default=0)


def parse(payload: dict[str, Any]) -> Iterable[Sample]:
    highest = payload["highest"]
    installed = {name: _number(value) for name, value in payload["installed"].items()}
    behind = sum(1 for name, version in installed.items() if version is not None and highest.get(name, 0) > version)
    yield PENDING(behind, "schema")
    if payload["post"] and payload["post"]["run"] is not None:
        run = _unserialized(payload["post"]["run"])
        if isinstance(run, dict):
            done = {name for name in run.values() if isinstance(name, str)}
            yield PENDING(len(set(payload["post"]["found"]) - done), "post_update")


def _number(value: Any) -> int | None:
    found = _unserialized(value) if isinstance(value, str) else value
    return found if isinstance(found, int) else None


def _unserialized(value: str) -> Value:
    try:
        return unserialize(value.encode("latin-1"))
    except UnicodeEncodeError as error:
        raise ParseError("expected one character a byte") from error
