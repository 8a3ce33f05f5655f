"""What somebody or something changed on the host, found and not declared: packages, services that began anew, backups.

A look every ten seconds misses a backup that is shorter; a service that only reads its settings anew stays the same.
Sources: https://manpages.debian.org/bookworm/dpkg/dpkg.1.en.html (dpkg.log); https://man7.org/linux/man-pages/man5/proc.5.html
"""

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path, PurePath
from typing import Any

from collectors.host.config import Host
from collectors.host.stats import last_pass
from collectors.model import Event, Follower, Sample, State
from collectors.sources.processes import owner
from collectors.sources.tail import read_new

LOG = "var/log/dpkg.log"
PACKAGES_SECONDS, PROCESSES_SECONDS = 60.0, 5.0
STALE_SECONDS = 15.0
"""Of a pass over the processes: the part that counts them makes one each ten seconds."""
LATE = 3600.0
"""What is older was before anybody watched."""
LINE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?P<op>upgrade|install|remove) (?P<name>[^\s:]+)\S* "
    r"(?P<old>\S+) (?P<new>\S+)"
)
DONE = {"upgrade": "upgraded", "install": "installed", "remove": "removed"}
MOST_RECORDS, MOST_NAMED = 20, 3
SERVICES = re.compile(
    r"nginx|apache2|httpd|php-fpm.*|php\d*-fpm|mysqld|mariadbd|postgres|redis-server|valkey-server|memcached|varnishd"
)
BACKUPS = re.compile(
    r"mysqldump|mariadb-dump|mydumper|xtrabackup|mariabackup|mariadb-backup|pg_dump|pg_dumpall|pg_basebackup|"
    r"borg|restic|duplicity|rsnapshot"
)


def read_packages(config: Host, cursor: Any) -> tuple[Any, Any]:
    piece, place = read_new(str(PurePath(config.rootfs) / LOG), cursor["place"] if cursor else None)
    return {**piece, "at": time.time()} if piece else None, {"place": place}


def step_packages(state: State, payload: Any) -> tuple[State, Sequence[Event]]:
    """One event for what was done with packages between two looks."""
    found = [match for line in payload["text"].splitlines() if (match := LINE.match(line))]
    times = [time.mktime(time.strptime(each["time"], "%Y-%m-%d %H:%M:%S")) for each in found]  # it has the host's zone
    rows = [(at, each) for at, each in zip(times, found, strict=True) if at > payload["at"] - LATE]
    if not rows:
        return state, []
    words = [f"{each['name']} {DONE[each['op']]}" for _, each in rows]
    rest = f" and {len(words) - MOST_NAMED} more" if len(words) > MOST_NAMED else ""
    records = tuple(_record(each) for _, each in rows[:MOST_RECORDS])
    return state, [
        _event(
            "package.change", f"{payload['node']}:{payload['offset']}", (rows[0][0], rows[-1][0]),
            f"Packages: {', '.join(words[:MOST_NAMED])}{rest}", records, count=len(rows),
        )
    ]  # fmt: skip


def _record(found: re.Match[str]) -> Mapping[str, str]:
    about = {"package": found["name"], "done": DONE[found["op"]], "from": found["old"], "to": found["new"]}
    return {name: text for name, text in about.items() if text != "<none>"}


def read_processes(config: Host, _cursor: Any) -> tuple[Any, Any]:
    """Names only, and of backups their account: a command line may hold passwords."""
    at, passed = last_pass(config.procfs, STALE_SECONDS)
    users: dict[int, str] = {}
    rows = []
    for each in passed:
        if (kind := _kind(each.name)) and each.state not in "ZX":
            user = owner(each.pid, users, Path(config.procfs)) if kind == "backup" else ""
            rows.append([each.pid, each.name, each.parent, user or ""])
    return {"at": at, "processes": rows}, None


@lru_cache(maxsize=1000)
def _kind(name: str) -> str:
    """Empty: nothing to tell of."""
    return "service" if SERVICES.fullmatch(name) else "backup" if BACKUPS.fullmatch(name) else ""


def step_processes(state: State, payload: Any) -> tuple[State, Sequence[Event]]:
    """The first look says what runs, and tells of nothing."""
    names = {pid: name for pid, name, _, _ in payload["processes"]}
    firsts = [(pid, name, user) for pid, name, parent, user in payload["processes"] if names.get(parent) != name]
    now: dict[str, list[int]] = {}
    for pid, name, _ in sorted(firsts):
        now.setdefault(name, []).append(pid)
    after: State = {"running": now}
    if "running" not in state:
        return after, []
    users = {name: user for _, name, user in firsts}
    return after, list(_moved(state["running"], now, users, payload["at"]))


def _moved(
    before: Mapping[str, list[int]], now: Mapping[str, list[int]], users: Mapping[str, str], at: float
) -> Iterator[Event]:
    for name in sorted({*before, *now}):
        came = sorted({*now.get(name, ())} - {*before.get(name, ())})
        went = sorted({*before.get(name, ())} - {*now.get(name, ())})
        if not came and not went:
            continue
        what = "restart" if came and went else "start" if came else "stop"
        origin = f"{name}:{came or went}:{at:.0f}"
        if BACKUPS.fullmatch(name):
            if came:
                yield _event("backup", origin, (at, at), f"{name} began", ({"program": name, "user": users[name]},))
        else:
            words = {"restart": "was restarted", "start": "was started", "stop": "has ended"}[what]
            pids = {"service": name, "pids": ", ".join(map(str, came)), "pids before": ", ".join(map(str, went))}
            evidence = {key: text for key, text in pids.items() if text}
            yield _event(f"service.{what}", origin, (at, at), f"{name} {words}", (evidence,), key=name)


def _event(
    kind: str, origin: str, times: tuple[float, float], title: str, evidence: tuple[Mapping[str, str], ...], *,
    count: int = 1, key: str = "",
) -> Event:  # fmt: skip
    said = blake2b(origin.encode(errors="replace"), digest_size=8).hexdigest()
    return Event(
        f"{kind}:{said}", kind, "info", "", "", *times, count, title[:250], evidence,
        dedup_key=f"{kind}:{key}"[:255], source="host",
    )  # fmt: skip


def samples(_state: State) -> Iterable[Sample]:
    return ()


FOLLOWERS = (
    Follower(
        "packages", (), read_packages, step_packages, samples, lambda _found: False, beside=True,
        every=PACKAGES_SECONDS,
    ),
    Follower(
        "services", (), read_processes, step_processes, samples, lambda _found: False, beside=True,
        every=PROCESSES_SECONDS,
    ),
)  # fmt: skip
