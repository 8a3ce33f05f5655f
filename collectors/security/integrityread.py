"""Code of sites and configuration of servers, as hashes: what matters each minute or when it changes, all once a day.

A pass takes so many bytes at each look, so that it is never felt; links are not followed, uploads are left to `files`.
"""

import os
import re
import time
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from collectors.errors import Absent
from collectors.security.config import Security
from collectors.security.masking import masked
from collectors.security.watch import touched

LOOK_SECONDS = 60.0
PASS_SECONDS = 86400.0
STEP_BYTES = 4 * 2**20
STEP_FILES = 400
MOST_FILES = 2000
"""Of one folder."""
MOST_QUICK = 1000
"""Folders that are looked at each minute."""
MOST_BYTES = 4 * 2**20
MOST_TEXT = 65_536
CODE = re.compile(
    r".*\.(php\d?|phtml|pht|phar|phps|inc|module|install|theme|profile|engine|twig|yml|yaml|m?js|sh|conf|ini|cnf)"
    r"|\.htaccess|\.user\.ini|web\.config|composer\.(json|lock)",
    re.IGNORECASE,
)
LEFT_OUT = re.compile(r"(.*/)?(node_modules|\.git|\.svn)|sites/([^/]+/(files|private)|simpletest)")
DEPLOYED = (
    "composer.lock", "../composer.lock", ".git/logs/HEAD", "../.git/logs/HEAD", "REVISION", "../REVISION",
    "../vendor/composer/installed.json", "vendor/composer/installed.json",
)  # fmt: skip
"""From a docroot: what a deploy leaves behind."""
PACKAGES = ("var/lib/dpkg/status", "var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite")


class Tree(NamedTuple):
    site: str
    """ "": configuration of this host."""
    zone: str
    root: Path
    uploads: Path | None = None

    def named(self, folder: str) -> str:
        """As it is told. A host may have the configuration of two web servers, with folders of equal names."""
        return folder if self.site else f"{self.root.name}/{folder}".rstrip("/")


def read(config: Security, cursor: Any) -> tuple[Any, Any]:
    trees = list(_trees(config))
    if not trees:
        raise Absent("no site and no configuration of a web server is known")
    now = time.time()
    roots = [str(tree.root) for tree in trees]
    if cursor is None or cursor["roots"] != roots:
        number = cursor["pass"] if cursor else 0
        cursor = {"at": 0.0, "signs": {}, "queue": None, "pass": number, "passed": 0.0, "roots": roots}
    if cursor["queue"] is None and not 0 <= now - cursor["passed"] < PASS_SECONDS:
        cursor = {**cursor, "queue": [[at, ""] for at in range(len(trees))], "pass": cursor["pass"] + 1, "passed": now}
    folders, quick = _quick(trees, cursor, now)
    queue = cursor["queue"]
    ended = False
    if queue is not None:
        queue, more = _some(trees, queue)
        folders += more
        ended = not queue
    if not folders and not quick and queue is None:
        return None, cursor
    marks = dict(_marks(config, trees))
    payload = {"at": now, "pass": cursor["pass"], "ended": ended, "folders": folders, "marks": marks}
    return payload, {**cursor, **quick, "queue": None if ended else queue}


def _trees(config: Security) -> Iterator[Tree]:
    for site in config.sites:
        docroot = Path(site.settings).parent.parent.parent
        if site.settings and docroot.is_dir():
            yield Tree(site.name, "code", docroot, Path(site.uploads))
            if (docroot.parent / "vendor/composer").is_dir():
                yield Tree(site.name, "vendor", docroot.parent / "vendor")
    for place in config.configurations:
        root = Path(config.rootfs) / place.lstrip("/")
        if root.is_dir():
            yield Tree("", "php_config" if "php" in root.name else "web_config", root)


def _quick(trees: list[Tree], cursor: Any, now: float) -> tuple[list[Any], dict[str, Any]]:
    """Folders of what matters that are not as they were, and what that changes of the cursor."""
    signs: dict[str, str] = cursor["signs"]
    places = {str(Path(trees[at].root, folder)): (at, folder) for at, folder in _known(trees, signs)}
    moved = touched("integrity", places)
    is_all = not 0 <= now - cursor["at"] < LOOK_SECONDS
    if not is_all and not moved:
        return [], {}
    wanted = list(_matters(trees)) if is_all else [places[path] for path in sorted(moved)]
    found = []
    after = {} if is_all else dict(signs)
    for at, folder in wanted:
        key, sign = f"{at} {folder}", _sign(Path(trees[at].root, folder))
        after[key] = sign
        if sign and signs.get(key) != sign:
            found.append(_folder(trees[at], folder, texts=True)[0])
    return found, {"signs": after, "at": now if is_all else cursor["at"]}


def _known(trees: list[Tree], signs: dict[str, str]) -> Iterator[tuple[int, str]]:
    for key in signs:
        at, _, folder = key.partition(" ")
        if int(at) < len(trees):
            yield int(at), folder


