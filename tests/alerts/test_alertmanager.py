"""Debian's Alertmanager: we send the same webhook for the same alert, and it takes what we push."""

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from alerts import state
from alerts.attempt import Attempt, attempt
from alerts.delivery import Delivery
from alerts.message.words import stamp
from alerts.model import Alert
from alerts.notices import Notice
from alerts.notifiers.webhook import body
from tests.alerts.examples import alert, database, tell
from tests.alerts.receiver import Receiver
from tests.alerts.told import channel
from tests.lab.ports import answers, free_port, wait_until

pytestmark = pytest.mark.servers

OURS = Notice("ops", {"alertname": "Broken", "host": "web1"}, (alert(path='a "b"', disk="ä"),), "")


BY_HOST = {"route": {"group_by": ["alertname", "host"], "group_wait": "0s", "group_interval": "1s"}}


@contextmanager
def alertmanager(directory: Path, webhook: str, routing: Mapping[str, Any] = BY_HOST) -> Iterator[str]:
    """Its address. `routing` is in its configuration's words, but for receivers."""
    program = shutil.which("prometheus-alertmanager")
    assert program, "prometheus-alertmanager is not installed: apt-get install prometheus-alertmanager"
    port = free_port()
    config = directory / "alertmanager.yml"
    config.write_text(json.dumps({
        **routing,
        "route": {"receiver": "ops", **routing["route"]},
        "receivers": [{"name": "ops", "webhook_configs": [{"url": webhook}]}],
    }))  # fmt: skip
    command = [program, f"--config.file={config}", f"--storage.path={directory}", "--cluster.listen-address=",
               f"--web.listen-address=127.0.0.1:{port}", "--web.route-prefix=/am"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: answers(("127.0.0.1", port)), 20, "Alertmanager answers")
            yield f"http://127.0.0.1:{port}/am"
        finally:
            process.terminate()


def theirs(directory: Path) -> dict[str, Any]:
    with Receiver() as receiver, alertmanager(directory, receiver.url) as url:
        first = OURS.alerts[0]
        alerts = [{"labels": first.labels, "annotations": first.annotations, "startsAt": stamp(first.fired_at)}]
        urllib.request.urlopen(urllib.request.Request(
            f"{url}/api/v2/alerts", json.dumps(alerts).encode(), {"Content-Type": "application/json"},
        )).close()  # fmt: skip
        return receiver.body()


def known(url: str) -> dict[str, dict[str, Any]]:
    """What fires there, by disk."""
    with urllib.request.urlopen(f"{url}/api/v2/alerts?active=true") as answer:
        return {each["labels"].get("disk", ""): each for each in json.load(answer)}


def test_the_same_body(tmp_path: Path) -> None:
    expected, found = theirs(tmp_path), body(OURS)
    del expected["answered"], expected["key"], expected["externalURL"], found["externalURL"]
    del found["notification_reason"]  # of newer ones than Debian's
    for sent in (expected, found):
        sent["alerts"][0]["startsAt"] = sent["alerts"][0]["startsAt"].replace(".000Z", "Z")
    assert found == expected


def ended(found: dict[str, Any]) -> float:
    return datetime.fromisoformat(found["endsAt"]).timestamp()


def heard(receiver: Receiver, expected: dict[str, str]) -> None:
    """In one message or in several."""
    told: dict[str, str] = {}
    while told != expected:
        told |= {each["labels"]["disk"]: each["status"] for each in receiver.body()["alerts"]}


def test_it_takes_what_we_push(tmp_path: Path) -> None:
    engine = database(tmp_path)
    now = float(round(time.time()))  # Alertmanager goes by the clock on the wall
    wall = 0.0

    def cycle(*alerts: Alert) -> None:
        tell(engine, pushed, *alerts, now=wall)
        delivery.deliver_next(pushed)

    with Receiver() as receiver, alertmanager(tmp_path, receiver.url) as url:
        pushed = channel("alertmanager", url=url, username="", password=None, resend=60)
        delivery = Delivery(engine, [pushed], lambda: wall)
        wall = now
        fires, ends = (replace(alert(disk=disk), fired_at=now - 600) for disk in ("sda", "sdb"))
        cycle(fires, ends)
        assert {disk: ended(each) for disk, each in known(url).items()} == dict.fromkeys(("sda", "sdb"), now + 240)
        heard(receiver, {"sda": "firing", "sdb": "firing"})

        wall = now + 60
        cycle(fires, replace(ends, state="resolved", resolved_at=now - 1))
        assert {disk: ended(each) for disk, each in known(url).items()} == {"sda": now + 300}
        heard(receiver, {"sda": "firing", "sdb": "resolved"})
        assert state.waiting(engine) == {}
    engine.dispose()


def test_what_it_refuses_in_part_is_not_repeated(tmp_path: Path) -> None:
    now = float(round(time.time()))
    with Receiver() as receiver, alertmanager(tmp_path, receiver.url) as url:
        pushed = channel("alertmanager", url=url, username="", password=None)
        empty = Alert({"alertname": ""}, {}, "firing", 1.0, now, now)
        tried = attempt(pushed, Notice("ops", {}, (alert(disk="sda"), empty), at=now), now)
        assert isinstance(tried, Attempt)
        assert (tried.outcome, tried.words[:8]) == ("permanent", "HTTP 400")
        assert known(url).keys() == {"sda"}
