"""What sshd, sudo, su and login say, as facts.

A user name that an attacker chose may look like any of these messages: patterns hold to the message's beginning, and
the address is the last one.

Source: https://github.com/openssh/openssh-portable/blob/master/auth.c https://www.sudo.ws/docs/man/sudoers.man/#EVENT_LOGGING
https://github.com/linux-pam/linux-pam/blob/master/modules/pam_unix/pam_unix_sess.c
"""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from collectors.security.syslog import Entry

METHODS = ("publickey", "password", "keyboard-interactive", "gssapi", "hostbased", "none", "other")
Service = Literal["ssh", "sudo", "su", "login"]


class Fact(NamedTuple):
    service: Service
    result: str
    """`success`, `failed`; `preauth` of ssh: it left before it was let in; `refused` of sudo: not allowed."""
    account: str = ""
    """Who it was; of what failed only an account that the host has: any other may be a password, typed too early."""
    source: str = ""
    method: str = ""
    key: str = ""
    """The key's fingerprint."""
    target: str = ""
    """Whose rights it was about, of sudo and su."""
    guess: bool = False
    """Somebody tried to get in; not a key that was offered in turn, nor a visit without a name."""


ACCEPTED = re.compile(r"Accepted (\S+) for (\S+) from (\S+) port \d+(?: ssh2)?(?:: (\S+(?: \S+)?).*)?")
FAILED = re.compile(
    r"Failed (\S+) for (?:(?:invalid|illegal) user .*|(\S+)|.*) from (\S+) port \d+(?: ssh2)?"
    r"(?:: (?!.* port \d).*)?"
)
LEFT = re.compile(
    r"(?:Connection (?:closed|reset) by|Disconnected from|ssh_dispatch_run_fatal: Connection from) "
    r"(?:authenticating user (\S+)|invalid user .*) (\S+) port \d+(?: \[preauth\]|: .*)"
)
# The only line about one whose keys were all refused. Other reasons quote what the client sent.
THROWN_OUT = re.compile(
    r"Disconnecting (?:authenticating user (\S+)|invalid user .*) (\S+) port \d+: "
    r"Too many authentication failures \[preauth\]"
)
# Each wrong answer gives one; of `Failed keyboard-interactive/pam` sshd keeps most to itself.
PAM_FAILED = re.compile(r"error: PAM: .*? for (?:illegal user .*|(\S+)) from (\S+)")
# `kex_exchange_identification` bears no address: the line after it does.
PREAUTH = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?:Connection (?:closed|reset) by|Disconnected from) (\S+) port \d+(?: \[preauth\])?$",
        r"Did not receive identification string from (\S+)",
        r"Unable to negotiate with (\S+) ",
        r"Bad protocol version identification '.*' from (\S+) port \d+$",
        r"(?:banner exchange|ssh_dispatch_run_fatal): Connection from (\S+) port ",
        r"(?:fatal: )?Timeout before authentication for (?:connection from )?(\S+) ",
        r"drop connection #\d+ from \[(\S+)\]:\d+ on ",
    )
)
SUDO = re.compile(r"\s*(\S+) : (.*)")
SUDO_REFUSED = re.compile(
    r"(?:user )?NOT (?:in|allowed|authorized)|sorry, you must have a tty|"
    r"command not allowed|user not allowed|not allowed to "
)
SUDO_FAILED = re.compile(
    r"\d+ incorrect password attempt|a (?:password|terminal) is required|no (?:password|tty)|account validation"
)
SUDO_DONE = re.compile(r"(?:HOST=\S+ ; )?(?:TTY=[^;]* ; )?PWD=.*? ; USER=(\S+) ; ")
SU_DONE = re.compile(r"(?:\(to|Successful su for) (?P<to>[^\s)]+)(?:\)| by) (?P<by>\S+)(?: on \S+)?")
SU_FAILED = re.compile(r"FAILED (?:SU \(to .*\)|su for .* by) (\S+)(?: on \S+)?")
LOGIN_DONE = re.compile(r"(?:ROOT LOGIN +ON \S+|LOGIN ON \S+ BY (\S+))(?: FROM (\S+))?", re.IGNORECASE)
LOGIN_FAILED = re.compile(r"(?:FAILED LOGIN|TOO MANY LOGIN TRIES|LOGIN FAILURE)")
SSHD = ("sshd", "sshd-session", "sshd-auth")


def fact(entry: Entry) -> Fact | None:
    """None: it says nothing of that kind."""
    program = entry.program.rpartition("/")[2]
    if program in SSHD:
        # Any account of the host may write to the log in another program's name; the journal tells whose it is.
        return _ssh(entry.message) if entry.uid in ("", "0") else None
    reader = READERS.get(program)
    return reader(entry.message) if reader else None


def method(name: str) -> str:
    name = name.partition("/")[0]
    name = "gssapi" if name.startswith("gssapi") else name
    return name if name in METHODS else "other"


def _ssh(message: str) -> Fact | None:
    if found := ACCEPTED.fullmatch(message):
        return Fact("ssh", "success", found[2], found[3], method(found[1]), found[4] or "")
    if message.startswith("Failed keyboard-interactive/pam "):
        return None  # said already, see PAM_FAILED
    if found := FAILED.fullmatch(message):
        how = method(found[1])
        guess = how not in ("publickey", "none")
        return Fact("ssh", "failed", found[2] or "", found[3], how, guess=guess)
    if found := PAM_FAILED.fullmatch(message):
        return Fact("ssh", "failed", found[1] or "", found[2], "keyboard-interactive", guess=True)
    if found := LEFT.fullmatch(message) or THROWN_OUT.fullmatch(message):
        return Fact("ssh", "preauth", found[1] or "", found[2], "none", guess=True)
    left = next(filter(None, (pattern.match(message) for pattern in PREAUTH)), None)
    return Fact("ssh", "preauth", source=left[1], method="none") if left else None


def _sudo(message: str) -> Fact | None:
    found = SUDO.match(message)
    if not found:
        return None
    account, said = found[1], found[2]
    if SUDO_REFUSED.match(said):
        return Fact("sudo", "refused", account)
    if SUDO_FAILED.match(said):
        return Fact("sudo", "failed", account)
    done = SUDO_DONE.match(said)
    return Fact("sudo", "success", account, target=done[1]) if done else None


def _su(message: str) -> Fact | None:
    """util-linux says both who became whom and that the session began: the first counts."""
    if found := SU_DONE.match(message):
        return Fact("su", "success", found["by"], target=found["to"])
    failed = SU_FAILED.fullmatch(message)
    return Fact("su", "failed", failed[1]) if failed else None


def _login(message: str) -> Fact | None:
    if found := LOGIN_DONE.match(message):
        return Fact("login", "success", found[1] or "root", found[2] or "")
    return Fact("login", "failed") if LOGIN_FAILED.match(message) else None


READERS: dict[str, Callable[[str], Fact | None]] = {"sudo": _sudo, "su": _su, "login": _login}
