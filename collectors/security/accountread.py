"""The files behind accounts, as hashes, and the masked text of jobs, units and rules. What cannot be read is known by
size and time, where even that is allowed."""

import base64
import binascii
import os
import time
from collections.abc import Iterable
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

from collectors.errors import Absent, Denied
from collectors.security import accounts
from collectors.security.config import Security
from collectors.security.masking import masked_commands
from collectors.security.pace import due
from collectors.sources.files import read_text

SECONDS = 60.0
MOST_FILES = 1000
"""Of one kind."""
MOST_BYTES = 2**20
MOST_TEXT = 8192
MOST_TEXTS = 200
MOST_ACCOUNTS = 1000
MOST_KEYS = 200
KEY_FILES = (".ssh/authorized_keys", ".ssh/authorized_keys2")
PLACES = {
    "os_sudo": ("etc/sudoers", "etc/sudoers.d/*"),
    "cron": (
        "etc/crontab", "etc/cron.d/*", "etc/cron.hourly/*", "etc/cron.daily/*", "etc/cron.weekly/*",
        "etc/cron.monthly/*", "var/spool/cron/crontabs/*", "var/spool/cron/*",
    ),
    "systemd": tuple(
        f"etc/systemd/system/{depth}*.{kind}" for depth in ("", "*/") for kind in ("service", "timer", "conf", "socket")
    ),
    "preload": ("etc/ld.so.preload",),
    "ssh_config": ("etc/ssh/sshd_config", "etc/ssh/sshd_config.d/*"),
}  # fmt: skip
"""Below the root; the folders themselves are watched too where they cannot be listed."""


def read(config: Security, cursor: Any) -> tuple[Any, Any]:
    if not due(cursor, SECONDS):
        return None, cursor
    root = Path(config.rootfs)
    text = _text(root / "etc/passwd")
    texts: dict[str, str] = {}
    lines: dict[str, str] = {}
    files = {kind: _files(root, patterns, texts) for kind, patterns in PLACES.items()}
    group = _text(root / "etc/group")
    now = time.time()
    found = {"at": now, "files": files, "keys": _keys(root, text, lines), "texts": texts, "key_lines": lines}
    found["passwd"] = accounts.passwd(text) if text else None
    found["group"] = accounts.groups(group) if group else None
    return found, {"at": now}


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except (Absent, Denied, OSError):
        return ""


def _files(root: Path, patterns: Iterable[str], texts: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pattern in patterns:
        folder = (root / pattern).parent
        if pattern.endswith("/*") and not os.access(folder, os.R_OK | os.X_OK):
            if folder.is_dir():
                status = folder.stat()
                found[f"/{folder.relative_to(root)}"] = f"folder:{status.st_mtime_ns}"
            continue
        for path in sorted(root.glob(pattern))[:MOST_FILES]:
            _sign(path, root, found, texts)
    return dict(list(found.items())[:MOST_FILES])


def _sign(path: Path, root: Path, found: dict[str, str], texts: dict[str, str]) -> None:
    """A link is what it points at: systemd enables a unit by one."""
    name = f"/{path.relative_to(root)}"
    try:
        status = path.lstat()
        if path.is_symlink():
            found[name] = f"hash:{_hash(os.fsencode(path.readlink()))}"
        elif path.is_file() and status.st_size <= MOST_BYTES and os.access(path, os.R_OK):
            data = path.read_bytes()
            found[name] = f"hash:{_hash(data)}"
            if len(data) <= MOST_TEXT and len(texts) < MOST_TEXTS:
                texts[name] = masked_commands(data.decode(errors="replace"))
        elif path.is_file():
            found[name] = f"stat:{status.st_size}:{status.st_mtime_ns}"
    except OSError:  # it went meanwhile, or is in a folder that is shut
        return


def _keys(root: Path, text: str, lines: dict[str, str]) -> dict[str, dict[str, str] | None]:
    """Account -> its keys, by what tells them apart; None where they cannot be seen."""
    rows = (line.split(":") for line in text.splitlines()[:MOST_ACCOUNTS])
    homes = {row[0]: root / row[5].lstrip("/") for row in rows if len(row) == 7 and row[5] not in ("", "/")}
    return {account: _keys_in(home, lines) for account, home in homes.items()}


def _keys_in(home: Path, said: dict[str, str]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for name in KEY_FILES:
        try:
            with (home / name).open("rb") as file:
                lines = file.read(MOST_BYTES).splitlines()
        except PermissionError:
            return None
        except OSError:
            continue
        for line in lines[:MOST_KEYS]:
            if key := _key(line):
                found[_hash(key)] = "key"
                said[_hash(key)] = _said(line)
    return found


def _said(line: bytes) -> str:
    """Options, type, fingerprint as ssh-keygen has it, comment."""
    words = line.split()
    at = next(at for at, word in enumerate(words) if word.startswith(b"AAAA"))
    try:
        data = base64.b64decode(words[at], validate=True)
    except binascii.Error:
        data = words[at]
    fingerprint = base64.b64encode(sha256(data).digest()).rstrip(b"=").decode()
    before, after = (
        masked_commands(b" ".join(part).decode(errors="replace")) for part in (words[:at], words[at + 1 :])
    )
    return f"{before} SHA256:{fingerprint} {after}".strip()


def _key(line: bytes) -> bytes:
    """Without its comment; with its options, which may be the change."""
    words = line.split()
    at = next((at for at, word in enumerate(words) if word.startswith(b"AAAA")), None)
    return b"" if at is None or line.startswith(b"#") else b" ".join(words[: at + 1])


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=8).hexdigest()
