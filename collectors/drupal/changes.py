"""What changed on a site: code, modules, configuration, access; cron, cache rebuilds and maintenance.

Drupal writes down little of this, so two snapshots are compared. What a snapshot leaves out is not known now, and stays
what it was. Accounts are told by their number only; of what identifies a deployment only that it is another.

Source: https://api.drupal.org/api/drupal/core%21lib%21Drupal%21Core%21Config%21DatabaseStorage.php/11
"""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from collectors.drupal import access_changes
from collectors.drupal.change import Changes, digest, listed, plain
from collectors.drupal.versions import version
from collectors.errors import ParseError
from collectors.model import Event, Severity, State

IMPORTED = 5
"""So many configurations that changed at once came from an import."""
MOST_NAMES = 20_000
JUST_NOW = 600.0
"""A time that the site tells counts if it is no older, and not in the future."""
FIRST = "Account 1, which has all rights, has another name, address, password or state"
RISKY: dict[str, Severity] = {
    "php": "warning", "devel": "warning", "webprofiler": "warning", "stage_file_proxy": "info",
    "backup_migrate": "info", "views_ui": "info", "field_ui": "info",
}  # fmt: skip
"""Modules that a live site is better without."""


class Snapshot(TypedDict, total=False):
    """JSON-able. All but the first two may be left out."""

    now: float  # Unix seconds
    site: str
    core: str
    """Version."""
    lock: str
    """composer.lock, or any hash of it."""
    deployment: str
    """deployment_identifier of settings.php."""
    extensions: Mapping[str, str]
    """Modules and themes that are on -> `module`, `theme`."""
    config: Mapping[str, str]
    """Name -> any hash of config.data."""
    cron_last: float  # Unix seconds
    maintenance: bool
    caches: Mapping[str, str]
    """What a rebuild makes anew -> a hash: `container` (its rows' cids), `css_js_query_string`."""
    rebuilt: float  # Unix seconds
    """When the container was made."""
    roles: Sequence[tuple[int, str]]
    """Account, role: user__roles or users_roles."""
    admin_roles: Sequence[str]
    """Roles that have all rights, or one by which to get them all."""
    permissions: Mapping[str, Sequence[str]]
    """Role -> what it may."""
    first_account: str
    """A hash of what account 1 is: name, mail, password and state, as far as we may see them."""
    formats: Mapping[str, Sequence[str]]
    """Text format -> the filters that are on."""
    trusted_hosts: str
    """A hash of trusted_host_patterns; "" for none."""


def step(state: State, snapshot: Snapshot) -> tuple[State, Sequence[Event]]:
    """The first snapshot tells nothing: there is nothing to compare it with."""
    changes = Changes(state, snapshot.get("site", ""), snapshot["now"])
    _code(changes, snapshot)
    installed = _extensions(changes, snapshot)
    if "config" in snapshot:
        _config(changes, snapshot["config"], installed)
    if "caches" in snapshot:
        _caches(changes, snapshot["caches"], snapshot.get("rebuilt", 0.0), snapshot["now"])
    _cron(changes, snapshot)
    if "maintenance" in snapshot:
        now = bool(snapshot["maintenance"])
        if changes.moved("maintenance", now)[0]:
            changes.tell("drupal.maintenance", f"Maintenance mode was switched {'on' if now else 'off'}")
    if snapshot.get("first_account") and changes.moved("first account", digest(snapshot["first_account"]))[0]:
        changes.tell("drupal.first_account_changed", FIRST, severity="warning")
    if "formats" in snapshot:
        access_changes.formats(changes, snapshot["formats"])
    if "trusted_hosts" in snapshot and changes.moved("trusted hosts", digest(snapshot["trusted_hosts"]))[0]:
        is_gone = not snapshot["trusted_hosts"]
        words = "are no longer set: any host name is answered" if is_gone else "changed"
        changes.tell("drupal.trusted_hosts", f"The trusted hosts {words}", severity="warning" if is_gone else "info")
    if "permissions" in snapshot:
        access_changes.permissions(changes, snapshot["permissions"])
    if "roles" in snapshot:
        access_changes.roles(changes, snapshot["roles"], snapshot.get("admin_roles", ()))
    return changes.state, changes.events


def _code(changes: Changes, snapshot: Snapshot) -> None:
    if core := plain(snapshot.get("core", "")):
        moved, before = changes.moved("core", core)
        if moved:
            word = "went back" if _is_lower(core, before) else "changed"
            changes.tell("drupal.core_version", f"Drupal {word} from {before} to {core}")
    if "lock" in snapshot and changes.moved("lock", digest(snapshot["lock"]))[0]:
        changes.tell("drupal.deploy", "composer.lock changed: other versions of code were deployed")
    if "deployment" in snapshot and changes.moved("deployment", digest(snapshot["deployment"]))[0]:
        changes.tell("drupal.deploy", "The deployment identifier of settings.php changed")


def _is_lower(now: str, before: str) -> bool:
    try:
        return version(now) < version(before)
    except ParseError:
        return False


def _extensions(changes: Changes, snapshot: Snapshot) -> bool:
    """Whether any came or went."""
    if "extensions" not in snapshot:
        return False
    now = {plain(name): kind for name, kind in sorted(snapshot["extensions"].items())[:MOST_NAMES]}
    moved, before = changes.moved("extensions", now)
    came, went = now.keys() - before.keys() if moved else set(), before.keys() - now.keys() if moved else set()
    if came:
        severity: Severity = "warning" if any(RISKY.get(name) == "warning" for name in came) else "info"
        records = (
            {"name": name, "type": now[name]} for name in sorted(came, key=lambda each: (each not in RISKY, each))
        )
        changes.tell("drupal.extensions_installed", f"Installed: {listed(came)}", records, severity)
    if went:
        records = ({"name": name, "type": before[name]} for name in sorted(went))
        changes.tell("drupal.extensions_uninstalled", f"Uninstalled: {listed(went)}", records)
    return bool(came or went)


def _config(changes: Changes, config: Mapping[str, str], installed: bool) -> None:
    """Hashes of hashes: short ones, as there are thousands."""
    now = {plain(name): digest(config[name])[:10] for name in sorted(config)[:MOST_NAMES]}
    moved, before = changes.moved("config", now)
    if not moved:
        return
    names = sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))
    records = ({"name": name, "change": _word(name in before, name in now)} for name in names)
    if len(names) >= IMPORTED and not installed:
        changes.tell("drupal.config_import", f"{len(names)} configurations changed at once: an import", records)
    else:
        changes.tell("drupal.config_changed", f"Configuration changed: {listed(names)}", records)


def _word(was: bool, is_there: bool) -> str:
    return "changed" if was and is_there else "added" if is_there else "removed"


def _caches(changes: Changes, caches: Mapping[str, str], rebuilt: float, now: float) -> None:
    signs = {plain(name): digest(caches[name]) for name in sorted(caches)}
    moved = [name for name, sign in signs.items() if changes.moved(f"cache:{name}", sign)[0]]
    if moved:
        at = rebuilt if "container" in moved and 0 <= now - rebuilt < JUST_NOW else now
        changes.tell("drupal.cache_rebuild", "Caches were rebuilt", [{"sign": ", ".join(moved)}], at=at)


def _cron(changes: Changes, snapshot: Snapshot) -> None:
    if (last := snapshot.get("cron_last")) is None:
        return
    moved, before = changes.moved("cron_last", last)
    if moved and last > before:
        changes.tell("drupal.cron", "Cron ran", at=last)
