"""One page asked at several heights: PHP itself, this host's web server, the public name. Which layer is broken?

Pure: what each height said -> a sentence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

HEIGHTS = ("fpm", "local", "public")
"""From the innermost."""
NAMES = {"fpm": "PHP-FPM itself", "local": "This host's web server", "public": "Public name"}
IN_FRONT = {
    "resolve": "its name is not found: look at DNS",
    "certificate": "its certificate is not accepted: renew it, or look at what ends TLS in front",
    "tls": "TLS fails there: look at what ends TLS in front",
    "connect": "nothing accepts the connection there: look at the firewall, the load balancer and the address in DNS",
}
"""Why a public name fails while the host itself answers, by the reason of the check."""

POOL_DOWN = "PHP-FPM does not answer, so nothing above it can: look at the pool's workers and at what they wait for."
POOL_HIDDEN = "PHP-FPM does not answer its ping: its pool is full or stuck, and what still comes may be from a cache."
ELSEWHERE = "Visitors get the page, but not from this host's web server: a cache or another host answers for it."
SERVER = (
    "PHP-FPM answers its ping, but the web server does not give the page: look at Drupal, its database and the web"
    " server's error log."
)
SERVER_ALONE = (
    "This host's web server does not give the page; whether PHP does is not known: `ping.path` of the pool would tell."
)
PUBLIC_ALONE = (
    "The public name does not give the page, and nothing asks this host itself: a check with `height: local` would tell"
    " on which side it is."
)


@dataclass(frozen=True)
class Height:
    height: str
    name: str
    state: str
    """ok, crit, or none without a result."""
    words: str
    reason: str = ""
    """Why it failed, as `web_check_failed` has it."""


@dataclass(frozen=True)
class Address:
    """A page that is checked at one height or more."""

    name: str
    state: str
    sentence: str
    heights: tuple[Height, ...]
    """All three, from the innermost; state "absent" where nothing asks there."""


def page(name: str, found: Sequence[Height]) -> Address:
    """The worst of several checks at one height counts."""
    by_height: dict[str, Height] = {}
    for each in found:
        before = by_height.get(each.height)
        if before is None or each.state == "crit" or before.state == "none":
            by_height[each.height] = each
    states = {height: each.state for height, each in by_height.items()}
    shown = tuple(by_height.get(each, Height(each, NAMES[each], "absent", "not checked")) for each in HEIGHTS)
    state = "crit" if "crit" in states.values() else "none" if "none" in states.values() else "ok"
    return Address(name, state, _sentence(states, by_height), shown)


def _sentence(states: Mapping[str, str], by_height: Mapping[str, Height]) -> str:
    bad = [height for height in HEIGHTS if states.get(height) == "crit"]
    good = [height for height in HEIGHTS if states.get(height) == "ok"]
    if not bad:
        return _calm(good, states)
    if bad == ["public"] and "local" in good:
        why = IN_FRONT.get(
            by_height["public"].reason, "look at what stands before it: CDN, load balancer, firewall, DNS"
        )
        return f"This host serves the page, but its public name does not: {why}."
    if "fpm" in bad:
        return POOL_HIDDEN if good else POOL_DOWN
    if "local" in bad:
        return ELSEWHERE if "public" in good else SERVER if "fpm" in good else SERVER_ALONE
    return PUBLIC_ALONE


def _calm(good: Sequence[str], states: Mapping[str, str]) -> str:
    if not good:
        return "No result yet."
    waiting = "" if len(good) == len(states) else " The others have no result yet."
    if len(good) == 1:
        return f"{NAMES[good[0]]} answers.{waiting}"
    return f"It answers on all {len(good)} ways." if not waiting else f"It answers on {len(good)} ways.{waiting}"
