"""What lies among the uploads of each site, and who may write its settings: so much at once, folders new first."""

import heapq
import os
import pwd
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from collectors.errors import Absent, Denied
from collectors.security.config import Security, SiteFiles
from collectors.security.pace import due
from collectors.sources.files import read_text

SECONDS = 900.0
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
        return None, cursor
    found = [_site(site) for site in config.sites]
    shut = [site.uploads for site, each in zip(config.sites, found, strict=True) if each["denied"]]
    if len(shut) == len(found):
        raise Denied(f"list {shut[0]}: permission denied; setfacl -R -m u:raingauge:rX -d -m u:raingauge:rX {shut[0]}")
    now = time.time()
    return {"at": now, "sites": found}, {"at": now}


def _site(site: SiteFiles) -> dict[str, Any]:
    uploads = Path(site.uploads)
    found: dict[str, Any] = {"site": site.name, "writable": _writable(Path(site.settings), site.user), "denied": False,
                             "files": None, "complete": False, "guard": None, "cache_guard": None}  # fmt: skip
    if not uploads.is_dir():
        return found
    if not os.access(uploads, os.R_OK | os.X_OK):
        return {**found, "denied": True}
    files, complete = _walk(uploads)
    found |= {"files": files, "complete": complete, "guard": _guard(uploads)}
    return {**found, "cache_guard": _guard(uploads / "php") if (uploads / "php").is_dir() else None}


def _walk(uploads: Path) -> tuple[list[list[Any]], bool]:
    """[path below it, bytes, change (Unix seconds)] of what a web server might run or obey; whether that is all."""
    until = time.monotonic() + MOST_TIME
    found: list[list[Any]] = []
    folders = [(0.0, "")]
    left = MOST_ENTRIES
    complete = True
    while folders:
        if left <= 0 or time.monotonic() > until or len(found) >= MOST_FOUND:
            return found[:MOST_FOUND], False
        _, folder = heapq.heappop(folders)
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
    return found[:MOST_FOUND], complete and left > 0


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
