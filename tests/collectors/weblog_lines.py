"""Lines of an access log, and what the engine is given and says of them."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from collectors.model import State
from collectors.weblog.families import samples

HOSTS = {"shop.example": "shop", "www.shop.example": "shop", "*.docs.example": "docs"}
AGENTS = ("Mozilla/5.0 (X11)", "Mozilla/5.0 (compatible; bingbot/2.0)", "curl/8.5", "", "-", "Mozilla/5.0 zgrab/0.x")
Line = tuple[str, ...]


def payload(*texts: str, form: str = "", hosts: Mapping[str, str] = HOSTS, default: str = "shop", **more: Any) -> Any:
    about = {
        "path": "/log",
        "site": default,
        "format": form,
        "php": False,
        "followed": True,
        "node": "1:1",
        "offset": 0,
    }
    pieces = [{**about, "text": text, **more} for text in texts]
    sites = ["other", default, *hosts.values()]
    return {
        "at": 1795342000.0,
        "hosts": hosts,
        "sites": sites,
        "readable": {"/log": 1},
        "pieces": pieces,
        "more": False,
    }


def counts(state: State, family: str) -> dict[tuple[str, ...], float]:
    """What is told, without failures of a class that had none yet."""
    found = [sample for sample in samples(state) if sample.family.name == family]
    return {sample.labels: sample.value for sample in found if sample.value or "5xx" not in sample.labels}


def total(state: State, family: str) -> float:
    return sum(counts(state, family).values())


def line(fields: Line) -> str:
    method, path, query, status, size, agent, taken, waited, cache, host = fields
    asked = f"{method} {path}{'?' if query else ''}{query} HTTP/1.1" if method else "-"
    return (
        f'203.0.113.7 - - [22/Nov/2026:09:48:50 +0000] "{asked}" {status} {size} "-" "{agent}" rt={taken} urt={waited} '
        f'ucs=- dc="{cache}" ddc="-" host={host}'
    )


paths = st.sampled_from(
    ["/", "/node/1", "/node/2", "/user/login", "/blog/a", "/blog/b", "/shop/x", "/news/a", "/a", "/.env", "/a.png"]
) | st.integers(0, 60).map(lambda number: f"/part{number}/x")
entries = st.tuples(
    st.sampled_from(["GET", "GET", "POST", "PROPFIND", "", "HEAD"]),
    paths,
    st.sampled_from(["", "", "q=node/7", "page=1", "_format=json"]),
    st.sampled_from(["200", "200", "404", "301", "500", "999", "101"]),
    st.sampled_from(["0", "512", "-", "123456789012345"]),
    st.sampled_from(AGENTS),
    st.sampled_from(["0.000", "0.010", "0.011", "0.500", "31.000", "-"]),
    st.sampled_from(["-", "0.1", "0.1, 0.2 : 0.3"]),
    st.sampled_from(["HIT", "MISS", "-", "UNCACHEABLE (request policy)", "strange"]),
    st.sampled_from(["shop.example", "WWW.shop.example:443", "a.docs.example", "spoofed.example", "-"]),
)
garbage = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=30).map(
    lambda text: f"garbage {text}"
)
