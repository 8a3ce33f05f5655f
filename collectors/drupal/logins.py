"""Logins as Drupal itself tells them: rows of its log, and what its flood control still counts.

An attempt is `info`; a login that succeeds after many that failed is `critical`. Each form of an attack is told once a
key (source, account), and again when it is ten times as many. What stood in the name's field is shown only where core
says that the account exists: people type passwords there.

Source: https://api.drupal.org/api/drupal/core%21modules%21user%21src%21Form%21UserLoginForm.php/11
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from collectors.drupal import messages
from collectors.drupal.change import digest, plain
from collectors.drupal.looking import seldom
from collectors.drupal.site import Site
from collectors.drupal.tables import MissingTable
from collectors.model import Counter, Event, Sample, Severity, State

MOST_ROWS = 2000
MOST_KEYS = 2000
WINDOW = 3600.0
"""Failures belong together while none is further from the next."""
SOURCE_FAILURES = 8
UNKNOWN_NAMES = 10
"""Names without an account that one source tried: a list of names is gone through."""
ACCOUNT_SOURCES, ACCOUNT_FAILURES = 5, 6
"""Sources that try one account; core's limit is by account and address, so that each of them passes."""
SUSPICIOUS = 5
MOST_SOURCES = 100
RESULTS = ("succeeded", "failed", "blocked")
TEMPLATES = (
    (re.compile(r"Session opened for %name\."), "succeeded"),
    (re.compile(r"Login attempt failed (for %user|from %ip)\.?( from %ip\.?)?"), "failed"),
    (re.compile(r"Flood control blocked login attempt .*"), "blocked"),
)
FLOOD = ("user.failed_login_ip", "user.failed_login_user", "user.http_login", "failed_login_attempt_ip",
         "failed_login_attempt_user")  # fmt: skip

LOGINS = Counter("drupal_logins_total", "Logins in the site's own log; `blocked` by flood control.", ("result",))
FAMILIES = (LOGINS,)


class Cursor(TypedDict):
    wid: int
    looked: float


def look(site: Site, name: str, cursor: Cursor | None, now: float) -> tuple[dict[str, Any] | None, Cursor]:
    flood = _flood(site, now) if site.backend("flood") == "database" else []
    try:
        ((newest,),) = site.tables.rows_of_existing("SELECT MAX(wid) FROM {watchdog}")
    except MissingTable:  # it logs elsewhere
        newest = None
    newest = int(newest or 0)
    start = newest if cursor is None else cursor["wid"] if cursor["wid"] <= newest else 0
    end = min(newest, start + MOST_ROWS)
    rows = site.tables.rows(
        "SELECT message, variables, hostname, timestamp FROM {watchdog} WHERE wid > %s AND wid <= %s AND type = 'user'"
        f" ORDER BY wid LIMIT {MOST_ROWS}", (start, end), blobs=(1,),
    )  # fmt: skip
    found = {"site": name, "now": now, "seven": site.seven, "rows": rows, "flood": flood}
    return found, Cursor(wid=end, looked=now if end == newest else 0.0)


def _flood(site: Site, now: float) -> list[list[Any]]:
    marks = ", ".join(["%s"] * len(FLOOD))
    return site.tables.rows(
        f"SELECT event, identifier, COUNT(*) FROM {{flood}} WHERE expiration > %s AND event IN ({marks})"
        " GROUP BY event, identifier HAVING COUNT(*) >= 3 ORDER BY 3 DESC LIMIT 500", (int(now), *FLOOD),
    )  # fmt: skip


read = seldom("logins", look)


def step(state: State, payload: Any) -> tuple[State, Sequence[Event]]:
    seen = _Logins(state, payload)
    for template, variables, source, at in payload["rows"]:
        result = next((said for pattern, said in TEMPLATES if pattern.fullmatch(str(template))), "")
        if result:
            values = messages.variables(str(variables or "N;").encode("latin-1", errors="replace"))
            seen.row(result, values, str(source or values.get("%ip", "")), float(at))
    events = seen.ended(payload["flood"])
    return seen.state(), events


def samples(state: State) -> Iterable[Sample]:
    for result in RESULTS:
        yield LOGINS(state.get("counts", {}).get(result, 0), result)


