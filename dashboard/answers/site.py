"""Whether a cache stopped working, and whether cron or a queue stands still."""

from collections.abc import Iterator
from dataclasses import replace

from dashboard import cache_table, costs, sites, units
from dashboard.answers.scope import Answer, Scope
from dashboard.costs import quoted

CACHE_SECONDS = 3600.0
SIGNS = ("Cron", "Queues", "Maintenance")
KINDS = {"redis": "Redis", "memcached": "Memcached", "varnish": "Varnish"}
SERVER = "by (job, instance)"
TROUBLED = (
    ("{} does not answer", "redis_up == 0 or memcached_up == 0 or varnish_up == 0"),
    ("{} refuses to write", f'sum {SERVER} (increase(redis_errors_total{{err=~"OOM|MISCONF"}}[5m])) > 0'),
    (
        "{} is full and throws out keys",
        "increase(redis_evicted_keys_total[5m]) > 10 or increase(memcached_items_evicted_total[5m]) > 10",
    ),
)
GROWS = "sum by (queue) (delta(drupal_queue_items{{instance={}}}[1h]))"
GROWN, SHARE = 100, 0.3
"""A queue grows if so many came in an hour, and so large a part of all that wait."""


def caches(scope: Scope) -> Answer:
    question = "Did a cache stop working?"
    bad = list(_troubled(scope))
    if not scope.site:
        path = ("/drupal", "Sites")
        if bad:
            return Answer("caches", question, "warn", f"Yes: {'; '.join(bad)}.", (), *path)
        return Answer("caches", question, "none", "Not known: the incident is about no one site.", (), *path)
    shown = costs.Span(scope.now, max(CACHE_SECONDS, scope.now - scope.before))
    table = cache_table.cache_table(scope.source, scope.site, shown)
    path = (f"/site/{scope.site}#caches", "Caches")
    lines = tuple(f"{line.name}: {line.cells[0]} answered, usually {line.cells[1]}" for line in table.lines)
    if table.lines and cache_table.read(scope.source, scope.site, shown).first is not None:
        bad.append(table.lead)
    if bad:
        return Answer("caches", question, "warn", f"Yes: {'; '.join(bad)}.", lines, *path)
    if not table.lines:
        return Answer("caches", question, "none", f"Not known. {table.missing}", (), *path)
    return Answer("caches", question, "ok", "No: each cache answers as often as usual.", lines, *path)


def _troubled(scope: Scope) -> Iterator[str]:
    """What a hit ratio does not tell, or only later; of each server the worst."""
    told = set[tuple[str, str]]()
    for words, expr in TROUBLED:
        for point in scope.points(expr):
            server = point.labels.get("job", ""), point.labels.get("instance", "")
            if server not in told and scope.uses(*server):
                told.add(server)
                yield words.format(KINDS.get(server[0], server[0]))


def stalled(scope: Scope) -> Answer:
    question = "Did cron or a queue stall?"
    found = [
        one for one in sites.readings(scope.source, scope.now) if scope.site in ("", one.name) and one.name != "other"
    ]
    signs = [
        replace(sign, name=f"{one.name}: {sign.name.lower()}")
        for one in found
        for sign in sites.signs(one)
        if sign.name in SIGNS
    ]
    path = (f"/site/{scope.site}", "Site") if scope.site else ("/drupal", "Sites")
    known = [sign for sign in signs if sign.state != "none"]
    if not known:
        return Answer("stalled", question, "none", "Not known: no site's own tables are read.", (), *path)
    bad = [f"{sign.name} {sign.text}" for sign in known if sign.state in ("crit", "warn")]
    bad += [words for one in found for words in _growing(scope, one.name)]
    lines = tuple(f"{sign.name} {sign.text}" for sign in known)
    if bad:
        return Answer("stalled", question, "warn", f"Yes: {'; '.join(bad[:2])}.", lines, *path)
    text = f"No: {'; '.join(lines)}." if len(found) == 1 else "No: cron runs and queues drain."
    return Answer("stalled", question, "ok", text, lines, *path)


def _growing(scope: Scope, site: str) -> Iterator[str]:
    waiting = {
        point.labels.get("queue", ""): point.value
        for point in scope.points(f"sum by (queue) (drupal_queue_items{{instance={quoted(site)}}})")
    }
    for point in scope.points(GROWS.format(quoted(site))):
        queue, grown = point.labels.get("queue", ""), point.value
        if grown >= max(GROWN, SHARE * waiting.get(queue, 0.0)):
            all_of_them = units.text(waiting.get(queue, grown), "count")
            yield f"{site}: queue {queue} grows, by {units.text(round(grown), 'count')} in an hour to {all_of_them}"
