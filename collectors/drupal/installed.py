"""Which projects a site has, in which versions: by composer.lock, the extensions' info files, Drupal 7's system table.

Source: https://www.drupal.org/docs/develop/creating-modules/let-drupal-know-about-your-module-with-an-infoyml-file
"""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from collectors.drupal.php_values import Value, unserialize
from collectors.drupal.releases import NAME
from collectors.drupal.statuses import Installed
from collectors.errors import Absent, ParseError
from collectors.sources.files import read_text

MOST_BYTES = 16_000_000
MOST_PROJECTS = 2000
MOST_CHARACTERS = 100
MOST_FILES = 5000
DEEPEST = 8
FIRST_BYTES = 20_000
"""Of an info file."""
FOLDERS = ("modules", "themes", "profiles", "sites")
SKIPPED = {"node_modules", "vendor", "tests", "src", "templates", "files", "js", "css", "images", "translations"}
"""Folders that hold no extension that a live site runs."""
SUFFIXES = (".info.yml", ".info")
LINE = re.compile(r"^(version|project|datestamp|type)[ \t]*[:=][ \t]*([^\r\n]{0,200})", re.MULTILINE)
TYPES = {"drupal-core": "core", "drupal-module": "module", "drupal-theme": "theme", "drupal-profile": "profile"}
CORE = "drupal"
OURS = "custom"
"""Folder of what is not from drupal.org."""


def read_info(docroot: str) -> dict[str, str]:
    """Path within the docroot -> text of the info files of what is not core's. Absent without the docroot."""
    root, found = Path(docroot), dict[str, str]()
    if not root.is_dir():
        raise Absent(f"{docroot}: no such folder")
    for top in FOLDERS:
        for folder, inner, names in os.walk(root / top):
            within = Path(folder).relative_to(root)
            inner[:] = [] if len(within.parts) >= DEEPEST else sorted(set(inner) - SKIPPED)
            for name in sorted(names):
                if name.endswith(SUFFIXES) and len(found) < MOST_FILES:
                    found[str(within / name)] = _text_of(f"{folder}/{name}")
    return found


def _text_of(path: str) -> str:
    """What cannot be read says nothing of its version."""
    try:
        stat = os.stat(path)  # noqa: PTH116 # thousands of them
    except OSError:
        return ""
    return _first(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=MOST_FILES)
def _first(path: str, _changed: int, _size: int) -> str:
    """Read again only once it has changed."""
    try:
        with Path(path).open("rb") as file:
            return file.read(FIRST_BYTES).decode(errors="replace")
    except OSError:
        return ""


def read_lock(docroot: str) -> str:
    """composer.lock beside the docroot or in it; empty without one."""
    for folder in (Path(docroot).parent, Path(docroot)):
        with suppress(Absent):
            return read_text(folder / "composer.lock")
    return ""


def from_lock(text: str) -> dict[str, Installed]:
    """Project -> what composer.lock says of it; only what is for Drupal."""
    found: dict[str, Installed] = {}
    lock = _json(text, "composer.lock")
    packages = [each for key in ("packages", "packages-dev") for each in _list(_of(lock, key))]
    for package in packages[:MOST_PROJECTS]:
        name, kind = _text(_of(package, "name")), TYPES.get(_text(_of(package, "type")), "")
        maker, _, project = name.partition("/")
        if maker != "drupal" or not kind or not NAME.fullmatch(project):
            continue
        project = CORE if kind == "core" else project
        said = _of(package, "extra", "drupal")
        version = _text(_of(said, "version")) or _text(_of(package, "version"))
        found[project] = Installed(project, version, kind, _date(_of(said, "datestamp")))
    return found


