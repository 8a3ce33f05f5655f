"""Rules and delivery as the process joins them: that one channel fails is told by the others."""

from pathlib import Path

from agent.alerting import DEAD_LETTERS, Rules
from agent.configuration import parse
from collectors.model import Target
from history.database import open_database
from history.embedded import Embedded
from history.events import Events
from history.local import Local
from history.store import Store
from tests.alerts.examples import T, alert, tell
from tests.alerts.receiver import Receiver

CONFIGURATION = """
host: lab
notify:
  webhook:
    well: {{url: "{well}"}}
    refused: {{url: "{refused}"}}
"""


def test_a_channel_that_fails_is_told_by_the_others(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    store = Store(engine)
    now = T
    with Receiver() as well, Receiver(*[404] * 9) as refused:
        configuration = parse(CONFIGURATION.format(well=well.url, refused=refused.url), "f.yml")
        rules = Rules(configuration, Embedded(store), engine, Local(store, Events(engine)), lambda: now)
        by_name = {channel.name: channel for channel in rules.evaluator._channels}
        tell(engine, by_name["refused"], alert())
        for _ in range(10):
            store.append(Target("raingauge", "lab", "lab"), now, rules.samples())
            rules.evaluator.run_due(now)
            for channel in by_name.values():
                rules.delivery.deliver_next(channel)
            now += 30
        dead = {sample.labels: sample.value for sample in rules.samples() if sample.family is DEAD_LETTERS}
        assert dead == {("well",): 0, ("refused",): 1}
        (told,) = well.body()["alerts"]
        assert (told["labels"]["alertname"], told["labels"]["channel"]) == ("NotifyFailing", "refused")
        assert refused.bodies.qsize() == 1
    engine.dispose()
