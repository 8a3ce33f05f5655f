"""Whether a cache stopped working, and whether cron or a queue stands still."""

from dataclasses import replace

from dashboard import cache_table, costs, sites
from dashboard.answers.scope import Answer, Scope

CACHE_SECONDS = 3600.0
SIGNS = ("Cron", "Queues", "Maintenance")


def caches(scope: Scope) -> Answer:
    question = "Did a cache stop working?"
    if not scope.site:
        return Answer(
            "caches", question, "none", "Not known: the incident is about no one site.", (), "/drupal", "Sites"
        )
    shown = costs.Span(scope.now, max(CACHE_SECONDS, scope.now - scope.before))
    table = cache_table.cache_table(scope.source, scope.site, shown)
    path = (f"/site/{scope.site}#caches", "Caches")
    if not table.lines:
        return Answer("caches", question, "none", f"Not known. {table.missing}", (), *path)
    lines = tuple(f"{line.name}: {line.cells[0]} answered, usually {line.cells[1]}" for line in table.lines)
    fell = cache_table.read(scope.source, scope.site, shown).first is not None
    text = f"Yes: {table.lead}." if fell else "No: each cache answers as often as usual."
    return Answer("caches", question, "warn" if fell else "ok", text, lines, *path)


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
    bad = [sign for sign in known if sign.state in ("crit", "warn")]
    text = (
        "Yes: " + "; ".join(f"{sign.name} {sign.text}" for sign in bad[:2]) + "."
        if bad
        else "No: cron runs and queues drain."
    )
    return Answer(
        "stalled", question, "warn" if bad else "ok", text, tuple(f"{sign.name} {sign.text}" for sign in known), *path
    )
