"""What all access logs of the host have gained since the last look: so much at once, and each in its turn."""

import time
from typing import Any

from collectors.errors import Absent, Denied
from collectors.sources.tail import Cursor, read_new
from collectors.weblog.config import LogFile, Weblog

MOST_BYTES = 4 * 2**20
LEAST_SHARE = 256 * 1024
"""Of one file; the longest line that a web server writes fits in."""
REMEDY = "usermod --append --groups adm raingauge && systemctl restart raingauge"


def read(config: Weblog, cursor: Any) -> tuple[Any, Any]:
    """A log that we may not read does not stop the others; Denied when that goes for all."""
    files = list({file.path: file for file in reversed(config.files)}.values())[::-1]
    if not files:
        raise Absent("no access log is known")
    look = Look(cursor)
    share = max(LEAST_SHARE, MOST_BYTES // len(files))
    for file in [*files[look.first % len(files) :], *files[: look.first % len(files)]]:
        if look.left <= 0:
            break
        look.at(file, share)
    if not any(look.readable.values()):
        _refuse(look)
    after = {"files": look.cursors, "readable": look.readable, "first": look.first + look.looks}
    if not look.pieces and look.readable == look.before:
        return None, after
    hosts = {host.lower(): site.name for site in config.sites for host in site.hosts}
    return {"at": time.time(), "hosts": hosts, "readable": look.readable, "pieces": look.pieces}, after


class Look:
    """One look at all files."""

    def __init__(self, cursor: Any) -> None:
        before = cursor or {"files": {}, "readable": {}, "first": 0}
        self.cursors: dict[str, Cursor] = dict(before["files"])
        self.before: dict[str, int] = before["readable"]
        self.readable = dict(self.before)
        self.first: int = before["first"]
        self.looks = 0
        self.left = MOST_BYTES
        self.pieces: list[dict[str, Any]] = []
        self.denied: list[str] = []

    def at(self, file: LogFile, share: int) -> None:
        self.looks += 1
        known = self.cursors.get(file.path)
        try:
            piece, self.cursors[file.path] = read_new(file.path, known, share)
        except Absent:  # perhaps between its rotation and the next line
            self.readable.pop(file.path, None)
        except (Denied, OSError) as error:
            self.readable[file.path] = 0
            self.denied.append(str(error))
        else:
            self.readable[file.path] = 1
            if piece:
                self.left -= len(piece["text"])
                about = {"path": file.path, "site": file.site, "format": file.format, "php": file.php}
                self.pieces.append({**about, "followed": known is not None, **piece})


def _refuse(look: Look) -> None:
    if look.denied:
        more = f" and {len(look.denied) - 1} more" if len(look.denied) > 1 else ""
        raise Denied(f"{look.denied[0]}{more}; {REMEDY}")
    raise Absent("none of the access logs is there")
