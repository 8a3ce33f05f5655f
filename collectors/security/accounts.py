"""Accounts, rights, keys and jobs of this host: what has changed since the last look, with lines that hold no secret.

Source: https://man7.org/linux/man-pages/man5/passwd.5.html https://www.sudo.ws/docs/man/sudoers.man/
https://man7.org/linux/man-pages/man5/crontab.5.html
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from collectors.model import Counter, Event, Gauge, Sample, Severity, State
from collectors.security.masking import changed_lines
from collectors.security.telling import digest, event, plain

KINDS = ("account", "group", "os_uid0", "os_sudo", "ssh_key", "cron", "systemd", "preload", "ssh_config")
RIGHTS = ("sudo", "wheel", "admin", "root", "docker", "lxd", "libvirt", "disk", "shadow")
"""Groups whose members can become root."""
SEVERE = ("os_uid0", "os_sudo", "ssh_key", "preload")
"""Critical unless it is taken away: who has it can do everything, and come back."""
MOST_EVENTS = 50
"""Of one look: an upgrade of the whole system is no news by file."""

CHANGES = Counter(
    "security_account_changes_total",
    "Changes of accounts, groups, `os_uid0` and `os_sudo` (who may become root), keys of SSH, jobs and services, "
    "with the severity of their event.",
    ("kind", "severity"),
    bounds={"kind": len(KINDS), "severity": 2},
)
WATCHED = Gauge(
    "security_watched_files",
    "Files that are watched, and accounts for their keys; of files that cannot be read only size and time are seen.",
    ("kind", "readable"),
    bounds={"kind": len(KINDS), "readable": 2},
)
FAMILIES = (CHANGES, WATCHED)


class Change(NamedTuple):
    kind: str
    what: str
    """`added`, `removed`, `changed`."""
    name: str


def step(state: State, payload: Any) -> tuple[State, Sequence[Event]]:
    keys = payload["keys"]
    now = {"passwd": payload["passwd"], "group": payload["group"]}
    now |= {f"files:{kind}": found for kind, found in payload["files"].items()}
    now |= {f"keys:{account}": found for account, found in keys.items()}
    counts = dict(state.get("counts", {}))
    events: list[Event] = []
    for change in _changes(state, now):
        key = f"{change.kind} {_severity(change)}"
        counts[key] = counts.get(key, 0) + 1
        if len(events) < MOST_EVENTS:
            lines = _lines(change, state.get("texts", {}), payload)
            events.append(_event(change, payload["at"], counts[key], lines))
    kept = {area: state.get(area) if found is None else found for area, found in now.items()}
    seen = [found is not None for found in keys.values()]
    about = {"counts": counts, "keys": [seen.count(True), seen.count(False)], "texts": payload.get("texts", {})}
    return {**{area: found for area, found in kept.items() if found is not None}, **about}, events


def samples(state: State) -> Iterable[Sample]:
    for kind in KINDS:
        for severity in ("critical", "info") if kind in SEVERE else ("info",):
            yield CHANGES(state.get("counts", {}).get(f"{kind} {severity}", 0), kind, severity)
    if "keys" in state:
        yield WATCHED(state["keys"][0], "ssh_key", "yes")
        yield WATCHED(state["keys"][1], "ssh_key", "no")
    for area, found in sorted(state.items()):
        if area.startswith("files:"):
            seen = [signature.startswith("hash:") for signature in found.values()]
            for readable in (True, False):
                yield WATCHED(seen.count(readable), area.removeprefix("files:"), "yes" if readable else "no")


def passwd(text: str) -> dict[str, list[str]]:
    """Account -> its number, and a hash of the rest."""
    rows = (line.split(":") for line in text.splitlines())
    return {row[0]: [row[2], digest(*row[3:])] for row in rows if len(row) == 7 and row[0]}


def groups(text: str) -> dict[str, list[str]]:
    """Group -> its members."""
    rows = (line.split(":") for line in text.splitlines())
    return {row[0]: sorted(filter(None, row[3].split(","))) for row in rows if len(row) == 4 and row[0]}


def _changes(before: State, now: Mapping[str, Any]) -> Iterator[Change]:
    """Nothing of an area that is seen for the first time, or that cannot be seen now."""
    for area, found in now.items():
        if found is not None and (old := _before(before, area)) is not None:
            if area == "passwd":
                yield from _of_accounts(old, found)
            elif area == "group":
                yield from _of_groups(old, found)
            elif area.startswith("keys:"):
                for key, what in _differences(old, found):
                    yield Change("ssh_key", what, f"{key} of {area.removeprefix('keys:')}")
            else:
                yield from _of_files(area.removeprefix("files:"), old, found)


def _before(state: State, area: str) -> Any:
    """An account that is new had no keys."""
    account = area.removeprefix("keys:")
    is_new = account != area and account not in state.get("passwd", {account: 0})
    return state.get(area, {} if is_new else None)


def _of_accounts(old: Mapping[str, list[str]], now: Mapping[str, list[str]]) -> Iterator[Change]:
    for name, what in _differences(old, now):
        yield Change("account", what, name)
        if what != "removed" and now[name][0] == "0" and old.get(name, [""])[0] != "0":
            yield Change("os_uid0", "added", name)


def _of_groups(old: Mapping[str, list[str]], now: Mapping[str, list[str]]) -> Iterator[Change]:
    for group, what in _differences(old, now):
        yield Change("group", what, group)
        if group in RIGHTS:
            for member in sorted(set(now.get(group, [])) - set(old.get(group, []))):
                yield Change("os_sudo", "added", f"{member} to group {group}")


def _of_files(kind: str, old: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Change]:
    """A file that can be read since now, or no longer, has not changed; the same for all in a folder."""
    shut = tuple(f"{path}/" for path in {*old} ^ {*now} if old.get(path, now.get(path, "")).startswith("folder:"))
    for path, what in _differences(old, now):
        if f"{path}/".startswith(shut):
            continue
        if what != "changed" or old[path].partition(":")[0] == now[path].partition(":")[0]:
            yield Change(kind, what, path)


def _differences(old: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in sorted({*old, *now}):
        if name not in now:
            yield name, "removed"
        elif name not in old:
            yield name, "added"
        elif old[name] != now[name]:
            yield name, "changed"


def _lines(change: Change, before: Mapping[str, str], payload: Any) -> list[str]:
    """None where a text was not seen before, unless the file is new."""
    if change.kind == "ssh_key":
        line = payload.get("key_lines", {}).get(change.name.partition(" ")[0])
        return [f"+{line}"] if line and change.what == "added" else []
    now = payload.get("texts", {}).get(change.name)
    old = "" if change.what == "added" else before.get(change.name)
    return changed_lines(old, now) if old is not None and now else []


def _severity(change: Change) -> Severity:
    return "critical" if change.kind in SEVERE and change.what != "removed" else "info"


def _event(change: Change, at: float, number: int, lines: Iterable[str]) -> Event:
    which = f": {change.name}" if change.name.startswith("/") else ""  # else whose: that is for the evidence
    title = f"{TITLES[change.kind]} {change.what}{which}"
    told = event("account", _severity(change), at, title, change._asdict(), origin=(at, number), key=change.kind)
    shown = ({"path": plain(change.name), "line": plain(line)} for line in lines)
    return replace(told, evidence=(*told.evidence, *shown))


TITLES = {
    "account": "Account", "group": "Group", "os_uid0": "Account with the rights of root",
    "os_sudo": "Right to become root", "ssh_key": "Key for SSH", "cron": "Cron job", "systemd": "Unit of systemd",
    "preload": "Library for every program", "ssh_config": "Setting of sshd",
}  # fmt: skip
