"""An attack that led somewhere: the log has an attempt, and within minutes something of the host has changed.

Only this raises an attempt to a suspected success by its side effects. A host is attacked at any time and an account is
added now and then, so only what an attack of that class could have done counts, and nothing that was refused.

Source: https://attack.mitre.org/tactics/TA0003/
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from collectors.model import Counter, Event, Sample, State
from collectors.security.config import Security
from collectors.security.telling import event, plain

WITHIN = 600.0
"""Seconds from the last request of the attack to what it may have done."""
BEFORE = 120.0
"""What it did may be seen first: the log is told of later, and clocks of files differ."""
RUNS_CODE = frozenset(
    f"security.{name}"
    for name in (
        "bruteforce_then_success", "command", "drupal_exploit", "inclusion", "php_object", "sqli", "template",
        "traversal", "webshell",
    )
)  # fmt: skip
"""Kinds of attacks after which somebody may run code, or is let in."""
WRITES_DATABASE = frozenset(
    f"security.{name}" for name in ("bruteforce_then_success", "drupal_exploit", "php_object", "sqli")
)
SIGNS: Mapping[str, frozenset[str]] = {
    "drupal.admin_added": WRITES_DATABASE,
    "drupal.first_account_changed": WRITES_DATABASE,
    "security.account": RUNS_CODE,
    "security.listener": RUNS_CODE,
    "security.outbound": RUNS_CODE,
    "security.privilege": RUNS_CODE,
    "security.upload": RUNS_CODE,
    "security.web_child_process": RUNS_CODE,
}
"""What changed -> the attacks that could have done it."""
REFUSED = " blocked"
"""What the dedup key of an attack ends with that was refused."""
MOST_ATTACKS, MOST_SIGNS, MOST_TOLD = 200, 50, 200

INTRUSIONS = Counter(
    "security_intrusions_total",
    "Attacks within minutes of which a file, an account, a process or a listener came.",
    ("site",),
)
FAMILIES = (INTRUSIONS,)

Fact = dict[str, Any]


def read(_config: Security, cursor: Any) -> tuple[None, Any]:
    """Nothing: it is given the host's events."""
    return None, cursor


def step(state: State, payload: Any) -> tuple[State, Sequence[Event]]:
    attacks: dict[str, Fact] = dict(state.get("attacks", {}))
    signs: list[Fact] = list(state.get("signs", []))
    told: dict[str, float] = dict(state.get("told", {}))
    for each in payload["events"]:
        if each["kind"] in RUNS_CODE and not each["dedup_key"].endswith(REFUSED):
            key = f"{each['site']} {each['kind']}"
            attacks[key] = _with(attacks.pop(key, None), _fact(each))
        elif each["kind"] in SIGNS and _counts(each):
            signs.append(_fact(each))
    attacks = dict(list(attacks.items())[-MOST_ATTACKS:])
    signs = signs[-MOST_SIGNS:]
    events = list(_found(attacks, signs, told))
    told = dict(list(told.items())[-MOST_TOLD:])
    counts = dict(state.get("counts", {}))
    for each in events:
        counts[each.site] = counts.get(each.site, 0) + 1
    return {"attacks": attacks, "signs": signs, "told": told, "counts": counts}, events


def samples(state: State) -> Iterable[Sample]:
    """Of each site that is attacked, before there is one."""
    attacked = {attack["site"]: 0 for attack in state.get("attacks", {}).values()}
    for site, count in {"": 0, **attacked, **state.get("counts", {})}.items():
        yield INTRUSIONS(count, site)


def _counts(each: Mapping[str, Any]) -> bool:
    """Of accounts also those that nobody would be told of: a new one, a job of cron."""
    added = any(record.get("what") == "added" for record in each["evidence"])
    return each["severity"] != "info" or (each["kind"] == "security.account" and added)


def _fact(each: Mapping[str, Any]) -> Fact:
    fact = {name: each[name] for name in ("id", "kind", "site", "first", "last", "title")}
    return fact | {"evidence": [dict(record) for record in each["evidence"][-1:]]}


def _with(known: Fact | None, attack: Fact) -> Fact:
    """From the first of those that follow each other, whoever they are from."""
    follows = known is not None and attack["first"] <= known["last"] + WITHIN
    return attack | {"first": min(known["first"], attack["first"])} if known and follows else attack


def _found(attacks: Mapping[str, Fact], signs: Sequence[Fact], told: dict[str, float]) -> Iterator[Event]:
    """The newest attack that could have done it; one a site and kind of sign within that time. `told` is changed."""
    for sign in signs:
        able = [attack for attack in attacks.values() if _may_have_done(attack, sign)]
        if not able:
            continue
        attack = max(able, key=lambda one: (one["last"], one["id"]))
        place = sign["site"] or attack["site"]
        key = f"{place} {sign['kind']}"
        if sign["last"] - told.get(key, float("-inf")) > WITHIN:
            told.pop(key, None)
            told[key] = sign["last"]
            yield _event(attack, sign, place)


def _may_have_done(attack: Fact, sign: Fact) -> bool:
    same_place = not sign["site"] or not attack["site"] or sign["site"] == attack["site"]
    in_time = attack["first"] - BEFORE <= sign["last"] and sign["first"] <= attack["last"] + WITHIN
    return attack["kind"] in SIGNS[sign["kind"]] and same_place and in_time


def _event(attack: Fact, sign: Fact, site: str) -> Event:
    what = attack["kind"].removeprefix("security.").replace("_", " ")
    words = f"An attack ({what}) on {site or 'this host'} may have succeeded: {sign['title']}"
    at = max(attack["last"], sign["last"])
    told = event(
        "intrusion", "critical", at, words, {}, origin=(attack["kind"], attack["site"], sign["id"]), key=sign["kind"],
        site=site, first=min(attack["first"], sign["first"]),
    )  # fmt: skip
    return replace(told, evidence=tuple(_records(attack, sign)))


def _records(attack: Fact, sign: Fact) -> Iterator[dict[str, str]]:
    for fact in (attack, sign):
        yield {"event": plain(fact["id"]), "what": plain(fact["title"])}
        yield from ({name: plain(str(value)) for name, value in record.items()} for record in fact["evidence"])
