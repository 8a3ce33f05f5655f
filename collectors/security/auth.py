"""Logins and rights: who was let in, who failed, and who got in after failing.

Addresses and names stand in events only, never in labels; names only in their evidence, as titles are sent to chats
and mailboxes. The names that failed stand nowhere: some are passwords.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any

from collectors.model import Counter, Event, Sample, Severity, State
from collectors.security.authlines import METHODS, Fact, fact
from collectors.security.syslog import Entry, entry
from collectors.security.telling import digest, event

HOUR = 3600.0
WINDOW = HOUR
"""Failures count against a source as long as none is further from the next."""
LATE = WINDOW + 300
"""Older lines of a log that is seen for the first time are counted, and not told."""
LEARNING = 14 * 24 * HOUR
"""An account's first network is told only after that."""
SUSPICIOUS, MANY = 5, 20
"""Failures before a success: a warning, and critical."""
SPREAD_SOURCES = 10
"""Sources that fail with one account of the host within an hour."""
TOLD_AT = (10, 100, 1000, 10_000)
"""Failures of one source that are told."""
MOST_SOURCES, MOST_ACCOUNTS, MOST_NETWORKS = 5000, 200, 20
WEB_ACCOUNTS = ("www-data", "apache", "nginx", "http", "wwwrun", "httpd")
RESULTS = {"sudo": ("success", "failed", "refused"), "local": ("success", "failed")}

SSH = Counter(
    "security_ssh_auth_total",
    "Answers of sshd: `success`, `failed`, or `preauth` for who left before; each key that was offered counts.",
    ("result", "method"),
    bounds={"result": 3, "method": len(METHODS)},
)
AFTER = Counter(
    "security_ssh_login_after_failures_total",
    f"Logins over SSH from an address that had failed at least {SUSPICIOUS} times within an hour, or from a network "
    f"that is new for an account with which {SPREAD_SOURCES} sources had failed, with the severity of their event.",
    ("severity",),
    bounds={"severity": 2},
)
SUDO = Counter(
    "security_sudo_total", "Calls of sudo: `success`, `failed` (password), `refused` (not allowed).", ("result",),
    bounds={"result": 3},
)  # fmt: skip
LOCAL = Counter(
    "security_local_auth_total", "Logins at a console and changes of account by su.", ("service", "result"),
    bounds={"service": 2, "result": 2},
)  # fmt: skip
FAMILIES = (SSH, AFTER, SUDO, LOCAL)


def step(state: State, payload: Any) -> tuple[State, Sequence[Event]]:
    log = _Log(dict(state), payload["at"])
    for piece in payload["pieces"]:
        for line in piece["text"].split("\n"):
            found = entry(line, payload["at"], payload["zone"])
            said = fact(found) if found else None
            if found and said:
                log.fact(found, said, piece["followed"], (piece["node"], line))
    return log.state, log.events


def samples(state: State) -> Iterable[Sample]:
    counts = state.get("counts", {})
    for method in METHODS:
        for result in ("success", "failed"):
            yield SSH(counts.get(f"ssh {result} {method}", 0), result, method)
    yield SSH(counts.get("ssh preauth none", 0), "preauth", "none")
    for severity in ("critical", "warning"):
        yield AFTER(counts.get(f"after {severity}", 0), severity)
    for result in RESULTS["sudo"]:
        yield SUDO(counts.get(f"sudo {result} ", 0), result)
    for service in ("su", "login"):
        for result in RESULTS["local"]:
            yield LOCAL(counts.get(f"{service} {result} ", 0), service, result)


