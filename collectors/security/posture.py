"""How a site is set up: what of it can be read that should not, TLS, headers, PHP's and Drupal's settings.

A state is a finding, with its line of explanation and its fix in findings.toml; that it appears or goes is an event
of no alarm. Headers that change are one, too: somebody may have taken them away.

Source: https://owasp.org/www-project-secure-headers/ https://www.drupal.org/docs/security-in-drupal
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from collectors.model import Event, Gauge, Sample, Severity, State
from collectors.security.telling import event

HEADERS = (
    "strict-transport-security", "content-security-policy", "x-content-type-options", "x-frame-options",
    "referrer-policy", "permissions-policy",
)  # fmt: skip
SESSION = re.compile(r"S?SESS[0-9a-f]{32}")
VERSION = re.compile(r"/\d+\.\d")
ON = ("1", "on", "yes", "true", "stdout")


class About(NamedTuple):
    severity: Severity
    why: str
    fix: str
    files: Mapping[str, str]
    """Path -> pattern of an answer that has it."""


@cache
def findings() -> Mapping[str, About]:
    """The closed set."""
    with Path(__file__).with_name("findings.toml").open("rb") as file:
        known = tomllib.load(file)
    return {name: About(each["severity"], each["why"], each["fix"], each.get("files", {}))
            for name, each in known.items()}  # fmt: skip


MOST_FINDINGS = 40
FINDING = Gauge(
    "security_finding", "1 if a site is set up in a way that helps an attacker, 0 if that was looked at and is not so.",
    ("site", "finding", "severity"), bounds={"finding": MOST_FINDINGS, "severity": 3},
)  # fmt: skip
FAMILIES = (FINDING,)


def step(state: State, payload: Any) -> tuple[State, Sequence[Event]]:
    after: State = {}
    events: list[Event] = []
    for site in payload["sites"]:
        key = f"site:{site['site']}"
        before = state.get(key, {"findings": {}, "headers": None})
        found = {name: value for name, value in judged(site) if name in findings()}
        headers = site["headers"] and {name: site["headers"].get(name, "") for name in HEADERS}
        events += _turned(site["site"], before["findings"], found, payload["at"])
        if headers and before["headers"] and headers != before["headers"]:
            events.append(_headers(site["site"], before["headers"], headers, payload["at"]))
        # What could not be looked at now stays what it was.
        after[key] = {"findings": {**before["findings"], **found}, "headers": headers or before["headers"]}
    return after, events


def samples(state: State) -> Iterable[Sample]:
    for key, known in sorted(state.items()):
        for name, value in sorted(known["findings"].items()):
            if about := findings().get(name):
                yield FINDING(value, key.removeprefix("site:"), name, about.severity)


def judged(site: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Finding -> 1 or 0; what is not known is left out."""
    answers = site["answers"]
    for name, about in findings().items():
        asked = [(answers[path], pattern) for path, pattern in about.files.items() if path in answers]
        if asked:
            yield name, int(any(status == 200 and re.search(pattern, text) for (status, text), pattern in asked))
    if site["tls"]:
        yield "tls_old", int(site["tls"]["old"])
        yield "tls_chain", int(bool(site["tls"]["chain"]))
    if site["headers"]:
        yield from _of_headers(site["headers"], site["cookies"], bool(site["tls"]))
    yield from _of_php(site["php"])
    yield from _of_settings(site["settings"])


def _of_headers(headers: Mapping[str, str], cookies: Sequence[str], secure: bool) -> Iterator[tuple[str, int]]:
    policy = headers.get("content-security-policy", "")
    if secure:
        yield "hsts_missing", int("strict-transport-security" not in headers)
    yield "nosniff_missing", int(headers.get("x-content-type-options", "").lower() != "nosniff")
    yield "frames_allowed", int("x-frame-options" not in headers and "frame-ancestors" not in policy)
    yield "csp_missing", int(not policy)
    told = (headers.get("server", ""), headers.get("x-powered-by", ""))
    yield "server_version_told", int(any(VERSION.search(each) for each in told))
    flags = [{part.strip().lower() for part in each.split(";")[1:]} for each in cookies
             if SESSION.fullmatch(each.partition(";")[0].partition("=")[0].strip())]  # fmt: skip
    if flags:
        yield "session_cookie_flags", int(any("httponly" not in each or (secure and "secure" not in each)
                                              for each in flags))  # fmt: skip


def _of_php(php: Mapping[str, str] | None) -> Iterator[tuple[str, int]]:
    """None: php.ini cannot be read. Without a line PHP's own default is so."""
    if php is not None:
        yield "php_display_errors", int(php.get("display_errors", "1").lower() in ON)
        yield "php_expose", int(php.get("expose_php", "1").lower() in ON)
        yield "php_url_include", int(php.get("allow_url_include", "0").lower() in ON)


def _of_settings(settings: Mapping[str, bool]) -> Iterator[tuple[str, int]]:
    for name, value in settings.items():
        yield name, int(value)


def _turned(site: str, before: Mapping[str, int], now: Mapping[str, int], at: float) -> Iterator[Event]:
    """Each finding once when it is first seen, so that its fix can be read, and once when it is mended."""
    for name, value in sorted(now.items()):
        if before.get(name, 0) != value:
            about = findings()[name]
            words = "was found" if value else "is mended"
            yield event(
                "finding", "info", at, f"{site}: the finding {name} {words}",
                {"finding": name, "severity": about.severity, "why": about.why, "fix": about.fix if value else ""},
                origin=(site, at), key=name, site=site,
            )  # fmt: skip


def _headers(site: str, before: Mapping[str, str], now: Mapping[str, str], at: float) -> Event:
    moved = {name: f"{before.get(name) or 'none'} -> {now[name] or 'none'}"
             for name in HEADERS if before.get(name, "") != now[name]}  # fmt: skip
    return event(
        "headers", "info", at, f"{site}: headers changed: {', '.join(moved)}", moved, origin=(site, at), key="headers",
        site=site,
    )  # fmt: skip
