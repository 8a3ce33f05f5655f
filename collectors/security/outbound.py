"""Places outside to which the account of a web server connects for the first time: a reverse shell, a miner's pool.

Whose socket it is the kernel tells without any right; the process only where its descriptors may be listed. A look
misses what lives shorter, and containers with a network of their own.

Source: https://docs.kernel.org/networking/proc_net_tcp.html
"""

import ipaddress
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from collectors.model import Counter, Event, Sample, Severity, State
from collectors.security.config import Security
from collectors.security.listeners import scope_of
from collectors.security.pace import due
from collectors.security.telling import event
from collectors.security.webchild import SHELL, TOOL, WEB
from collectors.sources.processes import processes
from collectors.sources.sockets import outgoing

SECONDS = 10.0
MOST = 500
"""Places that are known. Whichever was seen longest ago is forgotten first."""
MOST_EVENTS = 10
"""Of one look."""
FORGOTTEN_AFTER = 30 * 86400.0
USUAL_PORTS = frozenset((22, 25, 53, 80, 110, 143, 443, 465, 587, 993, 995))
"""Sites call others over HTTP and send mail; whoever deploys with the same account fetches over SSH."""

PLACES = Counter(
    "security_outbound_places_total",
    "Networks outside, with port, to which an account of a web server connected for the first time in 30 days.",
    ("port",),
    bounds={"port": 2},
)
FAMILIES = (PLACES,)


def read(config: Security, cursor: Any) -> tuple[Any, Any]:
    if not due(cursor, SECONDS):
        return None, cursor
    proc = Path(config.procfs)
    known = processes(proc)
    users = {each.user for each in known if WEB.fullmatch(each.name)} - {"root"}
    now = time.time()
    rows = [
        [each.process, each.pid, each.user, each.address, each.port, each.local_port]
        for each in (outgoing(known, users, proc) if users else ())
        if scope_of(each.address) == "public"
    ]
    return {"at": now, "connections": rows}, {"at": now}


def step(state: State, payload: Any) -> tuple[State, Sequence[Event]]:
    """Of the first look nothing is told: what the site always does is among it."""
    at = payload["at"]
    known = {key: seen for key, seen in state.get("known", {}).items() if at - seen <= FORGOTTEN_AFTER}
    counts = dict(state.get("counts", {}))
    events: list[Event] = []
    for row in payload["connections"]:
        key = _place(row[3], row[4])
        is_new = known.pop(key, None) is None
        known[key] = at
        if is_new and state:
            kind = "usual" if row[4] in USUAL_PORTS else "unusual"
            counts[kind] = counts.get(kind, 0) + 1
            if len(events) < MOST_EVENTS:
                events.append(_event(row, key, at))
    return {"known": dict(list(known.items())[-MOST:]), "counts": counts}, events


def samples(state: State) -> Iterable[Sample]:
    for kind in ("usual", "unusual"):
        yield PLACES(state.get("counts", {}).get(kind, 0), kind)


def _place(address: str, port: int) -> str:
    """A network: the addresses of a service beside each other are one place."""
    at = ipaddress.ip_address(address)
    network = ipaddress.ip_network(f"{at}/{24 if at.version == 4 else 48}", strict=False)
    return f"{network} {port}"


def _event(row: Sequence[Any], place: str, at: float) -> Event:
    process, pid, user, address, port, local_port = row
    is_tool = SHELL.fullmatch(process) or TOOL.fullmatch(process)
    severity: Severity = "warning" if is_tool or port not in USUAL_PORTS else "info"
    who = f"{process} ({user})" if process else f"a process of {user}"
    evidence = {"process": process, "pid": pid or "", "user": user, "address": address, "port": port,
                "local_port": local_port}  # fmt: skip
    return event(
        "outbound", severity, at, f"{who} connected to {address} port {port} for the first time", evidence,
        origin=(at, row), key=place,
    )  # fmt: skip
