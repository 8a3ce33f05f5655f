"""What updates are judged by: the site's own update data, its code on the disk, and the operator's folder.

Source: https://api.drupal.org/api/drupal/core%21modules%21update%21src%21UpdateManager.php/class/UpdateManager/11
"""

from pathlib import Path
from typing import Any

from collectors.drupal import installed
from collectors.drupal.php_values import Value, unserialize
from collectors.drupal.site import Site
from collectors.drupal.updates import MOST_PROJECTS, Mirror, Payload, Stored, read_mirror
from collectors.errors import Absent, Denied, ParseError

MOST_STORED = 4_000_000
"""Bytes of one project's release history."""
AVAILABLE = "available_releases::"


def read(site: Site) -> Payload:
    """Absent where a folder is set and is not there."""
    mirror: Mirror = read_mirror(site.releases) if site.releases else {}
    found = Payload(now=site.now, seven=site.seven, core=site.version, driver=site.tables.account.driver, mirror=mirror)
    try:
        found["stored"] = _seven(site) if site.seven else _later(site)
    except Denied:
        if not site.releases:
            raise
    if site.seven:
        found["system"] = [(str(name), info) for name, info in _system(site) if info is not None]
    elif (enabled := _enabled(site)) is not None:
        found["enabled"] = enabled
    found["lock"], found["info"] = _on_disk(site.docroot)
    return found


def _later(site: Site) -> Stored:
    rows = site.tables.rows(
        "SELECT collection, name, expire, value FROM {key_value_expire} WHERE (collection = 'update_available_releases'"
        " OR (collection = 'update' AND name = 'update_project_data')"
        " OR (collection = 'system' AND name = 'advisories_response'))"
        f" AND LENGTH(value) <= {MOST_STORED} ORDER BY collection, name LIMIT {MOST_PROJECTS * 2}", blobs=(3,),
    )  # fmt: skip
    found = Stored(available={})
    for collection, name, expire, value in rows:
        if collection == "update_available_releases":
            found["available"][name] = value
        elif collection == "update":
            found["computed"], found["computed_until"] = value, float(expire)
        else:
            found["advisories"] = value
    return found


def _seven(site: Site) -> Stored:
    rows = site.tables.rows(
        "SELECT cid, expire, data FROM {cache_update} WHERE (cid = 'update_project_data' OR cid LIKE %s)"
        f" AND LENGTH(data) <= {MOST_STORED} ORDER BY cid LIMIT {MOST_PROJECTS * 2}", (f"{AVAILABLE}%",), blobs=(2,),
    )  # fmt: skip
    found = Stored(available={})
    for cid, expire, value in rows:
        if cid.startswith(AVAILABLE):
            found["available"][cid.removeprefix(AVAILABLE)] = value
        else:
            found["computed"], found["computed_until"] = value, float(expire)
    return found


def _system(site: Site) -> list[list[Any]]:
    return site.tables.rows("SELECT name, info FROM {system} WHERE status = 1", blobs=(1,))


def _enabled(site: Site) -> list[str] | None:
    """Modules and themes that are on."""
    rows = site.tables.rows(
        "SELECT data FROM {config} WHERE collection = '' AND name = 'core.extension'", blobs=(0,)
    )  # fmt: skip
    return sorted(extensions(rows[0][0])) if rows else None


def extensions(data: str) -> dict[str, str]:
    """core.extension -> `module` or `theme` of each that is on."""
    said: Value = unserialize(installed.bytes_of(data))
    if not isinstance(said, dict):
        raise ParseError(f"core.extension: expected an array, found {type(said).__name__}")
    lists = ((kind, said.get(kind)) for kind in ("theme", "module"))
    return {str(name): kind for kind, names in lists if isinstance(names, dict) for name in names}


def _on_disk(docroot: str) -> tuple[str, dict[str, str]]:
    """composer.lock and the info files, as far as we may read them."""
    if not docroot or not Path(docroot).is_dir():
        return "", {}
    try:
        lock = installed.read_lock(docroot)
    except (Denied, OSError):
        lock = ""
    try:
        return lock, installed.read_info(docroot)
    except (Absent, OSError):
        return lock, {}
