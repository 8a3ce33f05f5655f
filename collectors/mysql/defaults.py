"""User and password from a client's option file.

Source: https://dev.mysql.com/doc/refman/8.4/en/option-files.html
"""

import re
from collections.abc import Mapping
from pathlib import Path

from collectors.errors import Denied

MOST_BYTES = 1 << 20
HEAD = re.compile(r"\[([^]]*)\]")
OPTION = re.compile(r"([\w-]+)\s*=\s*(.*)")
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
            options[option[1].replace("_", "-")] = _value(option[2])
    return options


def _value(text: str) -> str:
    quoted = QUOTED.match(text)
    text = quoted[2] if quoted else re.split(r"\s+#", text)[0].rstrip()
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[0]), text)
