"""Who may do what: each endpoint and the least role that it needs. What is not in the table is for admins.

A token reads like a viewer; one of scope write also does what a responder does, by the API alone. A wall's link shows
the pages of its row, and takes no form.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Right = Literal["anyone", "wall", "viewer", "responder", "admin"]
Way = Literal["", "session", "token", "wall", "header"]

ORDER: tuple[Right, ...] = ("anyone", "wall", "viewer", "responder", "admin")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BY_TOKEN = ("api.", "api_events.", "api_v2.")
"""Endpoints to which a token may POST: those of the API, and no form of a page."""

_ENDPOINTS: Mapping[Right, tuple[str, ...]] = {
    "anyone": (
        "act.do", "act.show", "api.healthy", "api.ready", "assets.file", "login.enter", "login.form", "wall.enter",
    ),
    "wall": (
        "overview.overview", "trends.trends", "host.host", "alerts.alerts", "targets.targets", "drupal.drupal",
        "site.site", "slowest.slowest", "slo.slo", "incidents.incidents", "incident.incident", "boards.page",
        "board.page", "checks.page",
    ),
    "viewer": (
        "login.leave", "security.security", "explore.page", "explore.download", "runbook.runbook", "boards.download",
        "board.download", "checks.download",
        "appearance.page", "appearance.change",
        "api.query", "api.query_range", "api.query_exemplars", "api.format_query", "api.series", "api.labels",
        "api.label_values", "api.metadata", "api.rules", "api.alerts", "api.targets", "api.target_metadata",
        "api.scrape_pools", "api.buildinfo",
        "api_v2.status", "api_v2.receivers", "api_v2.alerts", "api_v2.groups", "api_v2.silences", "api_v2.silence",
    ),
    "responder": (
        "acting.acknowledge", "acting.silence", "acting.end", "acting.close", "acting.acknowledge_all",
        "acting.silence_all", "acting.note", "board_forms.make", "board_forms.take", "board_forms.change",
        "board_forms.save", "board_forms.add", "board_forms.edit", "api_events.add",
        "api_v2.post_alerts", "api_v2.post_silence", "api_v2.expire_silence",
    ),
    "admin": (
        "settings.configuration", "settings.test", "people.people", "people.add", "people.change", "people.end",
        "keys.keys", "keys.create", "keys.revoke", "trail.trail",
        "check_forms.add", "check_forms.remove",
    ),
}  # fmt: skip
LEAST: Mapping[str, Right] = {endpoint: right for right, endpoints in _ENDPOINTS.items() for endpoint in endpoints}


@dataclass(frozen=True)
class Caller:
    """Who asks."""

    name: str
    right: Right
    way: Way


STRANGER = Caller("", "anyone", "")


def least(endpoint: str | None) -> Right:
    """What is not there is told to everyone who may see anything."""
    return "wall" if endpoint is None else LEAST.get(endpoint, "admin")


def may(caller: Caller, endpoint: str | None, method: str) -> bool:
    needed = least(endpoint)
    if needed == "anyone":
        return True
    if ORDER.index(caller.right) < ORDER.index(needed):
        return False
    if endpoint is None or method in SAFE:
        return True
    if caller.way == "token":
        return endpoint.startswith(BY_TOKEN)
    return caller.way != "wall"