def from_info(files: Mapping[str, str], known: Iterable[str] = ()) -> dict[str, Installed]:
    """Path within the docroot -> text of the info files, whether Drupal 7's or later ones'. `known`: projects that a
    folder may be named after, where the file does not say which it belongs to."""
    named = set(known)
    found: dict[str, Installed] = {}
    for path, text in sorted(files.items()):
        extension = PurePosixPath(path).name.partition(".")[0]
        said = {key: value.split(" #")[0].strip().strip("'\"") for key, value in LINE.findall(text[:MOST_BYTES])}
        project = said.get("project", "") or _by_folder(path, named)
        if NAME.fullmatch(project) and NAME.fullmatch(extension):
            here = Installed(
                project, said.get("version", "")[:MOST_CHARACTERS], said.get("type", ""),
                _date(said.get("datestamp")), (extension,),
            )  # fmt: skip
            found[project] = _joined(found.get(project), here)
    return dict(list(found.items())[:MOST_PROJECTS])


def _by_folder(path: str, named: set[str]) -> str:
    folders = PurePosixPath(path).parts[:-1]
    if folders[:1] == ("core",):
        return CORE
    if OURS in folders:
        return ""
    if "contrib" in folders[:-1]:
        return folders[folders.index("contrib") + 1]
    return next((folder for folder in folders if folder in named), "")


def from_system(rows: Sequence[Sequence[Any]]) -> dict[str, Installed]:
    """Drupal 7: [name, info as one character a byte] of each extension that is on."""
    found: dict[str, Installed] = {}
    for name, info in rows[: MOST_PROJECTS * 10]:
        said = unserialize(bytes_of(info))
        if not isinstance(said, dict):
            raise ParseError(f"the info of {str(name)[:40]}: expected an array, found {type(said).__name__}")
        project = _text(said.get("project"))
        if not project and said.get("package") == "Core":
            project = CORE
        if NAME.fullmatch(project):
            here = Installed(
                project, _text(said.get("version")), "core" if project == CORE else "module",
                _date(said.get("datestamp")), (str(name),),
            )  # fmt: skip
            found[project] = _joined(found.get(project), here)
    return found


def from_computed(computed: Value) -> dict[str, Installed]:
    """What the site's update module knows: of each project something is on."""
    found: dict[str, Installed] = {}
    for project, said in computed.items() if isinstance(computed, dict) else ():
        if isinstance(said, dict) and NAME.fullmatch(str(project)):
            includes = said.get("includes")
            found[str(project)] = Installed(
                str(project),
                _text(said.get("existing_version")) or _text(_of(said, "info", "version")),
                _text(said.get("project_type")).removesuffix("-disabled"),
                _date(said.get("datestamp")),
                tuple(str(name) for name in includes) if isinstance(includes, dict) else (),
            )
    return found


def _joined(one: Installed | None, other: Installed) -> Installed:
    """The module that a project is named after says its type; any of them its version."""
    if one is None:
        return other
    main = other if other.extensions == (other.project,) else one
    return Installed(
        one.project, main.version or one.version or other.version, main.type or one.type, main.date or one.date,
        (*one.extensions, *other.extensions),
    )  # fmt: skip


def merged(*sources: Mapping[str, Installed]) -> dict[str, Installed]:
    """Per project and fact, the first that says it."""
    found: dict[str, Installed] = {}
    for source in sources:
        for project, here in source.items():
            ours = found.get(project, here)
            found[project] = Installed(
                project, ours.version or here.version, ours.type or here.type,
                ours.date or (here.date if ours.version in ("", here.version) else None),
                ours.extensions or here.extensions,
            )  # fmt: skip
    return found


def bytes_of(text: Any) -> bytes:
    try:
        return str(text).encode("latin-1")
    except UnicodeEncodeError as error:
        raise ParseError("a stored value: expected one character a byte") from error


def _json(text: str, what: str) -> Any:
    if len(text) > MOST_BYTES:
        raise ParseError(f"{what} of {len(text)} characters: expected at most {MOST_BYTES}")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ParseError(f"{what}: expected JSON: {str(error)[:80]}") from error


def _of(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value[:MOST_CHARACTERS] if isinstance(value, str) else ""


def _date(value: Any) -> float | None:
    text = str(value) if isinstance(value, str | int) else ""
    return float(text) or None if text.isascii() and text.isdecimal() and len(text) < 13 else None
