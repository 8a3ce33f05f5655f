"""`raingauge alerts`, `silence` and `ack`: on the database alone, with nothing running."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, insert

from agent import alerting
from agent.cli import main
from agent.cli.shown import Moment
from agent.configuration import load
from alerts import pipeline, state
from alerts.model import Alert
from alerts.notices import fingerprint
from alerts.state import alert_table
from history.database import open_database

CONFIG = """
host: lab
discovery: false
notify:
  webhook: {ops: {url: "http://127.0.0.1:1/"}, boss: {url: "http://127.0.0.1:1/"}}
  route: {receiver: ops, group_wait: 0s, routes: [{receiver: boss, matchers: ['severity="critical"']}]}
"""
DOWN = {"alertname": "NginxDown", "host": "web1", "severity": "critical"}
FULL = {"alertname": "DiskFull", "host": "web1", "mountpoint": "/[srv]", "severity": "warning"}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAINGAUGE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SUDO_USER", "kim")
    file = tmp_path / "raingauge.yml"
    file.write_text(CONFIG)
    return file


@pytest.fixture
def engine(tmp_path: Path, config: Path) -> Engine:
    return open_database(tmp_path / "state")


@pytest.fixture
def firing(engine: Engine, config: Path) -> Engine:
    """Two alerts fire, of which the service has told; one is pending."""
    desk = alerting.desk(load(config), engine)
    now = time.time()
    alerts = [Alert(labels, {}, "firing", 1.0, now - 60, fired_at=now - 60) for labels in (DOWN, FULL)]
    alerts.append(Alert({"alertname": "Later", "host": "web1"}, {}, "pending", 1.0, now - 60))
    with engine.begin() as connection:
        for alert in alerts:
            row = {"rule": "r", "fingerprint": fingerprint(alert.labels), "alert": json.dumps(asdict(alert))}
            connection.execute(insert(alert_table).values(**row))
        pipeline.advance(connection, alerting.channels(load(config)), desk.plan(), alerts, now=now)
    return engine


def raingauge(config: Path, *words: str, good: bool = True) -> Result:
    result = CliRunner().invoke(main, ["--config", str(config), *words], prog_name="raingauge")
    assert (result.exit_code == 0) == good, result.output
    return result


def listed(config: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(raingauge(config, "alerts", "--json").output)
    return {one["labels"]["alertname"]: one for one in found["firing"]}


def test_nothing_yet(config: Path) -> None:
    assert raingauge(config, "alerts").output == "nothing fires\n"
    assert raingauge(config, "silence", "list").output == "nothing is silenced\n"
    raingauge(config, "alerts", "--why", "none", good=False)
    raingauge(config, "ack", "none", good=False)


def test_alerts(config: Path, firing: Engine) -> None:
    head, down, full, pending = raingauge(config, "alerts").output.splitlines()
    assert head.split() == ["Alert", "Severity", "Where", "Since", "Told", "Held", "back", "Fingerprint"]
    assert "boss" in down
    assert down.split()[-1] == fingerprint(DOWN)
    assert "mountpoint=/[srv]" in full
    assert pending.startswith("pending: Later host=web1 since")
    assert listed(config)["DiskFull"]["receivers"] == ["ops"]
    assert list(listed(config)["NginxDown"]["told"]) == ["boss"]
    assert "(not delivered yet)" in down
    message = state.next_message(firing, "boss")
    assert message
    state.sent(firing, message)
    assert listed(config)["NginxDown"]["undelivered"] == []


@pytest.mark.a3("Suppressing", "Why somebody was told, or was not, can be asked afterwards, on the command line too.")
def test_why(config: Path, firing: Engine) -> None:
    text = raingauge(config, "alerts", "--why", fingerprint(DOWN)).output
    assert 'route {}/{severity="critical"} leads to boss' in text
    assert "boss is looked at next" in text
    assert text.splitlines()[-1].split(None, 2)[-1].split(None, 2) == ["told", "boss", "first firing"]
    plain = json.loads(raingauge(config, "alerts", "--why", fingerprint(FULL), "--json").output)
    assert [one["reason"] for one in plain["decisions"]] == ["first firing"]
    with firing.begin() as connection:
        connection.execute(alert_table.delete())
    assert "It does not fire now." in raingauge(config, "alerts", "--why", fingerprint(DOWN)).output


@pytest.mark.a3("Suppressing", "Silences and acknowledgements work on the database with the dashboard down.")
def test_silences(config: Path, firing: Engine) -> None:
    made = raingauge(
        config, "silence", "add", 'alertname=~"Disk.*"', "host=web1", "--comment", "known [soon]"
    ).output.strip()
    assert "silenced by kim: known [soon]" in raingauge(config, "alerts").output
    assert listed(config)["DiskFull"]["silenced_by"] == [made]
    [one] = json.loads(raingauge(config, "silence", "list", "--json").output)
    assert (one["id"], one["kind"], one["state"], one["author"]) == (made, "silence", "active", "kim")
    assert made in raingauge(config, "silence", "list").output
    assert raingauge(config, "silence", "expire", made).output == f"{made} has ended\n"
    assert raingauge(config, "silence", "list").output == "nothing is silenced\n"
    assert made in raingauge(config, "silence", "list", "--expired").output
    assert listed(config)["DiskFull"]["held_by"] == ""


def test_maintenance(config: Path, firing: Engine) -> None:
    raingauge(config, "silence", "add", "host=web1", "--maintenance", "--comment", "moving", "--until", "30m")
    assert {one["held_by"] for one in listed(config).values()} == {"in maintenance by kim: moving"}


def test_acknowledged(config: Path, firing: Engine) -> None:
    output = raingauge(config, "ack", "NginxDown", "--until", "1h", "--comment", "restarting").output
    assert output.startswith("NginxDown is acknowledged by kim until it is over, or ")
    assert listed(config)["NginxDown"]["held_by"] == "acknowledged by kim: restarting"
    raingauge(config, "ack", fingerprint(FULL), "--author", "pat")
    assert listed(config)["DiskFull"]["held_by"] == "acknowledged by pat: acknowledged"


def test_a_name_that_several_have(config: Path, firing: Engine) -> None:
    other = Alert({**FULL, "mountpoint": "/"}, {}, "firing", 1.0, time.time(), fired_at=time.time())
    with firing.begin() as connection:
        row = {"rule": "r", "fingerprint": fingerprint(other.labels), "alert": json.dumps(asdict(other))}
        connection.execute(insert(alert_table).values(**row))
    output = raingauge(config, "ack", "DiskFull", good=False).output
    assert fingerprint(FULL) in output
    assert fingerprint(other.labels) in output


@pytest.mark.parametrize("words", [
    ["silence", "add", "host", "--comment", "x"], ["silence", "add", "host=~.*", "--comment", "x"],
    ["silence", "add", "host=a"], ["silence", "add", "host=a", "--comment", "x", "--until", "soon"],
    ["silence", "add", "host=a", "--comment", "x", "--until", "2001-01-01"], ["silence", "expire", "none"],
])  # fmt: skip
def test_refused(config: Path, words: list[str]) -> None:
    assert raingauge(config, *words, good=False).exit_code in (1, 2)


def test_moments() -> None:
    assert Moment().convert("2030-01-31T08:00+00:00", None, None) == 1896076800.0
    assert abs(Moment().convert("2h", None, None) - time.time() - 7200) < 60
