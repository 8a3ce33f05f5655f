"""Debian's Alertmanager and we send the same body for the same alert."""

import json
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from alerts.message.words import stamp
from alerts.notices import Notice
from alerts.notifiers.webhook import body
from tests.alerts.examples import alert
from tests.alerts.receiver import Receiver
from tests.lab.ports import answers, free_port, wait_until

pytestmark = pytest.mark.servers

OURS = Notice("ops", {"alertname": "Broken", "host": "web1"}, (alert(path='a "b"', disk="ä"),), "")


def theirs(directory: Path) -> dict[str, Any]:
    program = shutil.which("prometheus-alertmanager")
    assert program, "prometheus-alertmanager is not installed: apt-get install prometheus-alertmanager"
    port = free_port()
    with Receiver() as receiver:
        config = directory / "alertmanager.yml"
        config.write_text(json.dumps({
            "route": {"receiver": "ops", "group_by": ["alertname", "host"], "group_wait": "0s"},
            "receivers": [{"name": "ops", "webhook_configs": [{"url": receiver.url}]}],
        }))  # fmt: skip
        command = [program, f"--config.file={config}", f"--storage.path={directory}", "--cluster.listen-address=",
                   f"--web.listen-address=127.0.0.1:{port}"]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                wait_until(lambda: answers(("127.0.0.1", port)), 20, "Alertmanager answers")
                first = OURS.alerts[0]
                alerts = [{"labels": first.labels, "annotations": first.annotations, "startsAt": stamp(first.fired_at)}]
                urllib.request.urlopen(urllib.request.Request(
                    f"http://127.0.0.1:{port}/api/v2/alerts", json.dumps(alerts).encode(),
                    {"Content-Type": "application/json"},
                )).close()  # fmt: skip
                return receiver.body()
            finally:
                process.terminate()


def test_the_same_body(tmp_path: Path) -> None:
    expected, found = theirs(tmp_path), body(OURS)
    del expected["answered"], expected["externalURL"], found["externalURL"]
    for sent in (expected, found):
        sent["alerts"][0]["startsAt"] = sent["alerts"][0]["startsAt"].replace(".000Z", "Z")
    assert found == expected
