"""Checks that were added on the pages, as targets: they ask only what is public, or what the configuration lists."""

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from agent.ticking import Watch
from collectors.probe import COLLECTOR, read
from collectors.probe.attempt import Facts, Failed
from collectors.probe.config import Probe

FOUND = "added on the page of checks"


def watches(checks: Iterable[Probe], lists: Callable[[str], bool]) -> list[Watch]:
    """`lists`: whether the configuration lets this host be asked; it is asked at each check, as it may change."""
    (part,) = COLLECTOR.parts
    guarded = replace(COLLECTOR, parts=(replace(part, read=partial(_read, lists)),))
    return [Watch(guarded, check, FOUND) for check in checks]


def _read(lists: Callable[[str], bool], config: Probe) -> Facts:
    return read(config, guard=partial(refuse, lists))


def refuse(lists: Callable[[str], bool], host: str, ip: str) -> None:
    """Failed for an address inside: whoever adds checks could else look around from here, by redirects too."""
    if not ipaddress.ip_address(ip.partition("%")[0]).is_global and not lists(host):
        words = f"{host} is {ip}, which is no public address; list it in exporter.probe_targets of the configuration"
        raise Failed("connect", words)
