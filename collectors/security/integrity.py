"""Code and configuration that changed: new files told from changed ones, a deploy told from anything else.

Changes of one site are gathered until it is quiet for a minute, so that a deploy is one event and an attack is, too.
What a deploy leaves behind (composer.lock, git's log, a package manager's list) makes them `info`.

Source: https://attack.mitre.org/techniques/T1565/001/ https://attack.mitre.org/techniques/T1505/003/
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from collectors.model import Counter, Event, Sample, Severity, State
from collectors.security.masking import changed_lines
from collectors.security.telling import digest, event, plain

ZONES = ("core", "contrib", "custom", "settings", "web_config", "php_config")
CHANGES = ("added", "changed", "removed")
QUIET = 60.0
LONGEST = 300.0
"""Changes are told at latest so long after the first of them."""
DEPLOY_BEFORE, DEPLOY_AFTER = 900.0, 120.0
"""A deploy's mark may be so much earlier or later than a change that belongs to it."""
MOST_FOLDERS = 50_000
MOST_TEXTS = 200
MOST_RECORDS = 8
RUNS = re.compile(
    r".*\.(php\d?|phtml|pht|phar|inc|module|install|theme|profile|engine)|\.htaccess|\.user\.ini", re.IGNORECASE
)
SETTINGS = re.compile(r"sites/[^/]+/[^/]*(settings|services)[^/]*\.(php|yml)|sites/[^/]+\.(php|yml)")
CONTRIB = re.compile(r"(sites/[^/]+/)?(modules|themes|profiles)/contrib/.*|vendor/.*|libraries/.*")
CORE = re.compile(r"core/.*|[^/]+|(includes|misc|scripts|modules|themes|profiles)/.*")
CUSTOM = re.compile(r"(sites/.+/)?(modules|themes|profiles)/custom/.*")

TOTAL = Counter(
    "security_code_changes_total",
    "Files of code and configuration that were added, changed or removed, also by a deploy; site is empty for servers.",
    ("zone", "change", "site"),
    bounds={"zone": len(ZONES), "change": len(CHANGES)},
)
PASSES = Counter("security_code_passes_total", "Times that every file of code and configuration was read and compared.")
FAMILIES = (TOTAL, PASSES)


def step(state: State, payload: Any) -> tuple[State, Sequence[Event]]:
    after = dict(state)
    at = payload["at"]
    _marks(after, payload["marks"], payload.get("heard", ()), at)
    for site, tree, folder, files, texts in payload["folders"]:
        if site not in after.setdefault("sites", []):
            after["sites"] = sorted({*after["sites"], site})
        _folder(after, (site, tree, folder), files, texts, payload)
    if payload["ended"]:
        _end_of_pass(after, payload)
    return after, _settled(after, at)


def samples(state: State) -> Iterable[Sample]:
    """From 0 on: the first change shows in a rate too."""
    counts = state.get("counts", {})
    for site in state.get("sites", ()):
        for zone in ZONES[4:] if not site else ZONES[:4]:
            for change in CHANGES:
                yield TOTAL(counts.get(f"{zone} {change} {site}", 0), zone, change, site)
    yield PASSES(state.get("passes", 0))


def zone_of(tree: str, path: str) -> str:
    """`path`: from the docroot."""
    if tree != "code":
        return "contrib" if tree == "vendor" else tree
    for zone, pattern in (("settings", SETTINGS), ("contrib", CONTRIB), ("custom", CUSTOM), ("core", CORE)):
        if pattern.fullmatch(path):
            return zone
    return "custom"


def _marks(after: State, marks: Mapping[str, str], heard: Iterable[Sequence[Any]], at: float) -> None:
    """When a deploy was seen last, by site."""
    deployed = dict(after.get("deployed", {}))
    known = after.get("marks", {})
    deployed |= {site: at for site, mark in marks.items() if site in known and known[site] != mark}
    for site, when in heard:
        deployed[site] = max(when, deployed.get(site, 0.0))
    after["marks"], after["deployed"] = {**known, **marks}, deployed


def _folder(after: State, place: tuple[str, str, str], files: Any, texts: Mapping[str, str], payload: Any) -> None:
    site, tree, folder = place
    key = f"folder:{digest(*place)}"
    known = after.get(key)
    if files is None:
        if known is not None:
            after[key] = _kept(payload["pass"], place, _files(known))
        return
    if known is None and len(after) > MOST_FOLDERS:
        return
    # Within the first pass over a site, what is not known was there before.
    is_new = site in after.get("passed", ())
    before = _files(known) if known is not None else {} if is_new else files
    for name in sorted({*before, *files}):
        if (change := _change(before.get(name), files.get(name))) and before.get(name) != files.get(name):
            path = f"{folder}/{name}".lstrip("/")
            lines = _diff(after.get(f"text:{digest(*place, name)}"), texts.get(name))
            record = {"path": path, "change": change, "before": before.get(name, ""), "after": files.get(name, "")}
            _pend(after, (site, zone_of(tree, path)), record, lines, payload["at"])
    _keep_texts(after, place, texts)
    after[key] = _kept(payload["pass"], place, files)


