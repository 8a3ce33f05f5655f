"""Which projects of a site are out of date, revoked or insecure, and for how long it has been known.

Per project the newest of: what the site's update module fetched, and release histories that the operator has put into a
folder. What the module concluded itself holds while it is fresh, so that what a site chose to ignore stays ignored.
Versions are those on disk, else those that the module knew.

Source: https://api.drupal.org/api/drupal/core%21modules%21update%21update.module/10
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TypedDict

from collectors.drupal import advisories as feeds
from collectors.drupal import installed as sources
from collectors.drupal.advisories import Advisory
from collectors.drupal.exposure import exposed_since
from collectors.drupal.php_values import Value, unserialize
from collectors.drupal.releases import History, from_stored, from_xml
from collectors.drupal.statuses import CURRENT, NAMES, NOT_SECURE, Installed, Verdict, verdict
from collectors.drupal.versions import same, version
from collectors.errors import Absent, Denied, ParseError
from collectors.model import Gauge, Sample
from collectors.sources.files import read_text

MOST_PROJECTS = 200
MOST_FILES = 500
UPDATES = Gauge(
    "drupal_updates",
    "Projects of which something is on, by how their installed release stands: `not_secure`, `revoked`, "
    "`not_supported`, `not_current`, `current`; the others are what nobody could say.",
    ("status",),
    bounds={"status": len(NAMES)},
)
PROJECT = Gauge(
    "drupal_project_status",
    "1 for each project whose installed release is not the current one; the worst are told first.",
    ("project", "status", "installed", "recommended", "type"),
    bounds={"status": len(NAMES), "type": 10},
)
PENDING = Gauge(
    "drupal_security_updates_pending",
    "Projects of which something is on, and whose installed release is insecure or lacks a newer security release.",
)
AGE = Gauge("drupal_update_data_age_seconds", "Since the oldest release history that the verdicts rest on was fetched.")
SUPPORTED = Gauge(
    "drupal_core_supported_until_timestamp_seconds", "When the installed core's branch gets its last security release."
)
EXPOSED = Gauge(
    "drupal_exposed_seconds",
    "For how long a project of which something is on has been known to be insecure: since the first security release "
    "that the site lacks, or the first advisory about its version and this kind of database.",
    ("project",),
)
FAMILIES = (UPDATES, PROJECT, PENDING, AGE, SUPPORTED, EXPOSED)

# Days after which a branch gets no security release. Source: https://www.drupal.org/about/core/policies
SUPPORT_ENDS = {
    "7": date(2025, 1, 5), "8.8": date(2020, 12, 2), "8.9": date(2021, 11, 2), "9.5": date(2023, 11, 1),
    "10.5": date(2026, 6, 17), "10.6": date(2026, 12, 9),
}  # fmt: skip


class Stored(TypedDict, total=False):
    """Rows of the site's database, serialized, one character a byte; what is not there is left out."""

    computed: str
    """key_value_expire update/update_project_data; Drupal 7: cache_update update_project_data."""
    computed_until: float
    """Its `expire`. Unix seconds."""
    available: dict[str, str]
    """Project -> key_value_expire update_available_releases; Drupal 7: cache_update available_releases::PROJECT."""
    advisories: str
    """key_value_expire system/advisories_response."""


class Mirror(TypedDict, total=False):
    """What `read_mirror` finds."""

    histories: list[tuple[str, float]]
    """Text of a release history, and when the file was written. Unix seconds."""
    advisories: str


class Payload(TypedDict, total=False):
    now: float  # Unix seconds
    seven: bool
    core: str
    """Version of core, as its code says; "": not known."""
    driver: str
    """mysql, pgsql or sqlite."""
    enabled: list[str]
    """Modules and themes that are on. Left out: not known, and only what the update module knows of is judged."""
    stored: Stored
    mirror: Mirror
    lock: str
    """composer.lock"""
    info: dict[str, str]
    """Path within the docroot -> text of *.info.yml, or of Drupal 7's *.info."""
    system: list[tuple[str, str]]
    """Drupal 7: name and info of each row of `system` with status 1."""


def read_mirror(folder: Path) -> Mirror:
    """Files of drupal.org's release-history, under whatever names that end in .xml, and psa.json."""
    found: Mirror = {"histories": []}
    if not folder.is_dir():
        raise Absent(f"{folder}: no such folder")
    try:
        paths = sorted(folder.rglob("*.xml"))[:MOST_FILES]
        found["histories"] = [(read_text(path), path.stat().st_mtime) for path in paths]
    except PermissionError as error:
        raise Denied(f"{folder}: permission denied") from error
    if (folder / "psa.json").exists():
        found["advisories"] = read_text(folder / "psa.json")
    return found


@dataclass(frozen=True)
class Judged:
    installed: Installed
    verdict: Verdict
    fetched: float | None


