"""Rules and delivery as this process runs them, and what they say of themselves as metrics."""

from collections.abc import Callable, Sequence

from sqlalchemy import Engine

from agent import rule_files
from agent.configuration import Configuration
from agent.rule_files import RuleFiles
from alerts import state
from alerts.delivery import Delivery
from alerts.evaluator import Evaluator
from alerts.notifier import Channel
from alerts.notifiers import webhook
from alerts.readings import Catalogue
from collectors import registry
from collectors.model import Counter, Gauge, Sample
from history.model import Sink, Source

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
LAST_EVALUATION = Gauge(
    "raingauge_rule_group_last_evaluation_timestamp_seconds",
    "When the rules of a group were last evaluated.",
    ("group",),
)
FAMILIES = (
    EVALUATIONS, EVALUATION_FAILURES, LAST_EVALUATION, rule_files.ERROR, SENT, RETRIES, FAILED, WAITING, OLDEST,
)  # fmt: skip


class Rules:
    """The evaluator with its channels and their delivery."""

    def __init__(
        self, configuration: Configuration, source: Source, engine: Engine, sink: Sink, clock: Callable[[], float]
    ) -> None:
        self._engine = engine
        self._clock = clock
        channels = [
            Channel(name, webhook.NOTIFIER, settings) for name, settings in configuration.notify.webhook.items()
        ]
        self._files = RuleFiles(configuration)
        groups, errors = self._files.load()
        self.delivery = Delivery(engine, channels)
        self.evaluator = Evaluator(
            source, engine, groups, channels=channels, sink=sink, errors=errors,
            catalogue=Catalogue(registry.collectors()), clock=clock, told=self.delivery.wake,
            external_url=configuration.external_url, changed=lambda: self._files.changed(self.evaluator.groups()),
        )  # fmt: skip

    def start(self) -> None:
        self.delivery.start()
        self.evaluator.start()

    def reload(self, configuration: Configuration) -> None:
        """Other rules from the next cycle on; channels stay until a restart."""
        self._files.configure(configuration)

    def stop(self) -> None:
        self.evaluator.stop()
        self.delivery.stop()

    def samples(self) -> Sequence[Sample]:
        now, waiting = self._clock(), state.waiting(self._engine)
        samples = [EVALUATIONS(self.evaluator.stats.evaluations), EVALUATION_FAILURES(self.evaluator.stats.failures)]
        samples += self._files.samples()
        evaluated = {health.group: health.last_evaluation for health in self.evaluator.health()}
        samples += [LAST_EVALUATION(at, group) for group, at in evaluated.items() if at is not None]
        for name, stats in self.delivery.stats.items():
            count, oldest = waiting.get(name, (0, now))
            samples += [
                SENT(stats.sent, name), RETRIES(stats.retries, name), FAILED(stats.failed, name), WAITING(count, name),
                OLDEST(max(0.0, now - oldest), name),
            ]  # fmt: skip
        return samples
