"""Who may do what, compared: roles of accounts, permissions of roles. Drupal's log says nothing of either."""

from collections.abc import Mapping, Sequence

from collectors.drupal.change import Changes, listed, plain
from collectors.model import Severity

MOST_ROLES = 500
MOST_PERMISSIONS = 5000
MOST_MEMBERS = 1000
"""A role that more accounts have is not followed account by account, unless it gives all rights."""
MOST_FILTERS = 50
GUARDING = frozenset({"filter_html", "filter_html_escape"})
"""Filters that take markup away."""
EVERYBODY = ("anonymous", "authenticated", "anonymous user", "authenticated user")
DANGEROUS = frozenset({
    "administer permissions", "administer users", "administer modules", "administer site configuration",
    "administer software updates", "administer filters", "bypass node access", "use PHP for settings",
    "use PHP for block visibility", "use text format php_code", "import configuration", "synchronize configuration",
    "administer account settings",
})  # fmt: skip
ROLE = "permissions:"
"""Before a role's name: the key of its permissions in the state."""


def permissions(changes: Changes, now: Mapping[str, Sequence[str]]) -> None:
    roles = {plain(role): sorted({plain(each) for each in now[role]})[:MOST_PERMISSIONS] for role in sorted(now)}
    roles = dict(list(roles.items())[:MOST_ROLES])
    moved, before = changes.moved("roles known", list(roles))
    for role in before if moved else ():
        if role not in roles:
            changes.state.pop(f"{ROLE}{role}", None)
            changes.tell("drupal.role_removed", f"The role {role} was removed")
    for role, allowed in roles.items():
        if moved and role not in before:
            changes.state[f"{ROLE}{role}"] = []
            changes.tell("drupal.role_added", f"The role {role} was added")
        _permissions_of(changes, role, allowed)


def _permissions_of(changes: Changes, role: str, allowed: list[str]) -> None:
    moved, before = changes.moved(f"{ROLE}{role}", allowed)
    if not moved:
        return
    came, went = sorted(set(allowed) - set(before)), sorted(set(before) - set(allowed))
    risky = [name for name in came if name in DANGEROUS or (role in EVERYBODY and name.startswith("administer "))]
    severity: Severity = "warning" if risky else "info"
    records = [
        *({"role": role, "permission": name, "change": "granted"} for name in (*risky, *(set(came) - set(risky)))),
        *({"role": role, "permission": name, "change": "taken"} for name in went),
    ]
    words = [
        *([f"may now {listed(risky or came, 3)}"] if came else []),
        *([f"may no more {listed(went, 3)}"] if went else []),
    ]
    ordered = sorted(records, key=lambda each: (each["permission"] not in risky, each["permission"]))
    changes.tell("drupal.permissions_changed", f"The role {role} {', '.join(words)}", ordered, severity)


def formats(changes: Changes, now: Mapping[str, Sequence[str]]) -> None:
    """A text format without a filter lets through what the filter stopped: markup, scripts, PHP."""
    known = {plain(name): sorted(plain(each) for each in now[name])[:MOST_FILTERS] for name in sorted(now)[:MOST_ROLES]}
    moved, before = changes.moved("formats", known)
    if not moved:
        return
    records, severity = [], "info"
    for name in sorted(known.keys() | before.keys()):
        was, has = set(before.get(name, ())), set(known.get(name, ()))
        came, went = sorted(has - was), sorted(was - has)
        if "php_code" in came or (name in known and went and set(went) & GUARDING):
            severity = "warning"
        words = [*(f"+{each}" for each in came), *(f"-{each}" for each in went)]
        if words or (name in known) != (name in before):
            records.append({"format": name, "filters": ", ".join(words)})
    title = f"Text formats changed: {listed(each['format'] for each in records)}"
    changes.tell("drupal.text_formats_changed", title, records, "warning" if severity == "warning" else "info")


def roles(changes: Changes, pairs: Sequence[tuple[int, str]], admin_roles: Sequence[str]) -> None:
    admin = {plain(role) for role in admin_roles}
    members: dict[str, set[int]] = {}
    for uid, role in pairs:
        members.setdefault(plain(role), set()).add(int(uid))
    now = {
        role: sorted(uids)[:MOST_MEMBERS] for role, uids in sorted(members.items())[:MOST_ROLES]
        if role in admin or len(uids) <= MOST_MEMBERS
    }  # fmt: skip
    crowded = sorted(members.keys() - now.keys())
    _, were_crowded = changes.moved("crowded roles", crowded)
    moved, before = changes.moved("roles", now)
    if not moved:
        return
    for role in sorted((now.keys() | before.keys()) - {*crowded, *(were_crowded or ())}):
        was, has = set(before.get(role, ())), set(now.get(role, ()))
        if came := sorted(has - was):
            _granted(changes, role, came, role in admin)
        if went := sorted(was - has):
            changes.tell("drupal.role_revoked", f"{_accounts(went)} lost the role {role}", _records(role, went))


def _granted(changes: Changes, role: str, uids: Sequence[int], is_admin: bool) -> None:
    title = f"{_accounts(uids)} got the role {role}"
    if is_admin:
        changes.tell("drupal.admin_added", f"{title}, which gives all rights", _records(role, uids), "warning")
    else:
        changes.tell("drupal.role_granted", title, _records(role, uids))


def _records(role: str, uids: Sequence[int]) -> list[dict[str, str]]:
    return [{"uid": str(uid), "role": role} for uid in uids]


def _accounts(uids: Sequence[int]) -> str:
    return f"Account {uids[0]}" if len(uids) == 1 else f"{len(uids)} accounts"