class _Logins:
    """A copy of the state, changed by one row after the other."""

    def __init__(self, state: State, payload: Any) -> None:
        self._counts = dict(state.get("counts", {}))
        self._keys: dict[str, dict[str, Any]] = {key: dict(value) for key, value in state.get("keys", {}).items()}
        self._site, self._now, self._seven = payload["site"], payload["now"], payload["seven"]
        self._events: list[Event] = []

    def state(self) -> State:
        live = [(key, row) for key, row in self._keys.items() if self._now - row["last"] <= 24 * WINDOW]
        kept = sorted(live, key=lambda each: each[1]["last"])[-MOST_KEYS:]
        return {"counts": self._counts, "keys": dict(kept)}

    def row(self, result: str, values: Mapping[str, str], source: str, at: float) -> None:
        self._counts[result] = self._counts.get(result, 0) + 1
        account = plain(values.get("%user") or values.get("%name") or "")
        source = plain(source)
        if result == "succeeded":
            self._succeeded(source, account, at)
            return
        mine = self._add(f"source {source}", result, at)
        mine["unknown"] += result == "failed" and not account
        if account and not self._seven:
            mine["accounts"] = sorted({*mine["accounts"], account})[:MOST_SOURCES]
            its = self._add(f"account {account}", result, at)
            its["sources"] = sorted({*its["sources"], source})[:MOST_SOURCES]

    def ended(self, flood: Iterable[Sequence[Any]]) -> list[Event]:
        """Once a look: what a burst came to, and not its first rows."""
        self._flooded(flood)
        for key, row in sorted(self._keys.items()):
            kind, _, name = key.partition(" ")
            total = row["failed"] + row["blocked"]
            if kind == "source":
                form = "names" if row["unknown"] >= UNKNOWN_NAMES else "source"
                enough = max(total, row["flood"]) >= SOURCE_FAILURES
                self._tell(row, form, name, enough, {"source": name})
            elif kind == "account":
                enough = len(row["sources"]) >= ACCOUNT_SOURCES and total >= ACCOUNT_FAILURES
                self._tell(row, "distributed", name, enough, {"account": name})
        return self._events

    def _flooded(self, flood: Iterable[Sequence[Any]]) -> None:
        for kind, identifier, count in flood:
            if kind.endswith("_ip"):
                mine = self._keys.setdefault(f"source {plain(str(identifier))}", _empty(self._now))
                mine["flood"] = max(int(count), mine["flood"])

    def _add(self, key: str, result: str, at: float) -> dict[str, Any]:
        row = self._keys.get(key)
        if row is None or at - row["last"] > WINDOW:
            row = self._keys[key] = _empty(at)
        row[result] += 1
        row["first"], row["last"] = min(row["first"], at), max(row["last"], at)
        return row

    def _succeeded(self, source: str, account: str, at: float) -> None:
        row = self._keys.get(f"source {source}")
        if row is None or at - row["last"] > WINDOW or row["failed"] + row["blocked"] < SUSPICIOUS:
            return
        self._keys.pop(f"source {source}")
        evidence = {"source": source, "account": account, **_numbers(row)}
        title = f"A login to {self._site} succeeded after {row['failed'] + row['blocked']} that failed from there"
        self._events.append(
            self._event(("bruteforce_then_success", "critical"), (row["first"], at), title, evidence)
        )  # fmt: skip

    def _tell(self, row: dict[str, Any], form: str, name: str, enough: bool, about: Mapping[str, str]) -> None:
        total = max(row["failed"] + row["blocked"], row["flood"])
        if not enough or total < 10 * row["told"]:
            return
        row["told"] = total
        words = {"source": f"from {name}", "names": f"from {name}, through a list of names",
                 "distributed": f"on one account from {len(row['sources'])} addresses"}  # fmt: skip
        title = f"{total} logins failed on {self._site} {words[form]}"
        evidence = {**about, "form": form, **_numbers(row)}
        self._events.append(self._event(("bruteforce", "info"), (row["first"], row["last"]), title, evidence, total))

    def _event(
        self, how: tuple[str, Severity], times: tuple[float, float], title: str, evidence: Mapping[str, str],
        count: int = 1,
    ) -> Event:  # fmt: skip
        kind, severity = how
        said = digest([self._site, kind, times[0], evidence.get("source"), evidence.get("account"), count])
        key = evidence.get("source") or evidence.get("account", "")
        return Event(
            f"security.{kind}:{said}", f"security.{kind}", severity, "", self._site, *times, count, title, (evidence,),
            dedup_key=f"security.{kind}:{self._site}:{evidence.get('form', '')}:{key}"[:255],
            state="closed" if severity == "info" else "open", source="drupal",
        )  # fmt: skip


def _empty(at: float) -> dict[str, Any]:
    return {"first": at, "last": at, "failed": 0, "blocked": 0, "unknown": 0, "flood": 0, "told": 0,
            "accounts": [], "sources": []}  # fmt: skip


def _numbers(row: Mapping[str, Any]) -> dict[str, str]:
    """Of the log and of the flood table, each for itself: a failure stands in both."""
    found = {"failed": row["failed"], "blocked": row["blocked"], "unknown names": row["unknown"],
             "flood entries": row["flood"], "accounts": len(row["accounts"]),
             "sources": ", ".join(row["sources"][:20])}  # fmt: skip
    return {name: str(value) for name, value in found.items() if value}
