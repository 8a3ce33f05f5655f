"""Drupal's own doors over some time: guessed passwords, a login that came after, accounts that are counted through.

What it answers to the form of the login: 200 is a failure, 303 (Drupal 7: 302) a success, 403 its flood control; as
JSON 400 is a failure and 200 a success. Which account it was no access log tells. But from one address Drupal 8 and
later refuses an account after 5 failures in 6 hours, so that more of them without a 403 mean that there are several.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, ip_address, ip_network

from collectors.weblog.attacks.keys import Keys
from collectors.weblog.attacks.outcome import ATTEMPT, BLOCKED, SUCCESS
from collectors.weblog.attacks.telling import Found
from collectors.weblog.layout import Request
from collectors.weblog.windows import network_of

FAILURES = 7.0
"""More failures than this from one source are more than a forgotten password; one a minute is forgiven."""
FORGIVEN = 1 / 60  # a second
MOST_FAILURES = 60.0
SPREAD_SECONDS, SPREAD_SOURCES, SPREAD_FAILURES = 600.0, 10, 30
WALK_SECONDS, WALK, MOST_WALK = 60.0, 5, 20
ASKED, ASKED_FORGIVEN = 5.0, 1 / 12
USER = re.compile(r"/(?:[a-z-]{2,12}/)?user/(\d{1,10})/?", re.ASCII)
OF_ACCOUNT = 5
"""Failures after which core refuses an account."""


def result(request: Request, route: str) -> str:
    """succeeded, failed, blocked, or "" when it is no login."""
    if request.method != "POST" or (route != "user/login" and not (route == "user" and _is_user(request))):
        return ""
    if request.status in ("403", "429"):
        return "blocked"
    if "_format=" in request.query:
        return {"200": "succeeded", "400": "failed"}.get(request.status, "")
    return {"200": "failed", "302": "succeeded", "303": "succeeded"}.get(request.status, "")


def _is_user(request: Request) -> bool:
    return request.path.rstrip("/").endswith("/user") or request.query == "q=user"


def login(keys: Keys, site: str, request: Request, said: str, now: float) -> Iterator[Found]:
    source = source_of(request.remote)
    if source:
        yield from _of_source(keys, site, source, said, now)
    if said != "succeeded" and source:
        yield from _spread(keys, site, source, now)


def _of_source(keys: Keys, site: str, source: str, said: str, now: float) -> Iterator[Found]:
    key = f"{site} {source}"
    left = keys.level("logins", key, now, FORGIVEN)
    _, _, shown, full = (left and keys.get("logins", key)) or (0, 0, 0, False)
    if said == "succeeded":
        if full:
            yield Found(
                "bruteforce_then_success", SUCCESS, "login-after-failures", "a login after many that failed", who=source
            )
        keys.drop("logins", key)
        return
    level = keys.pour("logins", key, now, FORGIVEN, MOST_FAILURES)
    shown, full = min(99, shown + (said == "failed")), full or level > FAILURES
    keys.put("logins", key, [*keys.get("logins", key)[:2], shown, full])
    if level > FAILURES:
        form = "several accounts" if shown > OF_ACCOUNT else "few accounts"
        yield Found(
            "bruteforce", BLOCKED if said == "blocked" else ATTEMPT, "login-failures",
            f"many logins fail from one source, {form}", who=source,
        )  # fmt: skip


def _spread(keys: Keys, site: str, source: str, now: float) -> Iterator[Found]:
    """The same from many sources, each of them with few."""
    row = keys.get("spread", site)
    if row is None or not 0 <= now - row[0] <= SPREAD_SECONDS:
        row = [now, 0, []]
    began, count, sources = row
    if source not in sources and len(sources) < SPREAD_SOURCES:
        sources = [*sources, source]
    keys.put("spread", site, [began, count + 1, sources])
    if count + 1 >= SPREAD_FAILURES and len(sources) >= SPREAD_SOURCES:
        yield Found(
            "bruteforce", ATTEMPT, "login-failures-spread", "many logins fail from many sources", who="many networks"
        )


def walks(keys: Keys, site: str, request: Request, route: str, now: float) -> Iterator[Found]:
    """Accounts that are counted through, or asked for one after the other."""
    network = network_of(request.remote)
    if not network:
        return
    key = f"{site} {network}"
    if route == "user/password" and request.method == "POST":
        many = keys.pour("asked", key, now, ASKED_FORGIVEN, ASKED * 4) >= ASKED
        if many:
            yield Found("user_enum", _plain(request), "password-requests", "many accounts' passwords are asked for")
    if route != "user" or not (number := USER.fullmatch(request.path)):
        return
    if len(_walked(keys, key, int(number[1]), now)) >= WALK:
        yield Found("user_enum", _plain(request), "user-walk", "accounts are counted through: /user/1, /user/2, ...")


def _walked(keys: Keys, key: str, number: int, now: float) -> list[int]:
    began, numbers = keys.get("walks", key) or (now, [])
    if not 0 <= now - began <= WALK_SECONDS:
        began, numbers = now, []
    if number not in numbers and len(numbers) < MOST_WALK:
        numbers = [*numbers, number]
    keys.put("walks", key, [began, numbers])
    return numbers


def _plain(request: Request) -> str:
    """A refusal is how Drupal hides an account, and not a defence against the walk."""
    return BLOCKED if request.status == "429" else ATTEMPT


@lru_cache(4096)
def source_of(remote: str) -> str:
    """An address; of IPv6 the /64, which is one host's. "" for what is none."""
    try:
        address = ip_address(remote)
    except ValueError:
        return ""
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address, 64), strict=False))
