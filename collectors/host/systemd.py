"""Units of systemd and their states, as `systemctl show` tells them to anyone; absent where systemd does not run.

Source: https://www.freedesktop.org/software/systemd/man/latest/systemctl.html
"""

import re
from collections import Counter as Tally
from collections.abc import Iterable
from pathlib import Path

from collectors.errors import Absent, Denied, ParseError, Unsupported
from collectors.host.config import Host
from collectors.model import Counter, Gauge, Sample
from collectors.sources.programs import run

NAME = ("name",)
UNIT_STATE = Gauge(
    "node_systemd_unit_state", "1 for the state that the unit is in, 0 for the others.", ("name", "state", "type")
)
UNITS = Gauge("node_systemd_units", "Units, by state.", ("state",))
RUNNING = Gauge("node_systemd_system_running", "1 if the system is up and no unit has failed.")
RESTARTS = Counter("node_systemd_service_restart_total", "Times that systemd restarted the service.", NAME)
ACCEPTED = Counter("node_systemd_socket_accepted_connections_total", "Connections that the socket accepted.", NAME)
CONNECTED = Gauge("node_systemd_socket_current_connections", "Connections of the socket now.", NAME)
REFUSED = Gauge("node_systemd_socket_refused_connections_total", "Connections that the socket refused.", NAME)
LAST = Gauge("node_systemd_timer_last_trigger_seconds", "When the timer last ran, in Unix time.", NAME)
FAMILIES = (UNIT_STATE, UNITS, RUNNING, RESTARTS, ACCEPTED, CONNECTED, REFUSED, LAST)

STATES = ("active", "activating", "deactivating", "inactive", "failed")
NUMBERS = {"NRestarts": RESTARTS, "NAccepted": ACCEPTED, "NConnections": CONNECTED, "NRefused": REFUSED}
PROPERTIES = ("Id", "LoadState", "ActiveState", "Type", *NUMBERS, "LastTriggerUSec")
LEFT_OUT = re.compile(r".+\.(automount|device|mount|scope|slice)")
SYSTEMD = Path("/run/systemd/system")
PATIENCE = 8.0


def read(_config: Host) -> str:
    if not SYSTEMD.exists():
        raise Absent("systemd does not run here")
    try:
        done = run(
            ("systemctl", "show", "--all", "--timestamp=unix", f"--property={','.join(PROPERTIES)}", "*"), PATIENCE
        )
    except Unsupported as error:
        raise Absent("systemctl is not installed") from error
    if done.code:
        raise Denied(f"systemctl show: {done.errors.strip()[:200]}")
    return done.output


def parse(text: str) -> Iterable[Sample]:
    blocks = [dict(line.partition("=")[::2] for line in block.splitlines()) for block in text.split("\n\n")]
    units = [unit for unit in blocks if unit.get("Id") and unit.get("LoadState") == "loaded"]
    if not units:
        raise ParseError(f"expected blocks with Id= and LoadState=loaded from systemctl show, found {text[:60]!r}")
    tally = Tally(unit.get("ActiveState", "") for unit in units)
    for state in STATES:
        yield UNITS(tally[state], state)
    yield RUNNING(tally["failed"] == 0)
    for unit in units:
        if not LEFT_OUT.fullmatch(unit["Id"]):
            yield from _unit(unit)


def _unit(unit: dict[str, str]) -> Iterable[Sample]:
    name = unit["Id"]
    for state in STATES:
        yield UNIT_STATE(unit.get("ActiveState") == state, name, state, unit.get("Type", ""))
    for key, family in NUMBERS.items():
        if unit.get(key, "").isdecimal():
            yield family(int(unit[key]), name)
    last = unit.get("LastTriggerUSec", "").removeprefix("@")
    if last.isdecimal() and int(last):
        yield LAST(int(last), name)
