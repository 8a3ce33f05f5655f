"""Ports on which programs listen: what is new, and which services of the site can be reached from elsewhere.

A firewall may still stand before them; that cannot be seen from here without its rights.

Source: https://docs.kernel.org/networking/proc_net_tcp.html
"""

import ipaddress
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from collectors.model import Counter, Event, Gauge, Sample, Severity, State
from collectors.security.config import Security
from collectors.security.pace import due
from collectors.security.telling import event
from collectors.sources.processes import processes
from collectors.sources.sockets import listeners, udp_listeners

SECONDS = 30.0
GONE_AFTER = 2
"""Looks without it: a service that starts anew is away for one."""
MOST = 500
UDP = " udp"
"""What the keys of UDP end with."""
SCOPES = ("loopback", "private", "public")
SERVICES = {
    "redis": (r"(redis|valkey)-(server|sentinel)", (6379, 26379)),
    "memcached": (r"memcached", (11211,)),
    "mysql": (r"mariadbd|mysqld", (3306, 33060)),
    "postgresql": (r"postgres", (5432,)),
    "php-fpm": (r"php-fpm.*", (9000,)),
    "solr": (r"solr", (8983, 7983)),
    "elasticsearch": (r"elasticsearch", (9200, 9300)),
}
"""Name of its process, and its usual ports where the process does not tell."""
STANDS_FOR_OTHERS = ("", "java", "docker-proxy", "rootlessport", "conmon", "systemd")
EXPECTED = re.compile(
    r"nginx|apache2|httpd|sshd|varnishd|master|exim4|haproxy|caddy|traefik"
    r"|chronyd|ntpd|dhclient|dhcpcd|systemd-(?:network|resolve|timesyn)d?|avahi-daemon|NetworkManager|rpcbind"
)
"""They are there to be reached."""

CHANGES = Counter(
    "security_listener_changes_total",
    "TCP and UDP ports on which a program began or ceased to listen; `public` also for any address. "
    "A strange one that opens is a `warning`.",
    ("op", "scope", "severity"),
    bounds={"op": 2, "scope": 3, "severity": 2},
)
EXPOSED = Gauge(
    "security_service_exposed",
    "1 if a service that only this host should reach listens on an address of that kind; `public` also for any "
    "address. A firewall is not seen.",
    ("service", "scope"),
    bounds={"service": len(SERVICES), "scope": 2},
)
FAMILIES = (CHANGES, EXPOSED)


def read(config: Security, cursor: Any) -> tuple[Any, Any]:
    if not due(cursor, SECONDS):
        return None, cursor
    proc = Path(config.procfs)
    known = list(processes(proc))
    now = time.time()
    rows = [[each.process, each.address, each.port] for each in listeners(known, proc) if each.port]
    udp = [[each.process, each.address, each.port] for each in udp_listeners(known, proc)]
    return {"at": now, "listeners": rows, "udp": udp}, {"at": now}


def step(state: State, payload: Any) -> tuple[State, Sequence[Event]]:
    now = {_key(row): row for row in _told_first(payload["listeners"])}
    now |= {_key(row) + UDP: row for row in _told_first(payload.get("udp", ()))}
    known: Mapping[str, Any] = state.get("known", {})
    counts = dict(state.get("counts", {}))
    events = []
    kept: dict[str, Any] = {}
    for key, row in list(now.items())[:MOST]:
        kept[key] = {"row": row, "missing": 0}
        if state and key not in known and (not key.endswith(UDP) or state.get("udp")):
            _count(counts, "opened", key, _severity(row))
            events.append(_event("opened", row, payload["at"], "udp" if key.endswith(UDP) else "tcp"))
    for key, each in known.items():
        if key not in now:
            if each["missing"] + 1 < GONE_AFTER:
                kept[key] = {**each, "missing": each["missing"] + 1}
            else:
                _count(counts, "closed", key, "info")
    return {"known": kept, "counts": counts, "udp": "udp" in payload}, [each for each in events if each]


def samples(state: State) -> Iterable[Sample]:
    counts = state.get("counts", {})
    for op in ("opened", "closed"):
        for scope in SCOPES:
            for severity in ("info", "warning") if (op, scope) == ("opened", "public") else ("info",):
                yield CHANGES(counts.get(f"{op} {scope} {severity}", 0), op, scope, severity)
    found: dict[str, set[str]] = {}
    for each in state.get("known", {}).values():
        process, address, port = each["row"]
        if name := service(process, port):
            found.setdefault(name, set()).add(scope_of(address))
    for name, scopes in sorted(found.items()):
        for scope in SCOPES[1:]:
            yield EXPOSED(scope in scopes, name, scope)


def scope_of(address: str) -> str:
    """`public` for what is no address: better one alert too many."""
    try:
        at = ipaddress.ip_address(address)
    except ValueError:
        return "public"
    at = getattr(at, "ipv4_mapped", None) or at
    if at.is_loopback:
        return "loopback"
    return "private" if not at.is_unspecified and (at.is_private or at.is_link_local) else "public"


def service(process: str, port: int) -> str:
    """ "": none of SERVICES."""
    for name, (pattern, ports) in SERVICES.items():
        if re.fullmatch(pattern, process) or (process in STANDS_FOR_OTHERS and port in ports):
            return name
    return ""


def _told_first(rows: Iterable[list[Any]]) -> list[list[Any]]:
    """In a fixed order; of several on one key, one whose process is known comes last and stays."""
    return sorted(rows, key=lambda row: (row[2], row[0] != "", row))


def _key(row: Sequence[Any]) -> str:
    """Not the process: whether we may see it can change."""
    _, address, port = row
    return f"{scope_of(address)} {port}"


def _severity(row: Sequence[Any]) -> Severity:
    process, address, _ = row
    return "info" if scope_of(address) != "public" or EXPECTED.fullmatch(process) else "warning"


def _count(counts: dict[str, int], op: str, key: str, severity: Severity) -> None:
    name = f"{op} {key.partition(' ')[0]} {severity}"
    counts[name] = counts.get(name, 0) + 1


def _event(op: str, row: Sequence[Any], at: float, protocol: str) -> Event | None:
    process, address, port = row
    scope = scope_of(address)
    if scope == "loopback":
        return None
    who = process or "a process that cannot be seen"
    name = service(process, port)
    udp = protocol == "udp"
    reach = "private network" if scope == "private" else "public"
    return event(
        "listener", _severity(row), at, f"{who} listens on {address} port {port} ({reach}{', UDP' if udp else ''})",
        {"op": op, "process": process, "address": address, "port": port, "scope": scope, "service": name,
         "protocol": protocol},
        origin=(at, row, protocol) if udp else (at, row), key=f"{scope} {port}{UDP if udp else ''}",
    )  # fmt: skip
