"""Configuration drift: what the database holds against the YAML of the site's configuration sync directory.

As Drupal's own import compares: order and types count, and _core and uuid do as well. What PHP does not tell apart is
made equal: a list and a map from 0 on, 1 and "1" as keys, [] and {}. Names of keys are told, values never are.

Source: https://api.drupal.org/api/drupal/core%21lib%21Drupal%21Core%21Config%21StorageComparer.php/11
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import blake2b
from pathlib import Path
from typing import TypedDict

from collectors.drupal.installed import bytes_of
from collectors.drupal.php_values import Object, Value, unserialize
from collectors.drupal.site import Site
from collectors.drupal.yaml_values import from_yaml
from collectors.errors import Absent, Denied, ParseError, Unsupported
from collectors.inventory.php.memory import Dynamic
from collectors.model import Event, Gauge, Sample
from collectors.sources.files import read_text

MOST_NAMES = 10_000
MOST_BYTES = 64_000_000
"""Of all files together."""
MOST_NAMED = 10
MOST_KEYS = 10
NAME = re.compile(r"[a-zA-Z0-9_.-]{1,250}")
DRIFT = Gauge(
    "drupal_config_drift",
    "Configuration that the database and the sync directory do not have alike: `different`, `only_active` (in the "
    "database), `only_sync` (in the directory, not imported).",
    ("kind",),
    bounds={"kind": 3},
)
FILTERED = Gauge(
    "drupal_config_filtered",
    "1 where a module (config_split, config_ignore) decides what is imported, so that drift may be meant to be there.",
)
FAMILIES = (DRIFT, FILTERED)
FILTERS = ("config_split", "config_ignore", "config_filter")
SUFFIX = ".yml"


class Payload(TypedDict):
    active: dict[str, str]
    """Name -> config.data of collection '', serialized, one character a byte."""
    sync: dict[str, str]
    """Name -> text of its file."""


@dataclass(frozen=True)
class Drift:
    only_active: tuple[str, ...]
    only_sync: tuple[str, ...]
    different: Mapping[str, tuple[str, ...]]
    """Name -> the keys that differ, outermost first: `page.front`."""
    filtered: bool

    @property
    def found(self) -> bool:
        return bool(self.only_active or self.only_sync or self.different)


def read_sync(folder: Path) -> dict[str, str]:
    """Absent where the site has no such directory, or does not use it."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(SUFFIX))  # noqa: PTH208 # glob hides errors
    except PermissionError as error:
        raise Denied(f"{folder}: permission denied") from error
    except (FileNotFoundError, NotADirectoryError):
        names = []
    if not names:
        raise Absent(f"{folder}: no configuration was exported to it")
    if len(names) > MOST_NAMES:
        raise ParseError(f"{folder}: expected at most {MOST_NAMES} files")
    found: dict[str, str] = {}
    left = MOST_BYTES
    for name in names:
        found[name.removesuffix(SUFFIX)] = text = read_text(folder / name)
        left -= len(text)
        if left < 0:
            raise ParseError(f"{folder}: expected at most {MOST_BYTES} bytes")
    return found


def read(site: Site) -> Payload:
    """Absent without a sync directory, and for an account that is meant to see only a view of the configuration."""
    if site.seven:
        raise Absent("Drupal 7 has no configuration to export")
    sync = read_sync(_folder(site))
    statement = f"SELECT name, data FROM {{config}} WHERE collection = '' ORDER BY name LIMIT {MOST_NAMES + 1}"
    try:
        rows = site.tables.direct().rows(statement, blobs=(1,))
    except Denied as error:
        if "config" in site.tables.views:
            raise Absent(f"the account sees a view of the configuration, not all of it: {error}") from error
        raise
    return {"active": {name: data for name, data in rows if data is not None}, "sync": sync}


def _folder(site: Site) -> Path:
    if site.config_sync:
        return site.config_sync
    for place in (("settings", "config_sync_directory"), ("config_directories", "sync")):
        said = site.settings.get(*place)
        if isinstance(said, Dynamic):
            raise Unsupported(f"the folder of configuration is {said.expression}, only PHP knows; set config_sync")
        if isinstance(said, str) and said and site.docroot:
            return Path(site.docroot, said)
    raise Absent("settings.php names no folder that configuration is exported to")


def parse(payload: Payload) -> Iterable[Sample]:
    return samples(compared(payload))


def samples(drift: Drift) -> Iterable[Sample]:
    yield DRIFT(len(drift.different), "different")
    yield DRIFT(len(drift.only_active), "only_active")
    yield DRIFT(len(drift.only_sync), "only_sync")
    yield FILTERED(drift.filtered)


