"""From a line written to an access log to the webhook that hears of the attack, with `group_wait` 0."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from agent.followers import Followed, Kept
from alerts.delivery import Delivery
from alerts.evaluator import Evaluator
from bench.figures import Figure, quantile
from collectors.model import Target
from collectors.weblog import COLLECTOR
from collectors.weblog.config import LogFile, Weblog
from history.database import open_database
from history.embedded import Embedded
from history.events import Events
from history.local import Local
from history.store import Store
from tests.alerts.examples import webhook
from tests.alerts.receiver import Receiver
from tests.lab.lab import Lab

TITLE = "events"
TIMES = 40
ASKED = "POST /user/register?element_parents=account/mail/%23value&ajax_form=1 HTTP/1.1"


def line(site: int) -> str:
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
    return f'203.0.{site % 250}.7 - - [{stamp}] "{ASKED}" 200 900 "-" "curl/8.0"\n'


def measure(_lab: Lab, quick: bool) -> Iterator[Figure]:
    times = 10 if quick else TIMES
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder, Receiver() as receiver:
        engine = open_database(Path(folder))
        files = tuple(LogFile(path=f"{folder}/{site}.log", site=f"site{site}") for site in range(times))
        for each in files:
            Path(each.path).touch()
        followed = Followed(COLLECTOR.followers[0], Weblog(files=files), Target("web", "web1", "web1"), Kept(engine))
        channel = webhook(receiver.url)
        delivery = Delivery(engine, [channel])
        sink = Local(Store(engine), Events(engine))
        evaluator = Evaluator(
            Embedded(sink.store), engine, [], channels=[channel], sink=sink, told=delivery.wake
        )  # fmt: skip
        for running in (followed, delivery, evaluator):
            running.start()
        time.sleep(3)
        for site, each in enumerate(files):
            seconds.append(_heard(site, Path(each.path), receiver))
            time.sleep(0.37 * (site % 3))  # at any moment between two looks
        for running in (followed, evaluator, delivery):
            running.stop()
        engine.dispose()
    how = f"{times} attacks, each on a site of its own, through follower, database, evaluator and delivery"
    for name, share in (("median", 0.5), ("p95", 0.95)):
        yield Figure(f"line written to webhook, {name}", quantile(seconds, share), "s", how)


def _heard(site: int, path: Path, receiver: Receiver) -> float:
    began = time.monotonic()
    with path.open("a") as log:
        log.write(line(site))
    while f"site{site}" not in {alert["labels"].get("site") for alert in receiver.body()["alerts"]}:
        pass
    return time.monotonic() - began
