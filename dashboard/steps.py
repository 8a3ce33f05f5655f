"""An alert's first steps as a list: words, and commands to be copied.

In a rule file they are lines such as `Running: systemctl status nginx; ss -ltnp`: what it tells, then what to type.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

COMMANDS = {
    "apachectl", "apt-get", "awk", "cat", "certbot", "cgi-fcgi", "crontab", "curl", "df", "dig", "dmesg",
    "drush", "du", "env", "find", "free", "grep", "iostat", "ip", "journalctl", "kill", "last", "ls", "lsof",
    "mariadb", "mysql", "mysqladmin", "nginx", "openssl", "php", "ping", "printf", "ps", "psql", "raingauge",
    "redis-cli", "sar", "smartctl", "ss", "sudo", "sysctl", "systemctl", "tail", "timedatectl",
    "top", "uptime", "varnishadm", "varnishlog", "varnishstat", "vmstat",
}  # fmt: skip
STATEMENTS = {"ALTER", "EXPLAIN", "KILL", "SELECT", "SET", "SHOW", "VACUUM"}
WORD = re.compile(r"[\w.-]+")
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|;\s+")
NOTE = re.compile(r"(.*\S)\s+(\([^()]*\))")


@dataclass(frozen=True)
class Piece:
    text: str
    command: bool = False


@dataclass(frozen=True)
class Step:
    pieces: tuple[Piece, ...]


def steps(text: str) -> tuple[Step, ...]:
    return tuple(Step(tuple(_pieces(line.strip()))) for line in text.splitlines() if line.strip())


def _pieces(line: str) -> Iterator[Piece]:
    parts = list(_parts(line))
    for part, last in zip(parts, [*[False] * (len(parts) - 1), True], strict=True):
        words, colon, rest = part.partition(": ")
        if _is_command(part):
            yield from _command(part)
        elif colon and _is_command(rest):
            yield Piece(f"{words}:")
            yield from _command(rest)
        else:
            yield Piece(part if last else f"{part};")


def _parts(line: str) -> Iterator[str]:
    """Split at `; ` outside of quotes."""
    begin = 0
    for found in QUOTED.finditer(line):
        if found[0].startswith(";"):
            yield line[begin : found.start()]
            begin = found.end()
    yield line[begin:]


def _is_command(text: str) -> bool:
    word = WORD.match(text)
    if word is None:
        return False
    name = re.sub(r"^php(-fpm)?[\d.]*$", "php", word[0])
    return name in COMMANDS or name in STATEMENTS


def _command(text: str) -> Iterator[Piece]:
    """A remark in brackets behind a command is no part of it; in SQL brackets are."""
    word = WORD.match(text)
    remark = NOTE.fullmatch(text) if word and word[0] not in STATEMENTS else None
    yield Piece(remark[1] if remark else text, command=True)
    if remark:
        yield Piece(remark[2])
