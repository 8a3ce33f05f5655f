"""Shells, interpreters and network tools below a web server or PHP-FPM: what an attacker runs first.

A look every few seconds misses what lives shorter. PHP itself starts its commands through `sh`: a shell is told when
it stays, or has begun something of the list, and not while it runs a converter.

Source: https://attack.mitre.org/techniques/T1505/003/
"""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from collectors.model import Counter, Event, Sample, State
from collectors.security.config import Security
from collectors.security.pace import due
from collectors.security.telling import event, plain
from collectors.sources.processes import processes

SECONDS = 5.0
MOST_ABOVE = 20
MOST_KNOWN = 500
WEB = re.compile(r"nginx|apache2|httpd|lighttpd|php-fpm.*|php\d*-fpm|frankenphp|lsphp")
SHELL = re.compile(r"(ba|da|z|k|c|tc|a|fi)?sh|busybox")
TOOL = re.compile(
    r"python[\d.]*|perl[\d.]*|ruby[\d.]*|lua[\d.]*|nc|ncat|netcat|nc\.(traditional|openbsd)|socat|curl|wget|ssh|scp|"
    r"telnet|ftp|tftp|nmap|masscan|crontab|at|gcc|cc|make|xmrig|base64|openssl|whoami|id|script"
)
"""PHP itself is not among them: Drupal's own tools start it."""

CHILDREN = Counter(
    "security_web_child_processes_total",
    "Shells, interpreters and network tools seen below a web server or PHP-FPM.",
)
FAMILIES = (CHILDREN,)


class Found(NamedTuple):
    name: str
    parent: int
    user: str


def read(config: Security, cursor: Any) -> tuple[Any, Any]:
    """Names only: a command line may hold passwords."""
    if not due(cursor, SECONDS):
        return None, cursor
    now = time.time()
    rows = [[each.pid, each.name, each.parent, each.user] for each in processes(Path(config.procfs))]
    return {"at": now, "processes": rows}, {"at": now}


def step(state: State, payload: Any) -> tuple[State, Sequence[Event]]:
    table = {pid: Found(name, parent, user) for pid, name, parent, user in payload["processes"]}
    children: dict[int, list[Found]] = {}
    for each in table.values():
        children.setdefault(each.parent, []).append(each)
    told, waiting = dict(state.get("told", {})), state.get("waiting", {})
    now: dict[str, bool] = {}
    events: list[Event] = []
    for pid, each in sorted(table.items()):
        server = _server(pid, table, children)
        if server is None or not (SHELL.fullmatch(each.name) or TOOL.fullmatch(each.name)):
            continue
        key = f"{pid} {each.name} {each.parent}"
        now[key] = True
        if key not in told and _is_odd(each, children.get(pid, []), key in waiting):
            told[key] = payload["at"]
            events.append(_event(pid, each, server, payload["at"]))
    kept = [(key, at) for key, at in told.items() if key in now][:MOST_KNOWN]
    count = state.get("count", 0) + len(events)
    return {"told": dict(kept), "waiting": dict(list(now.items())[:MOST_KNOWN]), "count": count}, events


def samples(state: State) -> Iterable[Sample]:
    yield CHILDREN(state.get("count", 0))


def _is_odd(each: Found, children: Sequence[Found], seen_before: bool) -> bool:
    if TOOL.fullmatch(each.name):
        return True
    if children:
        return any(SHELL.fullmatch(child.name) or TOOL.fullmatch(child.name) for child in children)
    return seen_before


def _server(pid: int, table: Mapping[int, Found], children: Mapping[int, Sequence[Found]]) -> Found | None:
    """The nearest one above. A master, whose workers have another user, starts only what its settings say: for logs."""
    at = table[pid].parent
    for _ in range(MOST_ABOVE):
        if (above := table.get(at)) is None:
            return None
        if WEB.fullmatch(above.name):
            is_master = any(
                WEB.fullmatch(child.name) and child.user != above.user for child in children.get(at, [])
            )  # fmt: skip
            return None if is_master else above
        at = above.parent
    return None


def _event(pid: int, each: Found, server: Found, at: float) -> Event:
    evidence = {"program": each.name, "pid": pid, "user": each.user, "server": server.name}
    return event(
        "web_child_process", "critical", at, f"{plain(server.name)} started {plain(each.name)}", evidence,
        origin=(at, pid), key=f"{server.name} {each.name}",
    )  # fmt: skip