def compared(payload: Payload) -> Drift:
    active, sync = payload["active"], payload["sync"]
    if not sync:
        raise Absent("no configuration was exported to the sync directory")
    if max(len(active), len(sync)) > MOST_NAMES:
        raise ParseError(f"configuration: expected at most {MOST_NAMES} names")
    ignored = _ignored(active)
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted(active.keys() & sync.keys()):
        ours, theirs = _read(name, active[name]), _yaml(name, sync[name])
        if not alike(ours, theirs) and not ignored(name):
            found[name] = tuple(differing(ours, theirs))[:MOST_KEYS]
    return Drift(
        only_active=tuple(name for name in sorted(active.keys() - sync.keys()) if not ignored(name)),
        only_sync=tuple(name for name in sorted(sync.keys() - active.keys()) if not ignored(name)),
        different=found,
        filtered=_filtered(active),
    )


def _read(name: str, text: str) -> Value:
    try:
        return unserialize(bytes_of(text))
    except ParseError as error:
        raise ParseError(f"the active configuration {name[:60]}: {error}") from error


def _yaml(name: str, text: str) -> Value:
    try:
        return from_yaml(text)
    except ParseError as error:
        raise ParseError(f"{name[:60]}{SUFFIX} of the sync directory: {error}") from error


def _filtered(active: Mapping[str, str]) -> bool:
    extensions = _read("core.extension", active["core.extension"]) if "core.extension" in active else None
    modules = extensions.get("module") if isinstance(extensions, dict) else None
    return isinstance(modules, dict) and any(name in modules for name in FILTERS)


class _Ignored:
    """Names that config_ignore leaves alone: patterns, and exceptions of them that begin with ~."""

    def __init__(self, patterns: Iterable[str]) -> None:
        listed = [each for each in patterns if ":" not in each]
        self.but = tuple(each.removeprefix("~") for each in listed if each.startswith("~"))
        self.patterns = tuple(each for each in listed if not each.startswith("~"))

    def __call__(self, name: str) -> bool:
        return _any(name, self.patterns) and not _any(name, self.but)


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, each) for each in patterns)


def _ignored(active: Mapping[str, str]) -> _Ignored:
    text = active.get("config_ignore.settings")
    said = _read("config_ignore.settings", text) if text else None
    listed = said.get("ignored_config_entities") if isinstance(said, dict) else None
    found = (each for each in listed.values() if isinstance(each, str)) if isinstance(listed, dict) else ()
    return _Ignored(tuple(found)[:200])


def alike(one: Value, other: Value) -> bool:
    """As PHP's === of arrays: the same pairs of the same types in the same order."""
    if isinstance(one, Object):
        one = one.fields
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(alike(value, other[key]) for key, value in one.items())
    return type(one) is type(other) and (one == other or one != one)  # noqa: PLR0124 - NAN is alike to itself here


def differing(one: Value, other: Value, path: str = "") -> Iterable[str]:
    """The keys under which they differ; `(order)` where only their order does."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        yield path or "(all)"
        return
    before = 0
    for key in dict.fromkeys((*one, *other)):
        if key in one and key in other and alike(one[key], other[key]):
            continue
        before += 1
        place = f"{path}.{key}" if path else str(key)
        if key in one and key in other:
            yield from differing(one[key], other[key], place)
        else:
            yield place
    if not before:
        yield f"{path}.(order)" if path else "(order)"


def event(drift: Drift, site: str, now: float) -> Event | None:
    """One for each state of drift: the same names differing in the same keys are the same event. None without any."""
    if not drift.found:
        return None
    records = [
        *({"name": name, "kind": "different", "keys": ", ".join(_told(key) for key in keys)}
          for name, keys in drift.different.items()),
        *({"name": name, "kind": "only in the database"} for name in drift.only_active),
        *({"name": name, "kind": "only in the sync directory"} for name in drift.only_sync),
    ]  # fmt: skip
    key = blake2b(repr((site, records)).encode(errors="replace"), digest_size=8).hexdigest()
    title = (
        f"Configuration differs from the sync directory: {len(drift.different)} differ, "
        f"{len(drift.only_active)} only in the database, {len(drift.only_sync)} not imported"
    )
    told = tuple({**each, "name": _told(each["name"])} for each in records[:MOST_NAMED])
    return Event(
        f"drupal.drift:{key}", "drupal.config_drift", "info", "", site, now, now, 1, title, told,
        dedup_key=f"drupal.drift:{site}", source="drupal",
    )  # fmt: skip


def _told(name: str) -> str:
    """Keys are names by and large; one that holds a text is cut."""
    return "".join(each if each.isprintable() else "?" for each in name)[:120]
