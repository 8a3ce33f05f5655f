"""User, password and TLS from a client's option file.

Source: https://dev.mysql.com/doc/refman/8.4/en/option-files.html
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from collectors.errors import Denied
from collectors.tls import Tls

MOST_BYTES = 1 << 20
HEAD = re.compile(r"\[([^]]*)\]")
OPTION = re.compile(r"([\w-]+)\s*(?:=\s*(.*))?$")
QUOTED = re.compile(r"(['\"])(.*?)\1")
ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "r": "\r", "s": " ", "\\": "\\"}


def client_section(file: Path) -> Mapping[str, str]:
    """Options of [client]. Denied without the file: the server may well be there."""
    try:
        with file.open("rb") as opened:
            return client_options(opened.read(MOST_BYTES).decode())
    except UnicodeDecodeError as error:
        raise Denied(f"read the account from {file}: expected UTF-8 text") from error
    except OSError as error:
        raise Denied(f"read the account from {file}: {error.strerror or error}") from error


def client_options(text: str) -> Mapping[str, str]:
    """What MySQL's own clients read in [client]; includes are not followed."""
    section = ""
    options = {}
    for line in map(str.strip, text.splitlines()):
        if head := HEAD.match(line):
            section = head[1].strip()
        elif section == "client" and line[:1] not in "#;!" and (option := OPTION.match(line)):
            options[option[1].replace("_", "-")] = _value(option[2] or "")
    return options


def client_tls(options: Mapping[str, str]) -> Tls | None:
    """As those clients do: `ssl-mode` is MySQL's word, `ssl` and `ssl-verify-server-cert` are MariaDB's."""
    mode = options.get("ssl-mode", "").upper()
    files = [Path(found) if (found := options.get(name)) else None for name in ("ssl-ca", "ssl-cert", "ssl-key")]
    wanted = mode in ("REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY") or _on(options, "ssl") or any(files)
    shut = mode in ("DISABLED", "PREFERRED") or ("ssl" in options and not _on(options, "ssl")) or "skip-ssl" in options
    if not wanted or shut:
        return None
    named = mode == "VERIFY_IDENTITY" or _on(options, "ssl-verify-server-cert")
    trusted = files[0] and mode != "REQUIRED"
    verify: Literal["full", "ca", "none"] = "full" if named else "ca" if trusted or mode == "VERIFY_CA" else "none"
    return Tls(ca=files[0], verify=verify, certificate=files[1], key=files[2])


def _on(options: Mapping[str, str], name: str) -> bool:
    return options.get(name, "0").lower() in ("", "1", "on", "true", "yes")


def _value(text: str) -> str:
    quoted = QUOTED.match(text)
    text = quoted[2] if quoted else re.split(r"\s+#", text)[0].rstrip()
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[0]), text)