def parse(payload: Payload) -> Iterable[Sample]:
    """Absent where neither the site nor a folder knows of any release."""
    now, stored, mirror = payload["now"], payload.get("stored", {}), payload.get("mirror", {})
    computed = _unserialized(stored.get("computed"))
    projects = _projects(payload, computed)
    histories = _histories(stored, mirror, payload.get("seven", False))
    fresh = stored.get("computed_until", 0.0) > now
    judged = [_judged(each, histories.get(each.project), computed, fresh) for each in projects.values()]
    known = [each for each in judged if each is not None]
    if core := projects.get(sources.CORE):
        yield from _supported(core.version)
    if not known:
        if core is None:
            raise Absent("nobody says which releases there are: the update module is off and no folder is set")
        return
    yield from _counted(known)
    if fetched := [each.fetched for each in known if each.fetched]:
        yield AGE(max(0.0, now - min(fetched)))
    advisories = (*_stored_advisories(stored), *feeds.from_json(mirror.get("advisories", "[]")))
    yield from _exposed(known, advisories, payload)


def _unserialized(text: str | None) -> Value:
    return unserialize(sources.bytes_of(text)) if text else None


def _stored_advisories(stored: Stored) -> tuple[Advisory, ...]:
    return feeds.from_stored(_unserialized(stored.get("advisories")))


def _projects(payload: Payload, computed: Value) -> dict[str, Installed]:
    lock = sources.from_lock(payload["lock"]) if payload.get("lock") else {}
    on_disk = sources.from_info(payload.get("info", {}), lock)
    system = sources.from_system(payload.get("system", []))
    core = {sources.CORE: Installed(sources.CORE, payload["core"], "core")} if payload.get("core") else {}
    known = sources.from_computed(computed)
    found = sources.merged(core, system, on_disk, lock, known)
    if (enabled := payload.get("enabled")) is None:
        return {name: each for name, each in found.items() if name == sources.CORE or name in known or name in system}
    names = set(enabled)
    return {name: each for name, each in found.items() if name == sources.CORE or names & {name, *each.extensions}}


def _histories(stored: Stored, mirror: Mirror, seven: bool) -> dict[str, History]:
    """Of each project the one that was fetched last."""
    site = [from_stored(name, _unserialized(text)) for name, text in stored.get("available", {}).items()]
    folder = [from_xml(text, written) for text, written in mirror.get("histories", [])]
    found: dict[str, History] = {}
    for history in (*site, *(each for each in folder if each.seven == seven or not each.releases)):
        if (history.fetched or 0.0) >= (found[history.project].fetched or 0.0 if history.project in found else 0.0):
            found[history.project] = history
    return found


def _judged(installed: Installed, history: History | None, computed: Value, fresh: bool) -> Judged | None:
    """None for what nobody outside of the site knows: its own modules."""
    concluded = _concluded(installed, computed)
    if concluded and (fresh or history is None):
        return Judged(installed, concluded, history.fetched if history else None)
    if history is None:
        return None
    ours = replace(installed, version=_as_released(installed.version, history), type=history.type or installed.type)
    return Judged(ours, verdict(ours, history), history.fetched)


def _concluded(installed: Installed, computed: Value) -> Verdict | None:
    """What the site's update module said of the version that is installed now."""
    said = computed.get(installed.project) if isinstance(computed, dict) else None
    if not isinstance(said, dict) or said.get("existing_version") != installed.version:
        return None
    status = said.get("status")
    if not isinstance(status, int) or status not in NAMES:
        return None
    listed = said.get("security updates")
    missing = [each for each in listed.values() if isinstance(each, dict)] if isinstance(listed, dict) else []
    releases = from_stored(installed.project, {"releases": dict(enumerate(missing))}).releases
    recommended, latest = (str(said.get(key) or "") for key in ("recommended", "latest_version"))
    return Verdict(status, recommended[:100], latest[:100], releases)


def _as_released(text: str, history: History) -> str:
    """drupal.org's word for what composer names differently."""
    words = [release.version for release in history.releases]
    return text if text in words else next((word for word in words if same(word, text)), text)


def _counted(known: list[Judged]) -> Iterable[Sample]:
    counts = {status: 0 for status in NAMES if status > 0}
    for each in known:
        counts[each.verdict.status] = counts.get(each.verdict.status, 0) + 1
    for status, number in counts.items():
        yield UPDATES(number, NAMES[status])
    if any(each.verdict.status > 0 for each in known):  # where nobody could say it of any, 0 would be a guess
        yield PENDING(sum(each.verdict.status == NOT_SECURE or bool(each.verdict.security) for each in known))
    behind = [each for each in known if each.verdict.status != CURRENT]
    behind.sort(key=lambda each: (each.verdict.status < 0, abs(each.verdict.status), each.installed.project))
    for each in behind[:MOST_PROJECTS]:
        ours = each.installed
        yield PROJECT(1, ours.project, NAMES[each.verdict.status], ours.version, each.verdict.recommended, ours.type)


def _exposed(known: list[Judged], advisories: tuple[Advisory, ...], payload: Payload) -> Iterable[Sample]:
    for each in sorted(known, key=lambda each: each.installed.project):
        since = exposed_since(each.installed, each.verdict, advisories, payload.get("driver", ""))
        if since is not None and since <= payload["now"]:
            yield EXPOSED(payload["now"] - since, each.installed.project)


def _supported(text: str) -> Iterable[Sample]:
    try:
        core = version(text)
    except ParseError:
        return
    branch = "7" if core.major == 7 else f"{core.major}.{core.key[1][1] if len(core.key[1]) > 1 else ''}"
    if ends := SUPPORT_ENDS.get(branch):
        yield SUPPORTED(datetime.combine(ends, time(), UTC).timestamp())