class _Log:
    """A copy of the state, changed by one line after the other."""

    def __init__(self, state: State, now: float) -> None:
        self.state = state
        self.state["counts"] = dict(state.get("counts", {}))
        self.events: list[Event] = []
        self._now = now

    def fact(self, found: Entry, said: Fact, followed: bool, origin: tuple[str, str]) -> None:
        self.state.setdefault("since", found.at)
        self._count(f"{said.service} {said.result} {said.method}", found.times)
        self._telling = followed or found.at > self._now - LATE
        self._at, self._origin = found.at, origin
        if said.service == "ssh":
            self._ssh(found, said)
        elif said.service == "sudo":
            self._sudo(said)
        elif said.result == "success":
            self._tell("session", "info", f"{said.service}: a session began",
                       _evidence(said), said.account)  # fmt: skip

    def _count(self, key: str, times: int = 1) -> None:
        self.state["counts"][key] = self.state["counts"].get(key, 0) + times

    def _tell(self, kind: str, severity: Severity, title: str, evidence: dict[str, Any], key: str) -> None:
        if self._telling:
            self.events.append(
                event(kind, severity, self._at, title, evidence, origin=self._origin, key=key)
            )  # fmt: skip

    def _ssh(self, found: Entry, said: Fact) -> None:
        key = f"source:{digest(_group(said.source))}"
        known = self.state.get(key)
        if known is None or found.at - known["last"] > WINDOW:
            known = {"failures": 0, "first": found.at, "last": found.at, "pid": ""}
        if said.result == "success":
            self._success(said, known)
            self.state.pop(key, None)
        elif said.guess and said.source and not (said.result == "preauth" and known["pid"] == found.pid):
            before, after = known["failures"], known["failures"] + found.times
            if key not in self.state:
                self._make_room("source:", MOST_SOURCES)
            first = min(known["first"], found.at)
            self.state[key] = {"failures": after, "first": first, "last": max(known["last"], found.at),
                               "pid": found.pid}  # fmt: skip
            if any(before < bound <= after for bound in TOLD_AT):
                self._tell("bruteforce", "info", f"SSH: {after} failed logins from {said.source}",
                           {"source": said.source, "failures": after}, key)  # fmt: skip
            if said.account:
                self._spread(said.account, digest(_group(said.source)))

    def _spread(self, account: str, source: str) -> None:
        """The same account from many sources, each of them with few failures."""
        key = f"tried:{account}"
        known = self.state.get(key)
        if known is None:
            self._make_room("tried:", MOST_ACCOUNTS)
        if known is None or self._at - known["last"] > WINDOW:
            known = {"sources": [], "last": self._at}
        sources = known["sources"]
        if source in sources or len(sources) >= SPREAD_SOURCES:
            self.state[key] = {**known, "last": max(known["last"], self._at)}
            return
        self.state[key] = {"sources": [*sources, source], "last": max(known["last"], self._at)}
        if len(sources) + 1 == SPREAD_SOURCES:
            self._tell("bruteforce", "info", f"SSH: failed logins of one account from {SPREAD_SOURCES} sources",
                       {"account": account, "sources": SPREAD_SOURCES}, key)  # fmt: skip

    def _success(self, said: Fact, known: dict[str, Any]) -> None:
        new = self._is_new_network(said)
        evidence = _evidence(said)
        who = f"{'root' if said.account == 'root' else 'an account'} from {said.source}"
        if known["failures"] >= SUSPICIOUS:
            severity: Severity = "critical" if known["failures"] >= MANY else "warning"
            self._count(f"after {severity}")
            self._tell("login_after_failures", severity, f"SSH: login of {who} after {known['failures']} failures",
                       {**evidence, "failures": known["failures"]}, said.account)  # fmt: skip
        elif new and self._is_spread(said.account):
            self._count("after warning")
            self._tell("login_after_failures", "warning",
                       f"SSH: login of {who}, a new network for it, while many sources failed with it",
                       evidence, said.account)  # fmt: skip
        elif said.account == "root":
            severe: Severity = "warning" if new or said.method != "publickey" else "info"
            self._tell("root_login", severe, f"SSH: login of {who}", evidence, said.account)
        elif new:
            self._tell("login_new_network", "info", f"SSH: login of {who}, a network that is new for it",
                       evidence, said.account)  # fmt: skip
        else:
            self._tell("session", "info", f"SSH: login of {who}", evidence, said.account)

    def _is_spread(self, account: str) -> bool:
        known = self.state.get(f"tried:{account}")
        return bool(known and len(known["sources"]) >= SPREAD_SOURCES and self._at - known["last"] <= WINDOW)

    def _is_new_network(self, said: Fact) -> bool:
        key, network = f"seen:{said.account}", digest(_network(said.source))
        if key not in self.state:
            self._make_room("seen:", MOST_ACCOUNTS)
        seen = self.state.get(key, {"last": 0.0, "networks": {}})
        networks = {**seen["networks"], network: self._at}
        for _ in range(len(networks) - MOST_NETWORKS):
            del networks[min(networks, key=lambda each: (networks[each], each))]
        self.state[key] = {"last": self._at, "networks": networks}
        if seen["networks"]:
            return network not in seen["networks"]
        return bool(self._at - self.state["since"] > LEARNING)

    def _sudo(self, said: Fact) -> None:
        web = said.account in WEB_ACCOUNTS
        if said.result == "success" and web:
            self._tell("privilege", "critical", f"sudo: the web server's account {said.account} became another",
                       _evidence(said), said.account)  # fmt: skip
        elif said.result == "refused" or (web and said.result == "failed"):
            who = said.account if web else "an account"
            self._tell("privilege", "warning", f"sudo: {who} was refused", _evidence(said), said.account)

    def _make_room(self, prefix: str, most: int) -> None:
        """What was not seen for longest goes, a tenth at once."""
        keys = [key for key in self.state if key.startswith(prefix)]
        if len(keys) >= most:
            for key in sorted(keys, key=lambda each: (self.state[each]["last"], each))[: max(1, most // 10)]:
                del self.state[key]


def _evidence(said: Fact) -> dict[str, Any]:
    named = {"service": said.service, "account": said.account, "source": said.source, "method": said.method,
             "key": said.key, "as": said.target}  # fmt: skip
    return {name: value for name, value in named.items() if value}


def _group(source: str) -> str:
    """An address of IPv6 by its /64: one machine has as many as it likes."""
    return _masked(source, 32, 64)


def _network(source: str) -> str:
    return _masked(source, 24, 64)


def _masked(source: str, four: int, six: int) -> str:
    try:
        address = ipaddress.ip_address(source.partition("%")[0])
    except ValueError:  # sshd may be told to look up names
        return source
    return str(ipaddress.ip_network(f"{address}/{four if address.version == 4 else six}", strict=False))
