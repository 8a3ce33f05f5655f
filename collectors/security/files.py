"""Files of sites: PHP among uploads, missing guards, settings that PHP itself may change.

Source: https://www.drupal.org/docs/administering-a-drupal-site/security-in-drupal/securing-file-permissions-and-ownership
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from collectors.model import Counter, Event, Gauge, Sample, State
from collectors.security.filewalk import kind
from collectors.security.telling import digest, event

KINDS = ("executable", "config")
GUARDS = ("uploads_guard", "cache_guard", "settings_writable")
CHECKS = ("uploads_php", "uploads_config", *GUARDS)
MOST_EVENTS = 20
"""Of one look and site."""
MOST_KNOWN = 500

CHANGES = Counter(
    "security_file_changes_total",
    "New files that a web server might run (`executable`) or obey (`config`: .htaccess) among a site's uploads.",
    ("zone", "kind", "site"),
    bounds={"zone": 1, "kind": len(KINDS)},
)
FINDINGS = Gauge(
    "security_posture_findings",
    "What is wrong with a site's files: PHP or foreign .htaccess among uploads, a missing guard of uploads or of "
    "compiled templates, settings.php that PHP may write.",
    ("check", "site"),
    bounds={"check": len(CHECKS)},
)
COMPLETE = Gauge(
    "security_uploads_seen_entirely", "1 if the last look among a site's uploads reached every folder.", ("site",)
)
FAMILIES = (CHANGES, FINDINGS, COMPLETE)


def step(state: State, payload: Any) -> tuple[State, Sequence[Event]]:
    after: State = {}
    events: list[Event] = []
    for found in payload["sites"]:
        key = f"site:{found['site']}"
        after[key], told = _site(state.get(key), found, payload["at"])
        events += told
    return after, events


def samples(state: State) -> Iterable[Sample]:
    for key, known in sorted(state.items()):
        site = key.removeprefix("site:")
        for each in KINDS:
            yield CHANGES(known["counts"].get(each, 0), "uploads", each, site)
        for check, number in known["findings"].items():
            yield FINDINGS(number, check, site)
        if known["files"] is not None:
            yield COMPLETE(known["complete"], site)


def _site(known: Any, found: Mapping[str, Any], at: float) -> tuple[dict[str, Any], list[Event]]:
    """What is there at the first look is a finding, what comes later an event as well."""
    site = found["site"]
    before = known or {"counts": {}, "files": None, "complete": False, "findings": {}, "at": at}
    counts = dict(before["counts"])
    events: list[Event] = []
    for file in _new(before, found):
        what = kind(file[0])
        counts[what] = counts.get(what, 0) + 1
        if len(events) < MOST_EVENTS:
            events.append(_upload(site, file, what, at))
    findings = _findings(found)
    turned = [check for check in GUARDS if findings.get(check) and before["findings"].get(check) == 0]
    events += [_posture(site, check, at) for check in turned]
    files = _files(before, found)
    complete = found["complete"] if found["files"] is not None else before["complete"]
    return {"counts": counts, "files": files, "complete": complete, "findings": findings, "at": at}, events


def _new(before: Mapping[str, Any], found: Mapping[str, Any]) -> Iterable[tuple[str, int, float]]:
    if before["files"] is None:
        return
    for path, size, changed in found["files"] or ():
        known = before["files"].get(digest(path))
        # Of a folder that was not reached before, only what has come since is new.
        is_new = known is None and (before["complete"] or changed >= before["at"])
        if is_new or known not in (None, size):
            yield path, size, changed


def _files(before: Mapping[str, Any], found: Mapping[str, Any]) -> Any:
    """Digest of a path -> bytes."""
    if found["files"] is None:
        return before["files"]
    now = {digest(path): size for path, size, _ in found["files"]}
    old = {} if found["complete"] else before["files"] or {}
    return dict(list({**now, **{key: size for key, size in old.items() if key not in now}}.items())[:MOST_KNOWN])


def _findings(found: Mapping[str, Any]) -> dict[str, int]:
    """Unknown is absent."""
    said: dict[str, int] = {}
    if found["files"] is not None:
        kinds = [kind(path) for path, _, _ in found["files"]]
        said |= {"uploads_php": kinds.count("executable"), "uploads_config": kinds.count("config")}
    wrong = {
        "uploads_guard": _not(found["guard"]), "cache_guard": _not(found["cache_guard"]),
        "settings_writable": found["writable"],
    }  # fmt: skip
    return said | {check: int(value) for check, value in wrong.items() if value is not None}


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _upload(site: str, file: tuple[str, int, float], what: str, at: float) -> Event:
    path, size, changed = file
    name = "PHP" if what == "executable" else "Rules for the web server"
    evidence = {"path": path, "bytes": size, "kind": what, "changed": f"{changed:.0f}"}
    return event(
        "upload", "critical" if what == "executable" else "warning", at, f"{name} among the uploads of {site}: {path}",
        evidence, origin=(site, path, changed), key=what, site=site,
    )  # fmt: skip


def _posture(site: str, check: str, at: float) -> Event:
    title = {
        "uploads_guard": "the .htaccess of its uploads is gone or another",
        "cache_guard": "the .htaccess of its compiled templates is gone or another",
        "settings_writable": "its settings.php can now be written by PHP",
    }[check]
    return event(
        "posture", "warning", at, f"{site}: {title}", {"check": check}, origin=(site, at), key=check, site=site
    )
