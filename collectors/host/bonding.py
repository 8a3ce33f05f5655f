"""Bonded network cards and how many of their members work, from /sys/class/net; absent without any.

Source: https://docs.kernel.org/networking/bonding.html
"""

from collections.abc import Iterable
from pathlib import Path

from collectors.errors import Absent
from collectors.host.config import Host
from collectors.model import Gauge, Sample
from collectors.sources.files import attribute

MEMBERS = Gauge("node_bonding_slaves", "Network cards of the bond.", ("master",))
ACTIVE = Gauge("node_bonding_active", "Network cards of the bond whose link is up.", ("master",))
FAMILIES = (MEMBERS, ACTIVE)


def read(config: Host) -> dict[str, dict[str, str]]:
    """Bond -> member -> state of its link."""
    bonds = {}
    for file in sorted(Path(config.sysfs, "class/net").glob("*/bonding/slaves")):
        bond = file.parent.parent
        members = (attribute(file) or "").split()
        bonds[bond.name] = {
            member: attribute(bond / f"lower_{member}" / "bonding_slave/mii_status")
            or attribute(bond / f"slave_{member}" / "bonding_slave/mii_status")
            or "unknown"
            for member in members
        }
    if not bonds:
        raise Absent("no network cards are bonded")
    return bonds


def parse(bonds: dict[str, dict[str, str]]) -> Iterable[Sample]:
    for bond, members in bonds.items():
        yield MEMBERS(len(members), bond)
        yield ACTIVE(sum(state == "up" for state in members.values()), bond)