def _change(before: str | None, now: str | None) -> str:
    if before is None or now is None:
        return "added" if before is None else "removed"
    # One that can be read since now, or no longer, has not changed.
    return "changed" if before.partition(":")[0] == now.partition(":")[0] else ""


def _kept(number: int, place: tuple[str, str, str], files: Mapping[str, str]) -> str:
    """One text a folder: thousands of small values would cost more than what they say."""
    return "\n".join([json.dumps([number, *place]), *(f"{sign} {name}" for name, sign in sorted(files.items()))])


def _place(kept: str) -> tuple[int, tuple[str, str, str]]:
    number, *place = json.loads(kept.partition("\n")[0])
    return number, (place[0], place[1], place[2])


def _files(kept: str) -> dict[str, str]:
    rows = (line.partition(" ") for line in kept.split("\n")[1:])
    return {name: sign for sign, _, name in rows}


def _keep_texts(after: State, place: tuple[str, str, str], texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        key = f"text:{digest(*place, name)}"
        path = f"{place[2]}/{name}".lstrip("/")
        if zone_of(place[1], path) not in ("settings", "web_config", "php_config") and name != ".htaccess":
            continue
        if key in after or sum(each.startswith("text:") for each in after) < MOST_TEXTS:
            after[key] = text


def _diff(before: str | None, now: str | None) -> list[str]:
    return [] if before is None or now is None else changed_lines(before, now)


def _pend(after: State, place: tuple[str, str], record: Mapping[str, str], lines: Sequence[str], at: float) -> None:
    site, zone = place
    counts = dict(after.get("counts", {}))
    name = f"{zone} {record['change']} {site}"
    counts[name] = counts.get(name, 0) + 1
    pending = dict(after.get("pending", {}))
    mine = pending.get(site) or {"first": at, "kinds": {}}
    kind = f"{zone} {record['change']}"
    known = mine["kinds"].get(kind) or {"count": 0, "runs": 0, "records": []}
    shown = [record, *({"path": record["path"], "line": line} for line in lines)]
    known = {
        "count": known["count"] + 1, "runs": known["runs"] + bool(RUNS.fullmatch(record["path"].rpartition("/")[2])),
        "records": [*known["records"], *shown][:MOST_RECORDS],
    }  # fmt: skip
    pending[site] = {**mine, "last": at, "kinds": {**mine["kinds"], kind: known}}
    after["counts"], after["pending"] = counts, pending


def _end_of_pass(after: State, payload: Any) -> None:
    """Folders that it did not come by are gone."""
    for key in [key for key in after if key.startswith("folder:")]:
        number, place = _place(after[key])
        if number < payload["pass"]:
            if place[0] in payload["marks"]:  # else nobody looks after the site any more
                _folder(after, place, {}, {}, payload)
            del after[key]
    after["passed"] = sorted(payload["marks"])
    after["passes"] = after.get("passes", 0) + 1


def _settled(after: State, at: float) -> list[Event]:
    events: list[Event] = []
    left = {}
    for site, each in after.get("pending", {}).items():
        if at - each["last"] < QUIET and at - each["first"] < LONGEST:
            left[site] = each
        elif _is_deploy(after, site, each):
            events.append(_deployed(site, each))
        else:
            events += [_changed(site, kind, found, each) for kind, found in sorted(each["kinds"].items())]
    after["pending"] = left
    return events


def _is_deploy(after: State, site: str, each: Mapping[str, Any]) -> bool:
    when = after.get("deployed", {}).get(site)
    return when is not None and each["first"] - DEPLOY_BEFORE <= when <= each["last"] + DEPLOY_AFTER


def _deployed(site: str, each: Mapping[str, Any]) -> Event:
    kinds = {kind: found["count"] for kind, found in sorted(each["kinds"].items())}
    total = sum(kinds.values())
    words = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    what = "a deploy" if site else "installed packages"
    return event(
        "code_deployed", "info", each["last"], f"{site or 'Servers'}: files changed with {what}: {words}",
        kinds, origin=(site, each["first"]), key="deploy", site=site, count=total, first=each["first"],
    )  # fmt: skip


def _changed(site: str, kind: str, found: Mapping[str, Any], each: Mapping[str, Any]) -> Event:
    zone, _, change = kind.partition(" ")
    first = found["records"][0]["path"]
    more = f" and {found['count'] - 1} more" if found["count"] > 1 else ""
    severity: Severity = "warning" if _matters(zone, change, found["runs"]) else "info"
    told = event(
        "code", severity, each["last"], f"{site or 'Servers'}: {NAMES[zone]} {change}: {first}{more}", {},
        origin=(site, kind, each["first"], first), key=kind, site=site, count=found["count"], first=each["first"],
    )  # fmt: skip
    records = ({name: plain(value) for name, value in record.items() if value} for record in found["records"])
    return replace(told, evidence=tuple({**record, "zone": zone} for record in records))


def _matters(zone: str, change: str, runs: int) -> bool:
    return change != "removed" and (bool(runs) or zone in ("settings", "web_config", "php_config", "core"))


NAMES = {
    "core": "file of core", "contrib": "file of a contributed project", "custom": "file of custom code",
    "settings": "settings", "web_config": "configuration of the web server", "php_config": "configuration of PHP",
}  # fmt: skip
