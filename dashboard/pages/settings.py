"""Settings, Configuration: what is watched, told, silent and kept, and where the file says so."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue

from alerts import outbox
from alerts.attempt import attempt
from alerts.path.plan import ALL_LABELS, Route
from alerts.trial import trial
from dashboard.asked import answer, remembering, view
from dashboard.caller import caller, note
from dashboard.login import limiter
from dashboard.moments import span
from dashboard.rights import Caller
from dashboard.sections import Section, sections, told
from dashboard.services import Services, Written, services
from dashboard.shell import Shell, View, shell
from dashboard.standing import SilenceRow, silences
from dashboard.tiers import TierRow, kept

TESTS = "10 per minute"

blueprint = Blueprint("settings", __name__)


@dataclass(frozen=True)
class ChannelRow:
    name: str
    kind: str
    words: str
    """What waits, and what went wrong last."""
    state: str


@dataclass(frozen=True)
class RouteRow:
    depth: int
    matchers: str
    receiver: str
    words: str


@dataclass(frozen=True)
class ConfigurationPage:
    """What settings.html may use."""

    shell: Shell
    parts: tuple[Section, ...]
    sites: tuple[tuple[str, str], ...]
    """Name and where it was found."""
    channels: tuple[ChannelRow, ...]
    routes: tuple[RouteRow, ...]
    silences: tuple[SilenceRow, ...]
    kept: tuple[TierRow, ...]
    written: tuple[Written, ...]
    """What the configuration file sets."""


def build(services: Services, asked: View, who: Caller) -> ConfigurationPage:
    found = {
        status.target.instance: status.found for status in services.watched.targets() if status.target.job == "drupal"
    }
    return ConfigurationPage(
        shell=shell(services, asked, "Settings"),
        parts=sections(who, "Configuration"),
        sites=tuple(sorted(found.items())),
        channels=tuple(_channels(services, asked.now)),
        routes=tuple(_routes(services.desk.plan().root, 0)) if services.desk else (),
        silences=silences(services.desk, asked.now),
        kept=kept(services.holding()),
        written=tuple(services.written),
    )


def _channels(services: Services, now: float) -> Iterator[ChannelRow]:
    standings = outbox.standings(services.desk.engine) if services.desk else {}
    for channel in services.channels:
        here = standings.get(channel.name, outbox.Standing())
        words = []
        if here.oldest is not None:
            words.append(f"{here.waiting} waiting, the oldest for {span(now - here.oldest)}")
        if here.dead:
            words.append(f"{here.dead} given up")
        if here.last_error:
            words.append(here.last_error)
        state = "crit" if here.dead else "warn" if here.waiting else "ok"
        yield ChannelRow(channel.name, channel.notifier.name, "; ".join(words) or "nothing waits to be sent", state)


def _routes(route: Route, depth: int) -> Iterator[RouteRow]:
    first = f"told after {span(route.group_wait)}" if route.group_wait else "told at once"
    words = [_grouped(route.group_by), first, f"again every {span(route.repeat_interval)} while it fires"]
    words += [f"after {span(after)} also {name}" for after, name in route.escalate]
    words += [f"not in {', '.join(route.mute)}"] if route.mute else []
    words += [f"only in {', '.join(route.active)}"] if route.active else []
    words += ["the routes after it are tried as well"] if route.goes_on else []
    matchers = ", ".join(map(str, route.matchers)) or "all alerts"
    yield RouteRow(depth, matchers, route.receiver or "nobody", ", ".join(words))
    for below in route.routes:
        yield from _routes(below, depth + 1)


def _grouped(labels: tuple[str, ...]) -> str:
    """What comes in one message."""
    if labels == ALL_LABELS:
        return "each alert alone"
    return f"grouped by {' and '.join(labels)}" if labels else "all in one message"


@blueprint.get("/settings/configuration")
def configuration() -> Response:
    return answer("settings.html", build(remembering(), view(), caller()))


@blueprint.post("/settings/channels/<name>/test")
@limiter.limit(TESTS)
def test(name: str) -> ResponseReturnValue:
    """Waits for what the receiver answers, as long as the channel does."""
    channel = next((each for each in services().channels if each.name == name), None) or abort(404)
    now = time.time()  # the receiver's clock is the real one
    tried = attempt(channel, trial(services().host, channel, services().external_url, now), now)
    taken = tried.outcome == "done"
    note(f"test message to {name}: {'taken' if taken else tried.words}")
    text = f"{name} took the test message: {tried.words}" if taken else f"{name} did not take it: {tried.words}"
    return told(text, "settings.configuration", wrong=not taken)
