"""What lies among the uploads of each site, and who may write its settings: so much at once, folders new first.

A look comes every 15 minutes, and at once when something that may be run was put into one of the newest folders.
"""

import heapq
import os
import pwd
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from collectors.errors import Absent, Denied
from collectors.security.config import Security, SiteFiles
from collectors.security.pace import due
from collectors.security.watch import touched
from collectors.sources.files import read_text

SECONDS = 900.0
LEAST_SECONDS = 5.0
"""Between two looks, whatever is put there."""
MOST_WATCHED = 500
"""Folders of all sites."""
MOST_ENTRIES = 50_000
"""Of one site."""
MOST_TIME = 5.0  # seconds
MOST_FOUND = 500
PHP = re.compile(r"\.(php\d?|phtml|pht|phar|phps)(\.|$)|^\.user\.ini$", re.IGNORECASE)
CACHE = re.compile(r"php/(twig|service_container)/[^/]{5,255}/[\w-]{20,100}\.php")
"""What Drupal compiles itself; of any other shape it is somebody else's."""
OWN_GUARDS = re.compile(r"(php/((twig|service_container)/([^/]{5,255}/)?)?|config_[\w-]+/(sync/)?|css/|js/)?\.htaccess")
MARK = "Drupal_Security_Do_Not_Remove"
"""In the .htaccess that Drupal writes so that nothing there is run."""


def read(config: Security, cursor: Any) -> tuple[Any, Any]:
    if not config.sites:
        raise Absent("no Drupal site is known")
    if not due(cursor, SECONDS):
        came, cursor = _put_there(config, cursor)
        if not came or not due(cursor, LEAST_SECONDS):
            return None, cursor
    began = time.time()
    looked = [_site(site) for site in config.sites]
    found = [each for each, _ in looked]
    shut = [site.uploads for site, each in zip(config.sites, found, strict=True) if each["denied"]]
    if len(shut) == len(found):
        raise Denied(f"list {shut[0]}: permission denied; setfacl -R -m u:raingauge:rX -d -m u:raingauge:rX {shut[0]}")
    folders = [folder for _, folders in looked for folder in folders][:MOST_WATCHED]
    now = time.time()
    cursor = {"at": now, "folders": folders, "fresh": _changed_since(began, folders)}
    return {"at": now, "sites": found}, cursor


def _changed_since(began: float, folders: Sequence[str]) -> list[str]:
    """Watched from now on; those in which something was put since they were looked through."""
    touched("uploads", folders)
    return [folder for folder in folders if _modified(folder) >= began]


def _modified(folder: str) -> float:
    try:
        return Path(folder).stat().st_mtime
    except OSError:
        return 0.0


def _put_there(config: Security, cursor: Any) -> tuple[bool, Any]:
    """Whether what may be run came since the last look; the cursor with the folders that came."""
    folders = cursor.get("folders", [])
    moved = touched("uploads", folders) | set(cursor.get("fresh", ()))
    came, below = False, []
    for folder in sorted(moved):
        for entry in _entries(config, folder):
            if entry.stat(follow_symlinks=False).st_ctime < cursor["at"] - 1:
                continue
            if entry.is_dir(follow_symlinks=False):
                below += _named([entry.path] if entry.path not in folders else [])
            else:
                came = True
    if not moved:
        return False, cursor
    fresh = sorted(moved) if came else below  # of new ones also what came before they were watched
    return came, {**cursor, "folders": [*below, *folders][:MOST_WATCHED], "fresh": fresh}


def _entries(config: Security, folder: str) -> Iterator[os.DirEntry[str]]:
    """Folders in it, and what a web server might run or obey."""
    roots = [f"{site.uploads.rstrip('/')}/" for site in config.sites]
    root = next((root for root in roots if f"{folder}/".startswith(root)), "")
    try:
        with os.scandir(folder) as entries:
            for entry in islice(entries, MOST_ENTRIES):
                if root and (entry.is_dir(follow_symlinks=False) or kind(entry.path.removeprefix(root))):
                    yield entry
    except OSError:  # it went meanwhile
        return


def _site(site: SiteFiles) -> tuple[dict[str, Any], list[str]]:
    """What is found, and the folders that were looked through."""
    uploads = Path(site.uploads)
    found: dict[str, Any] = {"site": site.name, "writable": _writable(Path(site.settings), site.user), "denied": False,
                             "files": None, "complete": False, "guard": None, "cache_guard": None}  # fmt: skip
    if not uploads.is_dir():
        return found, []
    if not os.access(uploads, os.R_OK | os.X_OK):
        return {**found, "denied": True}, []
    files, complete, folders = _walk(uploads)
    found |= {"files": files, "complete": complete, "guard": _guard(uploads)}
    found |= {"cache_guard": _guard(uploads / "php") if (uploads / "php").is_dir() else None}
    return found, _named(str(uploads / folder) for folder in folders)


def _named(folders: Iterable[str]) -> list[str]:
    """Those whose name is text."""
    return [folder for folder in folders if folder.encode(errors="replace").decode() == folder]


def _walk(uploads: Path) -> tuple[list[list[Any]], bool, list[str]]:
    """[path below it, bytes, change (Unix seconds)] of what a web server might run or obey; whether that is all; the
    folders, new ones first."""
    until = time.monotonic() + MOST_TIME
    found: list[list[Any]] = []
    folders = [(0.0, "")]
    left = MOST_ENTRIES
    complete = True
    seen: list[str] = []
    while folders:
        if left <= 0 or time.monotonic() > until or len(found) >= MOST_FOUND:
            return found[:MOST_FOUND], False, seen
        _, folder = heapq.heappop(folders)
        seen.append(folder)
        try:
            with os.scandir(uploads / folder) as entries:
                for entry in entries:
                    left -= 1
                    if left <= 0:
                        break
                    path = f"{folder}{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        heapq.heappush(folders, (-entry.stat(follow_symlinks=False).st_mtime, f"{path}/"))
                    elif kind(path):
                        status = entry.stat(follow_symlinks=False)
                        found.append([path.encode(errors="replace").decode(), status.st_size, status.st_ctime])
        except FileNotFoundError:  # it went meanwhile
            continue
        except OSError:
            complete = False
    return found[:MOST_FOUND], complete and left > 0, seen


def kind(path: str) -> str:
    """`executable`, `config`; "": neither."""
    name = path.rpartition("/")[2]
    if PHP.search(name):
        return "" if CACHE.fullmatch(path) else "executable"
    return "config" if name == ".htaccess" and not OWN_GUARDS.fullmatch(path) else ""


def _guard(folder: Path) -> bool | None:
    """Whether Drupal's .htaccess is there; None where it cannot be read."""
    try:
        return MARK in read_text(folder / ".htaccess")
    except Absent:
        return False
    except (Denied, OSError):
        return None


def _writable(settings: Path, user: str) -> bool | None:
    """Whether PHP may write there; None without the file, or when its account is not known."""
    try:
        status = settings.stat()
        account = pwd.getpwnam(user) if user else None
    except (OSError, KeyError):
        return None
    if status.st_mode & 0o002:
        return True
    if account is None:
        return None
    if status.st_uid == account.pw_uid:
        return bool(status.st_mode & 0o200)
    groups = set(_groups(user, account.pw_gid))
    return bool(status.st_gid in groups and status.st_mode & 0o020)


def _groups(user: str, own: int) -> Iterator[int]:
    try:
        yield from os.getgrouplist(user, own)
    except OSError:
        yield own
