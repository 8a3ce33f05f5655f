"""What a site is like at a moment: its code, modules, configuration, caches, and who has which role.

Compared with the one before it tells what changed. What may not be read is left out.
Source: https://api.drupal.org/api/drupal/core%21lib%21Drupal%21Core%21Config%21DatabaseStorage.php/11
"""

import os
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypedDict

from collectors.drupal import changes, installed, users
from collectors.drupal.access_changes import MOST_MEMBERS, MOST_ROLES
from collectors.drupal.change import digest
from collectors.drupal.changes import Snapshot
from collectors.drupal.looking import seldom
from collectors.drupal.php_values import Value, unserialize
from collectors.drupal.site import Site
from collectors.drupal.update_data import extensions
from collectors.errors import Denied, ParseError
from collectors.inventory.php.memory import Dynamic
from collectors.model import Event, State

STATE = ("system.cron_last", "system.maintenance_mode", "system.css_js_query_string", "asset.css_js_query_string")
VARIABLES = ("cron_last", "maintenance_mode", "css_js_query_string")
MOST_ADMINISTRATORS = 5000
TAKEN = {"maintenance", "extensions", "config", "caches", "permissions", "roles"}
"""What the database tells."""


class Cursor(TypedDict):
    looked: float
    """When; Unix seconds."""
    config: str
    """Hash of all configuration's hashes: they come along only once they changed."""


def look(site: Site, name: str, cursor: Cursor | None, now: float) -> tuple[Snapshot | None, Cursor]:
    found = Snapshot(now=now, site=name)
    _code(site, found)
    refused = [error for take in (_state, _extensions, _config, _container, _access, _first_account, _formats)
               if (error := _tried(take, site, found))]  # fmt: skip
    if refused and not found.keys() & TAKEN:
        raise refused[0]
    config = digest(found["config"]) if "config" in found else ""
    if cursor is not None and config == cursor["config"]:
        found.pop("config", None)
    return found, Cursor(looked=now, config=config)


def _tried(take: Callable[[Site, Snapshot], None], site: Site, found: Snapshot) -> Denied | None:
    try:
        take(site, found)
    except Denied as error:
        return error
    return None


def _code(site: Site, found: Snapshot) -> None:
    if site.version:
        found["core"] = site.version
    if lock := _lock(site.docroot):
        found["lock"] = lock
    deployment = site.settings.get("settings", "deployment_identifier")
    if isinstance(deployment, str):
        found["deployment"] = deployment
    hosts = site.settings.get("settings", "trusted_host_patterns")
    if site.settings.variables and not site.seven and not isinstance(hosts, Dynamic):
        found["trusted_hosts"] = digest(hosts) if hosts else ""


