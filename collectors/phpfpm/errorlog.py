"""PHP-FPM's error log, counted: what its lines say of pools that are full, and of workers that die.

Pure, and in pieces, as collectors/phpfpm/slowlog.py. A pool's own PHP error log is read the same way; its lines have no
pool.

Source: https://www.php.net/manual/en/install.fpm.configuration.php#error-log
"""

import re
from collections.abc import Iterable
from typing import TypedDict

from collectors.model import Counter, Sample
from collectors.phpfpm.logtext import MOST_POOLS, Counts, count, from_rows, to_rows, whole_lines

LOG = Counter(
    "php_fpm_log_total",
    "Lines of PHP-FPM's log by what they say: `max_children`, `busy`, `slow`, `timeout` (ended by "
    "request_terminate_timeout), `crash` (a signal such as SIGSEGV), `killed` (SIGKILL, as the kernel does when memory "
    "is short), `exit` (a worker ended with an error), `memory` (memory_limit reached), `fatal` (another fatal error), "
    "`emergency_restart`, `listen` (an address that cannot be had).",
    ("pool", "kind"),
    bounds={"pool": MOST_POOLS + 1, "kind": 12},
)
FAMILIES = (LOG,)

LINE = re.compile(r"\[\d\d-\w{3}-\d{4} [^\]]+\] (?:[A-Z]+: )?(?:\[pool (?P<pool>[^\]]+)\] )?(?P<said>.*)")
WORKER = re.compile(r'child \d+ said into std(?:err|out): "(?:NOTICE: )?(?:PHP message: )?')
"""What follows are a worker's words; they must not pass for FPM's."""
# Whole lines: paths and requests in them are a visitor's.
OF_FPM = (
    ("max_children", re.compile(r"server reached (?:pm\.)?max_children setting .*")),
    ("busy", re.compile(r"seems busy \(.*")),
    ("slow", re.compile(r"child \d+, script .* executing too slow \([\d.]+ sec\), logging")),
    ("timeout", re.compile(r"child \d+, script .* execution timed out \([\d.]+ sec\), terminating")),
    ("crash", re.compile(r"child \d+ exited on signal \d+ \(SIG(?:SEGV|BUS|ABRT|ILL|FPE|SYS|TRAP)\b.*")),
    ("killed", re.compile(r"child \d+ exited on signal 9 \(SIGKILL\b.*")),
    ("exit", re.compile(r"child \d+ exited with code [1-9].*")),
    ("emergency_restart", re.compile(r"failed processes threshold .* is reached.*")),
    ("listen", re.compile(r"unable to bind listening socket .*|failed to listen .*")),
)
OF_MASTER = ("emergency_restart", "listen")
"""Said of no pool: they concern each."""
OF_PHP = (
    ("memory", re.compile(r"PHP Fatal error: +(?:Allowed memory size of \d+ bytes exhausted|Out of memory).*")),
    ("fatal", re.compile(r"PHP (?:Fatal|Parse) error: .*")),
)


class State(TypedDict):
    rest: str
    counts: list[list[str | int]]
    """Pool, kind, lines."""


def start() -> State:
    return State(rest="", counts=[])


def step(state: State, text: str, only: str = "") -> tuple[State, Counts]:
    """The state after that text, which goes on where the last one ended, and the counts by pool and kind so far.

    `only`: of several pools that share the log this one alone counts, and what its master says; "": all.
    """
    lines, rest = whole_lines(state["rest"], text)
    totals = from_rows(state["counts"])
    for line in lines:
        pool, kind = _pool_and_kind(line)
        if only and not pool and kind in OF_MASTER:
            pool = only
        if kind and (not only or pool == only):
            count(totals, pool, (kind,), MOST_POOLS * 12)
    return State(rest=rest, counts=to_rows(totals)), totals


def _pool_and_kind(line: str) -> tuple[str, str]:
    """Empty for what is not known, or not worth a count."""
    if not (found := LINE.fullmatch(line.rstrip("\r"))):
        return "", ""
    pool, said = found["pool"] or "", found["said"]
    worker = WORKER.match(said)
    if worker:
        said = said[worker.end() :]
    patterns = OF_PHP if worker else (*OF_FPM, *OF_PHP)
    return pool, next((kind for kind, pattern in patterns if pattern.fullmatch(said)), "")


def samples(totals: Counts) -> Iterable[Sample]:
    for key, number in sorted(totals.items()):
        yield LOG(number, *key)
