"""What PHP's workers wait for, and whether the database is the cause or a victim."""

from collections.abc import Iterator

from dashboard import units
from dashboard.answers.scope import Answer, Scope

NEARLY = 0.9
FRAMES = "topk(3, sum by (frame) (increase(php_slow_requests_total[15m])) > 0.5)"
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
TOP = "topk(1, sum by (query) (rate(sql_digest_seconds_total[5m])) > 0)"
TIMES = 3.0


def workers(scope: Scope) -> Answer:
    limits = {
        point.labels.get("pool", ""): point.value for point in scope.points("max by (pool) (php_fpm_pool_max_children)")
    }
    busy = {
        point.labels.get("pool", ""): point.value for point in scope.points("max by (pool) (php_fpm_pool_workers_busy)")
    }
    queue = {p.labels.get("pool", ""): p.value for p in scope.points("max by (pool) (php_fpm_pool_accept_queue)")}
    full = [pool for pool, count in busy.items() if limits.get(pool) and count >= NEARLY * limits[pool]]
    lines = [
        _pool(pool, busy[pool], limits.get(pool), queue.get(pool, 0.0))
        for pool in sorted(busy, key=lambda p: p not in full)
    ]
    waits = list(_waits(scope))
    question = "Are PHP workers exhausted, and on what do they wait?"
    more = (f"/slowest?{scope.window}#php", "Slow log")
    if not busy:
        return Answer("workers", question, "none", "Not known: no PHP-FPM pool is read.", (), *more)
    if full:
        names = " and ".join(full)
        text = f"Yes: pool {names} is full. " + (
            f"They wait in {waits[0]}." if waits else "On what is not known: the pool writes no slow log."
        )
    else:
        text = "No: every pool has free workers."
    return Answer("workers", question, "crit" if full else "ok", text, (*lines, *waits, _elsewhere(scope)), *more)


def _pool(pool: str, busy: float, limit: float | None, queue: float) -> str:
    of = f" of {limit:.0f}" if limit else ""
    return f"pool {pool}: {busy:.0f}{of} busy" + (f", {queue:.0f} requests wait" if queue else "")


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
    return Answer("database", "Is the database the cause or the victim?", state, text, tuple(lines),
                  f"/slowest?{scope.window}#sql", "Slow queries")  # fmt: skip


def _role(scope: Scope, *, known: bool) -> tuple[str, str]:
    causes = scope.incident.causes
    mine = next((cause for cause in causes if cause.layer == "database"), None)
    earlier = next((cause for cause in causes if cause.layer != "change"), mine)
    if mine and earlier is mine:
        return "crit", f"The cause, as far as is known: {mine.words}."
    if mine and earlier:
        return "warn", f"Rather a victim: {mine.words}, but before it: {earlier.words}."
    if not known:
        return "none", "Not known: no database is read."
    running, usual = scope.number(RUNNING), scope.usual(RUNNING)
    if running is not None and usual is not None and running > TIMES * max(1.0, usual):
        return "warn", "Rather a victim: more statements run than usual, and nothing of its own explains that."
    return "ok", "Neither: it works as usual."