def _lock(docroot: str) -> str:
    """Hash of composer.lock; empty where there is none, or it is shut to us."""
    for folder in (Path(docroot).parent, Path(docroot)) if docroot else ():
        try:
            stat = os.stat(folder / "composer.lock")  # noqa: PTH116 # as in installed.py
        except OSError:
            continue
        return _hash(docroot, stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return ""


@lru_cache(maxsize=500)
def _hash(docroot: str, _changed: int, _size: int, _inode: int) -> str:
    """Read again only once it has changed."""
    try:
        return digest(installed.read_lock(docroot))
    except (Denied, OSError):
        return ""


def _state(site: Site, found: Snapshot) -> None:
    names = VARIABLES if site.seven else STATE
    marks = ", ".join(["%s"] * len(names))
    if site.seven:
        rows = site.tables.rows(f"SELECT name, value FROM {{variable}} WHERE name IN ({marks})", names, blobs=(1,))
    else:
        rows = site.tables.rows(
            f"SELECT name, value FROM {{key_value}} WHERE collection = 'state' AND name IN ({marks})", names, blobs=(1,)
        )
    state = {name.removeprefix("system.").removeprefix("asset."): _value(data) for name, data in rows}
    last = state.get("cron_last")
    if isinstance(last, int) and not isinstance(last, bool):
        found["cron_last"] = float(last)
    found["maintenance"] = bool(state.get("maintenance_mode"))  # the row goes away when it is switched off
    if isinstance(query := state.get("css_js_query_string"), str):
        found["caches"] = {**found.get("caches", {}), "css_js_query_string": query}


def _value(data: Any) -> Value:
    return unserialize(installed.bytes_of(data)) if isinstance(data, str) else None


def _extensions(site: Site, found: Snapshot) -> None:
    if site.seven:
        rows = site.tables.rows("SELECT name, type FROM {system} WHERE status = 1 AND type IN ('module', 'theme')")
        found["extensions"] = {str(name): str(kind) for name, kind in rows}
        return
    rows = site.tables.rows("SELECT data FROM {config} WHERE collection = '' AND name = 'core.extension'", blobs=(0,))
    if rows:
        found["extensions"] = extensions(rows[0][0])


def _config(site: Site, found: Snapshot) -> None:
    """Drupal 7 has none. Without the right to all of it, or to its hashes, as much as a view shows."""
    if site.seven:
        return
    if "config_hashes" in site.tables.views:
        rows = site.tables.rows("SELECT name, hash FROM {config_hashes}")
    else:
        rows = site.tables.rows("SELECT name, MD5(data) FROM {config} WHERE collection = ''")
    if len(rows) <= changes.MOST_NAMES:
        found["config"] = {str(name): str(hashed) for name, hashed in rows}


def _container(site: Site, found: Snapshot) -> None:
    """Not there between a rebuild's beginning and its end."""
    rows = [] if site.seven else site.tables.rows("SELECT cid, created FROM {cache_container} ORDER BY cid LIMIT 20")
    if rows:
        found["caches"] = {**found.get("caches", {}), "container": digest(rows)}
        found["rebuilt"] = max(float(created) for _, created in rows)


def _access(site: Site, found: Snapshot) -> None:
    names = _names(site)
    allowed = _permissions_of_seven(site) if site.seven else _permissions(site)
    found["permissions"] = {names.get(role, role): sorted(each) for role, each in sorted(allowed.items())}
    admin = users.administrator_roles(site)
    found["admin_roles"] = [names.get(role, role) for role in admin]
    found["roles"] = [(uid, names.get(role, role)) for uid, role in _members(site, admin)]


def _names(site: Site) -> dict[str, str]:
    """Of Drupal 7's roles, which are numbers elsewhere."""
    return {str(rid): str(name) for rid, name in site.tables.rows("SELECT rid, name FROM {role}")} if site.seven else {}


def _permissions(site: Site) -> dict[str, Iterable[str]]:
    rows = site.tables.rows(
        "SELECT name, data FROM {config} WHERE collection = '' AND name LIKE %s", ("user.role.%",), blobs=(1,)
    )
    found: dict[str, Iterable[str]] = {}
    for name, data in rows[:MOST_ROLES]:
        try:
            role = _value(data)
        except ParseError:
            continue
        said = role.get("permissions") if isinstance(role, dict) else None
        listed = said.values() if isinstance(said, dict) else ()
        found[name.removeprefix("user.role.")] = [each for each in listed if isinstance(each, str)]
    return found


def _permissions_of_seven(site: Site) -> dict[str, Iterable[str]]:
    found: dict[str, list[str]] = {}
    for rid, permission in site.tables.rows("SELECT rid, permission FROM {role_permission}"):
        found.setdefault(str(rid), []).append(str(permission))
    return dict(found)


def _members(site: Site, admin: Sequence[str]) -> Iterable[tuple[int, str]]:
    """Of a role that many accounts have, and that gives no rights over everything, so many that it shows."""
    table, uid, role = ("users_roles", "uid", "rid") if site.seven else ("user__roles", "entity_id", "roles_target_id")
    counts = site.tables.rows(f"SELECT {role}, COUNT(*) FROM {{{table}}} GROUP BY {role} LIMIT {MOST_ROLES}")
    for name, count in counts:
        most = MOST_ADMINISTRATORS if str(name) in admin else MOST_MEMBERS + 1
        rows = site.tables.rows(
            f"SELECT {uid} FROM {{{table}}} WHERE {role} = %s ORDER BY {uid} LIMIT {min(count, most)}", (name,)
        )
        yield from ((int(each), str(name)) for (each,) in rows)


def _first_account(site: Site, found: Snapshot) -> None:
    """Of columns that hold secrets a hash, and nothing where they are shut to us."""
    table = "{users} WHERE" if site.seven else "{users_field_data} WHERE default_langcode = 1 AND"
    try:
        rows = site.tables.rows(f"SELECT name, mail, pass, status FROM {table} uid = 1")
    except Denied:
        return
    if rows:
        found["first_account"] = digest(rows)


def _formats(site: Site, found: Snapshot) -> None:
    if site.seven:
        if of_seven := _formats_of_seven(site):
            found["formats"] = of_seven
        return
    rows = site.tables.rows(
        "SELECT name, data FROM {config} WHERE collection = '' AND name LIKE %s", ("filter.format.%",), blobs=(1,)
    )
    formats: dict[str, list[str]] = {}
    for name, data in rows[:MOST_ROLES]:
        try:
            filters = _value(data)
        except ParseError:
            continue
        said = filters.get("filters") if isinstance(filters, dict) and filters.get("status") else None
        each = said.items() if isinstance(said, dict) else ()
        formats[name.removeprefix("filter.format.")] = [
            str(key) for key, value in each if isinstance(value, dict) and value.get("status")
        ]
    if formats:
        found["formats"] = formats


def _formats_of_seven(site: Site) -> dict[str, list[str]]:
    try:
        rows = site.tables.rows("SELECT format, name FROM {filter} WHERE status = 1")
    except Denied:
        return {}
    formats: dict[str, list[str]] = {}
    for name, filter_name in rows:
        formats.setdefault(str(name), []).append(str(filter_name))
    return formats


read = seldom("changes", look)


def step(state: State, snapshot: Any) -> tuple[State, Sequence[Event]]:
    return changes.step(state, snapshot)


def samples(_state: State) -> Iterable[Any]:
    """Changes are events."""
    return ()
