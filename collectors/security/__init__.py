"""Signs of an intruder on this host: logins, accounts, listeners, the web server's children, files of sites.

Each finding is an event that says what happened; the counters are for rules and charts. Nothing is changed or blocked.

Source: https://attack.mitre.org/matrices/enterprise/linux/
"""

from collections.abc import Iterable
from typing import Any

from collectors.inventory import Inventory
from collectors.model import Collector, Follower, Proposal
from collectors.security import accountread, accounts, auth, authread, listeners, webchild
from collectors.security.config import Security

MINUTE = 60.0


def discover(inventory: Inventory) -> Iterable[Proposal]:
    if inventory.processes:
        yield Proposal("logins and changes of this host", Security(), authread.REMEDY)


def once_a_look(_found: Any) -> bool:
    return False


COLLECTOR = Collector(
    "security",
    "security",
    Security,
    parts=(),
    instance=lambda _config, host: host,
    discover=discover,
    followers=(
        Follower("auth", auth.FAMILIES, authread.read, auth.step, auth.samples, lambda found: bool(found["more"])),
        Follower("accounts", accounts.FAMILIES, accountread.read, accounts.step, accounts.samples, once_a_look, MINUTE),
        Follower(
            "listeners", listeners.FAMILIES, listeners.read, listeners.step, listeners.samples, once_a_look, MINUTE / 2
        ),
        Follower("web_children", webchild.FAMILIES, webchild.read, webchild.step, webchild.samples, once_a_look),
    ),
    grants=(
        "Logs of authentications: membership in the group `adm`, for the journal in `systemd-journal`. Keys of SSH and "
        "rules of sudo are compared where they can be read (setfacl); of other files size and time."
    ),
)
