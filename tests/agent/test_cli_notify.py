"""`raingauge notify`, while nothing else runs."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agent.cli import main
from alerts import outbox, state
from alerts.delivery import Delivery
from alerts.notifier import Answer
from history.database import open_database
from tests.alerts.examples import alert, tell, webhook
from tests.alerts.receiver import Receiver
from tests.lab.ports import free_port


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAINGAUGE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def raingauge(folder: Path, notify: dict[str, Any], *words: str) -> Result:
    config = folder / "raingauge.yml"
    config.write_text(json.dumps({"host": "lab", "external_url": "https://gauge.example.org", "notify": notify}))
    return CliRunner().invoke(main, ["--config", str(config), "notify", *words], prog_name="raingauge")


def refused(folder: Path) -> None:
    """A message to `ops` that was given up."""
    engine = open_database(folder / "state")
    ops = webhook("http://127.0.0.1:1/s3cret")
    tell(engine, ops, alert())
    Delivery(engine, [ops], send=lambda *_: Answer(404, text="no such channel s3cret")).deliver_next(ops)
    engine.dispose()


def test_a_test_says_what_the_receiver_answers(folder: Path) -> None:
    with Receiver() as receiver:
        result = raingauge(folder, {"webhook": {"ops": {"url": receiver.url}}}, "test")
        body = receiver.body()
    assert (result.exit_code, result.output) == (0, "ops (webhook): ok: HTTP 200\n")
    (told,) = body["alerts"]
    assert (told["labels"]["alertname"], told["labels"]["severity"]) == ("RaingaugeTest", "info")
    assert told["annotations"]["summary"] == "lab: this is a test of the channel ops, nothing is wrong"
    assert not (folder / "state").exists()


def test_a_test_can_be_over(folder: Path) -> None:
    with Receiver() as receiver:
        notify = {"webhook": {"ops": {"url": receiver.url}}}
        raingauge(folder, notify, "test", "ops")
        raingauge(folder, notify, "test", "ops", "--resolved")
        began, over = receiver.body(), receiver.body()
    assert (began["status"], over["status"]) == ("firing", "resolved")
    assert began["groupKey"] == over["groupKey"]


def test_all_are_tried_and_one_that_fails_is_an_exit_code(folder: Path) -> None:
    with Receiver(403) as receiver:
        notify = {
            "webhook": {"away": {"url": f"http://127.0.0.1:{free_port()}/s3cret"}, "ops": {"url": receiver.url}},
            "slack": {"team": {"url": receiver.url}},
        }
        result = raingauge(folder, notify, "test")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "away (webhook): failed: ConnectionRefusedError: [Errno 111] Connection refused",
        "ops (webhook): failed: HTTP 403",
        "team (slack): ok: HTTP 200",
    ]


@pytest.mark.parametrize("verb", ["test", "retry"])
def test_a_name_that_is_unknown(folder: Path, verb: str) -> None:
    result = raingauge(folder, {"webhook": {"ops": {"url": "http://127.0.0.1:1/"}}}, verb, "opps")
    assert (result.exit_code, result.output) == (1, "Error: no channel is named 'opps'; expected one of ops\n")
    result = raingauge(folder, {}, verb)
    assert (result.exit_code, result.output) == (1, "Error: no channel is configured\n")


def test_list(folder: Path) -> None:
    notify = {"webhook": {"ops": {"url": "http://127.0.0.1:1/s3cret"}}, "ntfy": {"phone": {"topic": "s3cret"}}}
    assert "nobody is told" in raingauge(folder, {}, "list").output
    refused(folder)
    result = raingauge(folder, notify, "list")
    assert [line.strip().split(maxsplit=4) for line in result.output.splitlines()[1:]] == [
        ["ops", "webhook", "0", "1", "HTTP 404: no such channel [hidden]"], ["phone", "ntfy", "0", "0"],
    ]  # fmt: skip
    gone = raingauge(folder, {}, "list")
    assert "configured no more" in gone.output
    assert "s3cret" not in result.output


def test_retry(folder: Path) -> None:
    refused(folder)
    notify = {"webhook": {"ops": {"url": "http://127.0.0.1:1/"}}}
    assert raingauge(folder, notify, "retry", "ops").output == "1 message put back\n"
    assert raingauge(folder, notify, "retry").output == "0 messages put back\n"
    engine = open_database(folder / "state")
    assert (outbox.dead_letters(engine), state.waiting(engine)["ops"][0]) == ({}, 1)
    engine.dispose()
