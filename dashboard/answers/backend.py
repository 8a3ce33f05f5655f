"""What PHP's workers wait for, and whether the database is the cause or a victim."""

from collections.abc import Iterator

from dashboard import units
from dashboard.answers.scope import Answer, Scope

NEARLY, MANY = 0.9, 0.5
"""Shares of a pool's workers from which on it is full, and from which on they wait for the same."""
SLOW = "php_slow_requests_total"
# The first slow requests in a place are the first samples of their series, and `increase` sees nothing of them: such a
# series has fewer samples than its pool. At the first read of all it tells of an old log, and has as many.
FIRST = (
    f"{SLOW} unless max_over_time({SLOW}[6h] offset 15m) and count_over_time({SLOW}[15m])"
    " < on (job, instance, host) group_left () count_over_time(phpfpm_up[15m]) - 4"
)
FRAMES = f"topk(3, sum by (frame) (increase({SLOW}[15m]) > 0.5 or {FIRST}))"
PEERS = "topk(3, sum by (peer) (php_fpm_outbound_connections) > 0)"
RUNNING = "max(mysql_global_status_threads_running)"
DATABASE = (
    ("running statements", RUNNING, "count"),
    ("open connections", "max(mysql_global_status_threads_connected)", "count"),
    ("slow queries", "sum(rate(mysql_global_status_slow_queries[5m]))", "per_second"),
    ("sessions that wait for a lock", "max(sql_lock_waits)", "count"),
    ("longest wait for a lock", "max(sql_lock_wait_longest_seconds)", "seconds"),
    ("oldest running statement", "max(sql_statement_longest_seconds)", "seconds"),
    ("backends of PostgreSQL", "sum(pg_stat_database_numbackends)", "count"),
)  # fmt: skip
LOCKED = 'topk(1, sum by (state) (mysql_info_schema_processlist_threads{command="query",state=~".*lock.*"}) > 0)'
TOP = "topk(1, sum by (query) (rate(sql_digest_seconds_total[5m])) > 0)"
TIMES = 3.0


def workers(scope: Scope) -> Answer:
    limits = _by_pool(scope, "php_fpm_pool_max_children")
    busy = _by_pool(scope, "php_fpm_pool_workers_busy")
    queue = _by_pool(scope, "php_fpm_pool_accept_queue")
    down = list(_by_pool(scope, "phpfpm_up == 0"))
    full = [pool for pool, count in busy.items() if limits.get(pool) and count >= NEARLY * limits[pool]]
    lines = [f"pool {pool}: no answer" for pool in down]
    lines += [
        _pool(pool, busy[pool], limits.get(pool), queue.get(pool, 0.0))
        for pool in sorted(busy, key=lambda p: p not in full)
    ]
    question = "Are PHP workers exhausted, and on what do they wait?"
    more = (f"/slowest?{scope.window}#php", "Slow log")
    if not busy and not down:
        return Answer("workers", question, "none", "Not known: no PHP-FPM pool is read.", (), *more)
    said = [f"No worker is there: PHP-FPM pool {' and '.join(down)} does not answer."] if down else []
    if full:
        said.append(f"Yes: pool {' and '.join(full)} is full. {_on_what(scope, sum(busy[pool] for pool in full))}")
    text = " ".join(said) or "No: every pool has free workers."
    return Answer(
        "workers", question, "crit" if said else "ok", text, (*lines, *_waits(scope), _elsewhere(scope)), *more
    )


def _by_pool(scope: Scope, expr: str) -> dict[str, float]:
    return {point.labels.get("pool", ""): point.value for point in scope.points(f"max by (pool) ({expr})")}


def _pool(pool: str, busy: float, limit: float | None, queue: float) -> str:
    of = f" of {limit:.0f}" if limit else ""
    return f"pool {pool}: {busy:.0f}{of} busy" + (f", {queue:.0f} requests wait" if queue else "")


def _on_what(scope: Scope, busy: float) -> str:
    """What most of them are connected to or ask, then where in PHP they stand."""
    said = []
    peers = scope.points(PEERS)
    if peers and peers[0].value >= MANY * busy:
        said.append(
            f"They wait for a server elsewhere: {peers[0].labels.get('peer', '')} ({peers[0].value:.0f} workers)."
        )
    statements = (scope.number(RUNNING) or 0.0) - 1  # our own
    if statements >= MANY * busy:
        said.append(f"They wait for the database: {statements:.0f} statements run{_locked(scope)}.")
    if found := next(_waits(scope), ""):
        said.append(f"They stand in {found}." if said else f"They wait in {found}.")
    if said:
        return " ".join(said)
    followed = any(part.part == "slowlog" and part.outcome == "ok" for each in scope.targets for part in each.parts)
    why = "the slow log tells of no request" if followed else "no slow log of the pool is read"
    return f"On what is not known: {why}."


def _locked(scope: Scope) -> str:
    found = scope.points(LOCKED)
    return f", {found[0].value:.0f} of them {found[0].labels.get('state', '').replace('_', ' ')}" if found else ""


def _waits(scope: Scope) -> Iterator[str]:
    for point in sorted(scope.points(FRAMES), key=lambda each: -each.value):
        yield f"{point.labels.get('frame', '')} ({units.text(round(point.value), 'count')} slow requests in 15 min)"


def _elsewhere(scope: Scope) -> str:
    peers = scope.points(PEERS)
    if peers:
        said = ", ".join(f"{p.labels.get('peer', '')} ({units.text(p.value, 'count')})" for p in peers)
        return f"connected elsewhere: {said}"
    known = scope.number("count(php_fpm_outbound_workers)")
    return "connected to no server elsewhere" if known else "whether they wait for a server elsewhere is not known"


def database(scope: Scope) -> Answer:
    found = [(name, said) for name, expr, unit in DATABASE if (said := scope.compared(expr, unit))]  # type: ignore[arg-type]
    lines = [f"{name}: {said}" for name, said in found]
    top = scope.points(TOP)
    if top:
        lines.append(f"most time now: {top[0].labels.get('query', '')[:90]}")
    state, text = _role(scope, known=bool(found))
    if locked := _locked(scope):
        lines.insert(1, f"statements{locked.replace(' of them', '')}")
    return Answer("database", "Is the database the cause or the victim?", state, text, tuple(lines),
                  f"/slowest?{scope.window}#sql", "Slow queries")  # fmt: skip


def _role(scope: Scope, *, known: bool) -> tuple[str, str]:
    causes = scope.causes
    mine = next((cause for cause in causes if cause.layer == "database"), None)
    earlier = next((cause for cause in causes if cause.layer != "change"), mine)
    if mine and earlier is mine:
        return "crit", f"The cause, as far as is known: {mine.words}{_locked(scope)}."
    if mine and earlier:
        return "warn", f"Rather a victim: {mine.words}, but before it: {earlier.words}."
    if not known:
        return "none", "Not known: no database is read."
    running, usual = scope.number(RUNNING), scope.usual(RUNNING)
    if running is not None and usual is not None and running > TIMES * max(1.0, usual):
        return "warn", "Rather a victim: more statements run than usual, and nothing of its own explains that."
    return "ok", "Neither: it works as usual."
