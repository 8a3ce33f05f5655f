"""What the logs of authentications have gained: the first of the files that is there, else the journal."""

import os
import time
from pathlib import Path
from typing import Any

from collectors.errors import Absent, Denied, Unreachable
from collectors.security.config import Security
from collectors.security.telling import digest
from collectors.sources import programs
from collectors.sources.jsontext import json_object
from collectors.sources.tail import MOST_BYTES, read_new

JOURNALS = ("/var/log/journal", "/run/log/journal")
JOURNAL_SECONDS = 10.0
"""Between two looks: each is a process of its own."""
MOST_ENTRIES = 5000
FIRST_ENTRIES = 200
TIMEOUT = 5.0  # seconds
FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,SYSLOG_PID,_PID,_COMM,_UID"
FACILITIES = ("SYSLOG_FACILITY=4", "SYSLOG_FACILITY=10")
REMEDY = "usermod --append --groups adm,systemd-journal raingauge && systemctl restart raingauge"


def read(config: Security, cursor: Any) -> tuple[Any, Any]:
    """Absent: neither a file nor a journal."""
    cursor = cursor or {"files": {}, "journal": None}
    for path in config.auth_logs:
        known = cursor["files"].get(path)
        try:
            piece, after = read_new(path, known)
        except Absent:
            continue
        except Denied as error:
            raise Denied(f"{error}; {REMEDY}") from error
        more = piece is not None and len(piece["text"]) > MOST_BYTES // 4
        found = piece and _payload(path, piece["text"], known is not None, more)
        return found, {**cursor, "files": {**cursor["files"], path: after}}
    journal = cursor["journal"]
    if journal and 0 <= time.time() - journal["at"] < JOURNAL_SECONDS:
        return None, cursor
    text, after_journal = _of_journal(journal)
    found = _payload("journal", text, journal is not None, False) if text else None
    return found, {**cursor, "journal": after_journal}


def _payload(path: str, text: str, followed: bool, more: bool) -> dict[str, Any]:
    """`zone`: of the host, seconds east of UTC; `followed`: what it says has happened since we look."""
    now = time.time()
    zone = float(time.localtime(now).tm_gmtoff)
    return {
        "at": now, "zone": zone, "more": more, "pieces": [{"node": digest(path), "followed": followed, "text": text}]
    }  # fmt: skip


def _of_journal(known: Any) -> tuple[str, Any]:
    folders = [folder for place in JOURNALS if Path(place).is_dir() for folder in Path(place).iterdir()]
    files = [file for folder in folders if os.access(folder, os.X_OK) for file in folder.glob("system*.journal")]
    if not folders or (not files and all(os.access(folder, os.R_OK) for folder in folders)):
        raise Absent("neither a log of authentications nor a journal is there")
    if not any(os.access(file, os.R_OK) for file in files):
        raise Denied(f"{folders[0]}: permission denied; {REMEDY}")
    now = time.time()
    command = [programs.program("journalctl"), "--quiet", "--no-pager", "--output=json", f"--output-fields={FIELDS}"]
    if known is None:
        command.append(f"--lines={FIRST_ENTRIES}")
    else:
        begin = f"--after-cursor={known['cursor']}" if known["cursor"] else f"--since=@{known['at']:.0f}"
        command += [f"--lines={MOST_ENTRIES}", begin]
    done = programs.run([*command, FACILITIES[0], "+", FACILITIES[1]], TIMEOUT)
    if done.code != 0:
        raise Unreachable(f"journalctl: ended with {done.code}: {done.errors.strip()[:200]}")
    last = done.output.rstrip("\n").rpartition("\n")[2]
    at_end = str(json_object(last, "an entry of the journal").get("__CURSOR", "")) if last else ""
    return done.output, {"at": now, "cursor": at_end or (known["cursor"] if known else "")}
