"""Accounts: how many, how many that have rights over everything. No name leaves the database.

Source: https://api.drupal.org/api/drupal/core%21modules%21user%21src%21Entity%21User.php/11
"""

from collections.abc import Iterable
from typing import Any

from collectors.drupal.php_values import unserialize
from collectors.drupal.site import Site
from collectors.drupal.tables import Rows
from collectors.errors import ParseError
from collectors.model import Gauge, Sample

DAY = 86400
USERS = Gauge("drupal_users", "Accounts, active or blocked.", ("state",))
NEVER = Gauge("drupal_users_never_active", "Accounts that are active and were never used.")
NEW = Gauge("drupal_users_new", "Accounts that were made in the last 24 hours.")
ADMINISTRATORS = Gauge(
    "drupal_administrators", "Accounts that are not blocked and have all rights, or one by which to get them all."
)
ROLES = Gauge("drupal_administrator_roles", "Roles that have all rights, or one by which to get them all.")
FAMILIES = (USERS, NEVER, NEW, ADMINISTRATORS, ROLES)

DANGEROUS = frozenset({
    "administer permissions", "administer users", "administer modules", "administer site configuration",
    "administer software updates", "administer filters", "bypass node access", "use PHP for settings",
    "import configuration", "synchronize configuration", "administer account settings",
})  # fmt: skip


def read(site: Site) -> dict[str, Any]:
    where = "{users} WHERE uid > 0" if site.seven else "{users_field_data} WHERE uid > 0 AND default_langcode = 1"
    counts = site.tables.rows(
        "SELECT status, COUNT(*), SUM(CASE WHEN access = 0 THEN 1 ELSE 0 END),"
        f" SUM(CASE WHEN created > %s THEN 1 ELSE 0 END) FROM {where} GROUP BY status",
        (int(site.now) - DAY,),
    )
    roles = administrator_roles(site)
    return {"counts": counts, "roles": roles, "administrators": _administrators(site, roles)}


def administrator_roles(site: Site) -> list[str]:
    """Those of Drupal 7 by their numbers."""
    return _roles_of_seven(site) if site.seven else _roles(site)


def _roles(site: Site) -> list[str]:
    """Names of roles that are as good as an administrator's."""
    rows = site.tables.rows(
        "SELECT name, data FROM {config} WHERE collection = '' AND name LIKE %s", ("user.role.%",), blobs=(1,)
    )
    return sorted(name.removeprefix("user.role.") for name, data in rows if _is_dangerous(data))


def _is_dangerous(data: str) -> bool:
    try:
        role = unserialize(data.encode("latin-1"))
    except ParseError:
        return False
    permissions = role.get("permissions") if isinstance(role, dict) else None
    given = set(permissions.values()) if isinstance(permissions, dict) else set()
    return isinstance(role, dict) and (bool(role.get("is_admin")) or bool(given & DANGEROUS))


def _roles_of_seven(site: Site) -> list[str]:
    marks = ", ".join(["%s"] * len(DANGEROUS))
    rows = site.tables.rows(
        f"SELECT DISTINCT rid FROM {{role_permission}} WHERE permission IN ({marks})",
        sorted(DANGEROUS),
    )
    return sorted({str(rid) for (rid,) in rows} | _administrator_role(site))


def _administrator_role(site: Site) -> set[str]:
    found: Rows = site.tables.rows("SELECT value FROM {variable} WHERE name = 'user_admin_role'", blobs=(0,))
    for (value,) in found:
        try:
            role = unserialize(value.encode("latin-1"))
        except ParseError:
            continue
        if str(role) not in ("0", ""):
            return {str(role)}
    return set()


def _administrators(site: Site, roles: list[str]) -> int:
    """uid 1 is one without any role; a role of anonymous or of every user counts for all who have it in the table."""
    marks = ", ".join(["%s"] * len(roles)) or "NULL"
    if site.seven:
        inner = f"SELECT uid FROM {{users_roles}} WHERE rid IN ({marks})"
        outer = "SELECT COUNT(*) FROM {users} WHERE status = 1 AND (uid = 1 OR uid IN "
        parameters: list[Any] = [int(role) for role in roles if role.isdecimal()]
    else:
        inner = f"SELECT entity_id FROM {{user__roles}} WHERE roles_target_id IN ({marks})"
        outer = (
            "SELECT COUNT(*) FROM {users_field_data} WHERE default_langcode = 1 AND status = 1 AND (uid = 1 OR uid IN "
        )
        parameters = list(roles)
    rows = site.tables.rows(f"{outer}({inner}))", parameters)
    return sum(count for (count,) in rows)


def parse(payload: dict[str, Any]) -> Iterable[Sample]:
    by_status = {bool(status): rest for status, *rest in payload["counts"]}
    active, blocked = by_status.get(True, [0, 0, 0]), by_status.get(False, [0, 0, 0])
    yield USERS(active[0], "active")
    yield USERS(blocked[0], "blocked")
    yield NEVER(active[1])
    yield NEW(active[2] + blocked[2])
    yield ADMINISTRATORS(payload["administrators"])
    yield ROLES(len(payload["roles"]))
