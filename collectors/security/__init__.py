"""Signs of an intruder on this host: logins, accounts, listeners, the web server's children, files of sites.

Each finding is an event that says what happened; the counters are for rules and charts. Nothing is changed or blocked.

Source: https://attack.mitre.org/matrices/enterprise/linux/
"""

from typing import Any

from collectors.model import Collector, Follower
from collectors.security import (
    accountread,
    accounts,
    auth,
    authread,
    files,
    filewalk,
    integrity,
    integrityread,
    listeners,
    outbound,
    outcome,
    posture,
    postureread,
    webchild,
)
from collectors.security.config import Security
from collectors.security.discovery import discover

MINUTE = 60.0


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
        Follower("outbound", outbound.FAMILIES, outbound.read, outbound.step, outbound.samples, once_a_look),
        Follower("files", files.FAMILIES, filewalk.read, files.step, files.samples, once_a_look, MINUTE),
        Follower("posture", posture.FAMILIES, postureread.read, posture.step, posture.samples, once_a_look, MINUTE),
        Follower(
            "integrity",
            integrity.FAMILIES,
            integrityread.read,
            integrity.step,
            integrity.samples,
            once_a_look,
            MINUTE,
            hears=("deploy", "drupal.deploy", "drupal.core_version"),
        ),
        Follower("outcome", outcome.FAMILIES, outcome.read, outcome.step, outcome.samples, source="events"),
    ),
    grants=(
        "Logs of authentications: membership in the group `adm`, for the journal in `systemd-journal`. Keys of SSH and "
        "rules of sudo are compared where they can be read (setfacl); of other files size and time. "
        "Uploads of sites: the right to list them."
    ),
)
