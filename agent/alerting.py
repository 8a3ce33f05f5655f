"""Rules and delivery as this process runs them, and what they say of themselves as metrics."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, Engine

from agent import rule_files
from agent.configuration import Configuration
from agent.rule_files import RuleFiles
from alerts import outbox, state
from alerts import registry as notifiers
from alerts.asked import points
from alerts.delivery import Delivery
from alerts.deploys import open_maintenance
from alerts.desk import Desk
from alerts.evaluator import Evaluator
from alerts.incidents.watch import Watch
from alerts.jumps import Jumps
from alerts.model import Alert, Group
from alerts.notifier import Channel
from alerts.path.plan import Plan, plan
from alerts.pipeline import receivers
from alerts.readings import Catalogue
from collectors import registry
from collectors.model import Counter, Gauge, Sample
from history.events import Events
from history.model import QueryError, Sink, Source

log = logging.getLogger("raingauge.alerting")

CHANNEL = ("channel",)
EVALUATIONS = Counter("raingauge_rule_evaluations_total", "Rules evaluated.")
EVALUATION_FAILURES = Counter("raingauge_rule_evaluation_failures_total", "Rules whose evaluation failed.")
SENT = Counter("raingauge_notifications_total", "Messages that a channel accepted.", CHANNEL)
RETRIES = Counter("raingauge_notification_retries_total", "Tries to send a message that will be tried again.", CHANNEL)
FAILED = Counter("raingauge_notifications_failed_total", "Messages given up for a channel.", CHANNEL)
WAITING = Gauge("raingauge_notifications_waiting", "Messages that wait to be sent by a channel.", CHANNEL)
OLDEST = Gauge(
    "raingauge_notification_oldest_waiting_seconds", "Age of the oldest message that waits for a channel.", CHANNEL
)
DEAD_LETTERS = Gauge(
    "raingauge_notifications_dead_letters", "Messages that were given up and are kept, at most one a group.", CHANNEL
)
LAST_EVALUATION = Gauge(
    "raingauge_rule_group_last_evaluation_timestamp_seconds",
    "When the rules of a group were last evaluated.",
    ("group",),
)
FAMILIES = (
    EVALUATIONS, EVALUATION_FAILURES, LAST_EVALUATION, rule_files.ERROR, SENT, RETRIES, FAILED, WAITING, OLDEST,
    DEAD_LETTERS,
)  # fmt: skip


def channels(configuration: Configuration) -> list[Channel]:
    return list(notifiers.channels(configuration.notify))


def desk(configuration: Configuration, engine: Engine, clock: Callable[[], float] = time.time) -> Desk:
    """What people ask and do, from the database alone."""
    routes = plan(configuration.notify)
    return Desk(engine, lambda: routes, receivers(channels(configuration)), clock)


class Rules:
    """The evaluator with its channels and their delivery."""

    def __init__(
        self,
        configuration: Configuration,
        source: Source,
        engine: Engine,
        sink: Sink,
        clock: Callable[[], float],
        *,
        link_key: str = "",
    ) -> None:
        """`link_key`: the dashboard's, for links that acknowledge."""
        self._engine = engine
        self._clock = clock
        self._source = source
        told = channels(configuration)
        self._files = RuleFiles(configuration)
        groups, errors = self._files.load()
        self.incidents = Watch(engine, source, Events(engine), self._running, clock, link_key=link_key)
        self.delivery = Delivery(engine, told, context=self.incidents.context)
        self.evaluator = Evaluator(
            source, engine, groups, channels=told, sink=sink, errors=errors,
            catalogue=Catalogue(registry.collectors()), clock=clock, told=self.delivery.wake,
            external_url=configuration.external_url, host=configuration.host, jumps=Jumps(),
            plan=plan(configuration.notify), like_prometheus=configuration.alerts.mode == "prometheus",
            changed=lambda: self._files.changed(self.evaluator.groups()), grouped=self._grouped,
        )  # fmt: skip
        self.desk = Desk(engine, self.evaluator.plan, receivers(told), clock)

    def _grouped(self, connection: Connection, alerts: Sequence[Alert], now: float) -> None:
        open_maintenance(connection, now, self.evaluator.plan().deploy_maintenance)
        self._learn_uses(now)
        self.incidents.group(connection, alerts, now)

    def _learn_uses(self, now: float) -> None:
        """Without an answer what was known stays."""
        uses: dict[tuple[str, str], set[tuple[str, str]]] = {}
        try:
            found = points(self._source.query("web_site_uses", now))
        except (QueryError, ValueError) as error:
            log.debug("uses=not asked: %s", error)
            return
        for labels in (point.labels for point in found):
            one = (labels.get("target_job", ""), labels.get("target_instance", ""))
            uses.setdefault((labels.get("host", ""), labels.get("site", "")), set()).add(one)
        routes = self.evaluator.plan()
        known = {site: frozenset(servers) for site, servers in uses.items()}
        if known != routes.uses:
            self.evaluator.follow(replace(routes, uses=known))

    def _running(self) -> tuple[Plan, Sequence[Group]]:
        return self.evaluator.plan(), self.evaluator.groups()

    def start(self) -> None:
        self.delivery.start()
        self.incidents.start()
        self.evaluator.start()

    def reload(self, configuration: Configuration) -> None:
        """Other rules and routes from the next cycle on; channels stay until a restart."""
        routes = plan(configuration.notify)
        if new := routes.receivers() - self.delivery.stats.keys():
            log.error("routes=kept reason='channels change at the next start' new=%s", ",".join(sorted(new)))
        else:
            self.evaluator.follow(routes)
        self._files.configure(configuration)

    def stop(self) -> None:
        self.evaluator.stop()
        self.incidents.stop()
        self.delivery.stop()

    def progress(self) -> dict[str, float]:
        """When rules were last evaluated, and each channel's worker last looked at the outbox, Unix seconds."""
        return {"rules": self.evaluator.stats.last_cycle or 0.0, **self.delivery.looked()}

    def samples(self) -> Sequence[Sample]:
        now, waiting, dead = self._clock(), state.waiting(self._engine), outbox.dead_letters(self._engine)
        samples = [EVALUATIONS(self.evaluator.stats.evaluations), EVALUATION_FAILURES(self.evaluator.stats.failures)]
        samples += self._files.samples()
        evaluated = {health.group: health.last_evaluation for health in self.evaluator.health()}
        samples += [LAST_EVALUATION(at, group) for group, at in evaluated.items() if at is not None]
        for name, stats in self.delivery.stats.items():
            count, oldest = waiting.get(name, (0, now))
            samples += [
                SENT(stats.sent, name), RETRIES(stats.retries, name), FAILED(stats.failed, name), WAITING(count, name),
                OLDEST(max(0.0, now - oldest), name), DEAD_LETTERS(dead.get(name, 0), name),
            ]  # fmt: skip
        return samples
