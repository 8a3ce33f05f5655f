"""Invalidations of cache tags, which make pages be built anew, and storms of them.

Source: https://www.drupal.org/docs/drupal-apis/cache-api/cache-tags
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

from collectors.drupal.change import digest, plain
from collectors.drupal.looking import seldom
from collectors.drupal.site import Site
from collectors.errors import Absent
from collectors.model import Counter, Event, Gauge, Sample, State

INVALIDATIONS = Counter(
    "drupal_cachetag_invalidations_total",
    "Invalidations of cache tags, by what the tags begin with: node for node:7 and all other nodes.",
    ("group",),
    bounds={"group": 40},
)
TAGS = Gauge("drupal_cachetags", "Cache tags that were ever invalidated.")
FAMILIES = (INVALIDATIONS, TAGS)

LOOK_SECONDS = 300.0
"""The table is read whole."""
GROUPS = {
    "mysql": "SUBSTRING_INDEX(tag, ':', 1)",
    "pgsql": "split_part(tag, ':', 1)",
    "sqlite": "substr(tag, 1, instr(tag || ':', ':') - 1)",
}
TIMES, LEAST = 10.0, 2.0
"""A storm is so many times what is usual, and so many invalidations a second."""
LEARNED, REMEMBERED = 12, 288
"""Looks until it is known what is usual, and over how many it is: an hour, a day."""
TOO_LONG = 3600.0
"""Between two looks: what was meanwhile is no rate."""
NAMED = 5


class Cursor(TypedDict):
    looked: float  # Unix seconds


def look(site: Site, name: str, _cursor: Cursor | None, now: float) -> tuple[dict[str, Any], Cursor]:
    """Absent in Drupal 7, which has no tags."""
    if site.seven:
        raise Absent("Drupal 7 has no cache tags")
    site.only_in_database("cache")
    group = GROUPS[site.tables.account.driver]
    rows = site.tables.rows(
        f"SELECT {group}, COUNT(*), SUM(invalidations) FROM {{cachetags}} GROUP BY 1 ORDER BY 3 DESC LIMIT 1000"
    )
    return {"now": now, "site": name, "groups": rows}, Cursor(looked=now)


read = seldom("cachetags", look, LOOK_SECONDS)


def step(state: State, payload: dict[str, Any]) -> tuple[State, Sequence[Event]]:
    """State: `groups` as they were read; `usual` invalidations a second; `looks` that say so; whether a `storm` is."""
    now, groups = payload["now"], {group: (tags, float(count)) for group, tags, count in payload["groups"]}
    after: State = {**state, "at": now, "groups": groups}
    if "at" not in state or not 0 < now - state["at"] < TOO_LONG:
        return after, ()
    new = {group: count - state["groups"].get(group, (0, 0.0))[1] for group, (_, count) in groups.items()}
    if min(new.values(), default=0.0) < 0 or state["groups"].keys() - groups.keys():
        return after, ()  # a rebuild emptied the table
    rate, looks, usual = sum(new.values()) / (now - state["at"]), state.get("looks", 0), state.get("usual", 0.0)
    limit = max(TIMES * usual, LEAST)
    # One that goes down a little and up again is the same.
    after["storm"] = looks >= LEARNED and rate > (limit / 2 if state.get("storm") else limit)
    after["looks"] = min(looks + 1, REMEMBERED)
    after["usual"] = usual + (min(rate, limit) - usual) / after["looks"]  # a storm says little of what is usual
    begins = after["storm"] and not state.get("storm")
    return after, [_event(payload, new, usual, now - state["at"])] if begins else ()


def _event(payload: dict[str, Any], new: dict[str, float], usual: float, seconds: float) -> Event:
    site, now, count = payload["site"], payload["now"], sum(new.values())
    most = sorted(((group, n) for group, n in new.items() if n), key=lambda each: (-each[1], each[0]))[:NAMED]
    compared = f", where {usual * seconds:,.0f} are usual" if usual * seconds >= 1 else ", where none are usual"
    title = f"Cache tags were invalidated {count:,.0f} times in {seconds / 60:.0f} min{compared}"
    return Event(
        f"drupal.tag_storm:{digest([site, now])}", "drupal.tag_storm", "info", "", site, now - seconds, now, 1,
        f"{title}: most of them {plain(most[0][0])}"[:250],
        tuple({"group": plain(group), "invalidations": f"{n:.0f}"} for group, n in most),
        dedup_key=f"drupal.tag_storm:{site}"[:255], source="drupal",
    )  # fmt: skip


def samples(state: State) -> Iterable[Sample]:
    groups = state.get("groups", {})
    yield TAGS(sum(tags for tags, _ in groups.values()))
    for group, (_, invalidations) in groups.items():
        yield INVALIDATIONS(invalidations, group)
