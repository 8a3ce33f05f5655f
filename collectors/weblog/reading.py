"""What all access logs of the host have gained since the last look: so much at once, and each in its turn."""

import time
from typing import Any

from collectors.errors import Absent, Denied
from collectors.sources.tail import Cursor, read_new
from collectors.weblog.attacks.own import refresh
from collectors.weblog.config import LogFile, Weblog
from collectors.weblog.routes import OTHER

MOST_BYTES = 2 * 2**20
LEAST_SHARE = 256 * 1024
"""Of one file; the longest line that a web server writes fits in."""
REMEDY = "usermod --append --groups adm raingauge && systemctl restart raingauge"


def read(config: Weblog, cursor: Any) -> tuple[Any, Any]:
    """A log that we may not read does not stop the others; Denied when that goes for all."""
    refresh(config.attack_rules)
    files = list({file.path: file for file in reversed(config.files)}.values())[::-1]
    if not files:
        raise Absent("no access log is known")
    look = Look(cursor, {file.path for file in files})
    share = max(LEAST_SHARE, MOST_BYTES // len(files))
    start = look.first % len(files)
    for file in [*files[start:], *files[:start]]:
        if look.left <= 0:
            look.more = True
            break
        look.at(file, share)
    if not any(look.readable.values()):
        _refuse(look)
    after = {"files": look.cursors, "readable": look.readable, "first": start + look.looks}
    if not look.pieces and look.readable == look.before:
        return None, after
    hosts = {host.lower(): site.name for site in config.sites for host in site.hosts}
    sites = sorted({OTHER, *hosts.values(), *(file.site for file in files)})
    found = {"at": time.time(), "hosts": hosts, "sites": sites, "readable": look.readable, "more": look.more}
    return {**found, "pieces": look.pieces}, after


class Look:
    """One look at all files."""

    def __init__(self, cursor: Any, paths: set[str]) -> None:
        before = cursor or {"files": {}, "readable": {}, "first": 0}
        self.cursors: dict[str, Cursor] = {path: found for path, found in before["files"].items() if path in paths}
        self.before: dict[str, int] = before["readable"]
        self.readable = {path: found for path, found in self.before.items() if path in paths}
        self.first: int = before["first"]
        self.looks = 0
        self.left = MOST_BYTES
        self.more = False
        """One of them may have more than was read."""
        self.pieces: list[dict[str, Any]] = []
        self.denied: list[str] = []

    def at(self, file: LogFile, share: int) -> None:
        self.looks += 1
        known = self.cursors.get(file.path)
        try:
            piece, cursor = read_new(file.path, known, share)
        except Absent:  # perhaps between its rotation and the next line
            self.readable.pop(file.path, None)
        except (Denied, OSError) as error:
            self.readable[file.path] = 0
            self.denied.append(str(error))
        else:
            self.cursors[file.path] = cursor
            self.readable[file.path] = 1
            if piece:
                self.left -= len(piece["text"])
                self.more |= len(piece["text"]) > share // 4 or bool(cursor["rest_of"])
                about = {"path": file.path, "site": file.site, "format": file.format, "php": file.php}
                self.pieces.append({**about, "followed": known is not None, **piece})


def _refuse(look: Look) -> None:
    if look.denied:
        more = f" and {len(look.denied) - 1} more" if len(look.denied) > 1 else ""
        raise Denied(f"{look.denied[0]}{more}; {REMEDY}")
    raise Absent("none of the access logs is there")
