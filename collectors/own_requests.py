"""Requests that Raingauge itself makes of a site, as they stand in its access log: no visitor's, and no attack.

Everybody can send our user agent, and behind a proxy that hides them all visitors come from loopback. So only the paths
count that the look at how a site is set up (collectors/security/postureread.py) asks for itself, without any query:
what these hand out is a finding of that look, whoever asks.
"""

import tomllib
from functools import cache
from pathlib import Path

AGENT = "raingauge"
LOOPBACK = frozenset(("127.0.0.1", "::1", "::ffff:127.0.0.1"))


def is_own(remote: str, method: str, path: str, query: str, agent: str) -> bool:
    return agent == AGENT and remote in LOOPBACK and method == "GET" and not query and path in paths()


@cache
def paths() -> frozenset[str]:
    """That the look asks for, its front page aside, which is no odd one."""
    with Path(__file__).with_name("security").joinpath("findings.toml").open("rb") as file:
        return frozenset(path for about in tomllib.load(file).values() for path in about.get("files", {}))
