"""Every optional thing that pages can show, in one world."""

from dataclasses import replace
from unittest.mock import patch

from agent.notify_settings import NotifySettings
from alerts import registry, silences
from alerts.matchers import Matcher
from alerts.rulefile import RuleFileError
from alerts.silences import Silence
from collectors.model import Finding
from dashboard.services import Written
from history.audit import Entry
from tests.dashboard import scene, services, situations
from tests.dashboard.situations import alert, status
from tests.dashboard.world import NOW, World


def everything_odd(world: World) -> World:
    """Every optional thing of every page: errors, remedies, findings, missing data, rules that fail."""
    world.boards.take([situations.BOARD])
    refused = replace(status(scene.MYSQL, "denied", "Access denied"), remedy="CREATE USER ...;")
    left_out = (scene.NODE, scene.WWW, scene.REDIS)
    others = [each for each in world.watched.statuses if each.target not in left_out]
    others.append(status(scene.WWW, "denied", "no right to connect"))
    world.watched.statuses = [refused, status(scene.NODE), *others]
    world.watched.found = [situations.DENIED, Finding("redis", "redis-server listens on :6379", "NOAUTH", "ACL ...")]
    world.watched.unseen = ["not root"]
    world.alerting.found = [
        replace(world.alerting.found[0], missing_since=NOW - 60), *world.alerting.found[1:],
        alert("CpuSteal", scene.NODE, "firing", 0.2, 700),
        alert("CpuSteal", services.SHOP_SITE, "firing", 0.2, 700),
    ]  # fmt: skip
    situations.fire(world)
    assert world.services.desk
    silences.acknowledge(world.engine, world.alerting.found[0], "kim", now=NOW - 60, until=NOW + 3600)
    later = Silence((Matcher("host", "=", "web-01"),), NOW + 600, NOW + 3600, "kim", "a new disk")
    silences.post(world.engine, later, NOW)
    world.alerting.states = [replace(world.alerting.states[0], health="err", last_error="boom"), *world.alerting.states]
    world.alerting.refused = [RuleFileError("own.yml", 7, "fo", "an unknown key", "one of for")]
    acquainted(world)
    return world


def acquainted(world: World) -> None:
    """Users, sessions, tokens, walls and what they did; channels, and what the file sets."""
    access = world.access
    with patch("history.users.hashed", str):
        access.users.add("ada", "correct horse", "admin", NOW - 86400)
        access.users.add("kim", "correct horse", "responder", NOW - 86400)
        access.users.add("screen.of.the-night@example.org", "correct horse", "viewer", NOW - 86400)
    access.create_token("read", NOW - 9000, "grafana")
    access.walls.create("office", NOW - 5000)
    access.walls.create("fair", NOW - 5000, NOW - 100)
    access.sessions.open(NOW - 900, "kim", address="192.0.2.7", agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
    access.sessions.open(NOW - 600, wall="office", address="2001:db8::7")
    access.audit.note(Entry(NOW - 600, "a stranger", "192.0.2.9", "login refused, by password"))
    access.audit.note(Entry(NOW - 500, "kim", "192.0.2.7", "acknowledged PhpFpmPoolFull"))
    notify = NotifySettings.model_validate({"webhook": {"ops": {"url": "http://127.0.0.1:9/x"}}})
    channels = registry.channels(notify)
    written = (Written("history.retention", "1296000.0", "/etc/raingauge/raingauge.yml:7"),)
    world.services = replace(world.services, channels=tuple(channels), written=written)
    world.app.extensions["raingauge"] = world.services