def _matters(trees: list[Tree]) -> Iterator[tuple[int, str]]:
    left = MOST_QUICK
    for at, tree in enumerate(trees):
        if tree.zone == "vendor":
            continue
        if tree.zone == "code":
            folders: Iterable[str] = ["", "sites", *(f"sites/{name}" for name in _folders(tree.root / "sites"))]
            for custom in ("modules/custom", "themes/custom", "profiles/custom", "sites/all/modules/custom"):
                folders = [*folders, *(_below(tree.root, custom, 300) if (tree.root / custom).is_dir() else ())]
        else:
            folders = _below(tree.root, "", 300)
        for folder in folders:
            if left > 0:
                left -= 1
                yield at, folder


def _below(root: Path, start: str, most: int) -> list[str]:
    found: list[str] = []
    waiting = [start]
    while waiting and len(found) < most:
        folder = waiting.pop()
        found.append(folder)
        waiting += [f"{folder}/{name}".lstrip("/") for name in _folders(root / folder)]
    return found


def _folders(place: Path) -> list[str]:
    try:
        with os.scandir(place) as entries:
            return sorted(each.name for each in entries if each.is_dir(follow_symlinks=False))[:MOST_FILES]
    except OSError:
        return []


def _sign(folder: Path) -> str:
    """Changes with any file of it; "": it is shut or gone."""
    try:
        with os.scandir(folder) as entries:
            rows = [(each.name, each.stat(follow_symlinks=False)) for each in entries if CODE.fullmatch(each.name)]
    except OSError:
        return ""
    told = sorted((name, at.st_size, at.st_mtime_ns, at.st_ctime_ns, at.st_ino) for name, at in rows)
    return blake2b(repr(told).encode(errors="replace"), digest_size=8).hexdigest()


def _some(trees: list[Tree], queue: list[Any]) -> tuple[list[Any], list[Any]]:
    """What is left of the pass, and the folders that this look took."""
    queue, found = list(queue), []
    budget, files = STEP_BYTES, STEP_FILES
    while queue and budget > 0 and files > 0:
        at, folder = queue.pop()
        if at < len(trees):
            record, taken, below = _folder(trees[at], folder)
            found.append(record)
            budget, files = budget - taken, files - len(record[3] or ()) - 1
            queue += [[at, name] for name in below]
    return queue, found


def _folder(tree: Tree, folder: str, texts: bool = False) -> tuple[list[Any], int, list[str]]:
    """[site, zone, folder, name -> hash or None where it is shut, name -> masked text], bytes, folders below."""
    files: dict[str, str] = {}
    said: dict[str, str] = {}
    below: list[str] = []
    taken = 0
    try:
        with os.scandir(tree.root / folder) as entries:
            for entry in sorted(entries, key=lambda each: each.name)[:MOST_FILES]:
                path = f"{folder}/{entry.name}".lstrip("/")
                name = entry.name.encode(errors="replace").decode()
                if entry.is_dir(follow_symlinks=False):
                    if not LEFT_OUT.fullmatch(path) and tree.root / path != tree.uploads:
                        below.append(path)
                elif entry.is_symlink() and CODE.fullmatch(name):
                    files[name] = f"link:{_hash(os.fsencode(Path(entry).readlink()))}"
                elif entry.is_file() and CODE.fullmatch(name):
                    data, files[name] = _content(Path(entry))
                    taken += len(data)
                    if texts and len(data) <= MOST_TEXT and b"\0" not in data:
                        said[name] = masked(data.decode(errors="replace"))
    except FileNotFoundError:
        return [tree.site, tree.zone, tree.named(folder), {}, {}], 0, []
    except OSError:
        return [tree.site, tree.zone, tree.named(folder), None, {}], 0, []
    return [tree.site, tree.zone, tree.named(folder), files, said], taken, below


def _content(path: Path) -> tuple[bytes, str]:
    """So much of it, and a hash; of what cannot be read size and time."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES)
        return data, f"hash:{_hash(data)}"
    except OSError:
        status = path.lstat()
        return b"", f"stat:{status.st_size}:{status.st_mtime_ns}"


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=10).hexdigest()


def _marks(config: Security, trees: Iterable[Tree]) -> Iterator[tuple[str, str]]:
    """Site -> what changes with a deploy; "" -> what changes with an installed package."""
    for tree in trees:
        if tree.zone == "code":
            yield tree.site, _times([tree.root / name for name in DEPLOYED], str(tree.root.resolve()))
    yield "", _times([Path(config.rootfs) / name for name in PACKAGES], "")


def _times(paths: Iterable[Path], known: str) -> str:
    found = [known]
    for path in paths:
        try:
            found.append(str(path.stat().st_mtime_ns))
        except OSError:
            found.append("")
    return _hash("\n".join(found).encode(errors="replace"))
