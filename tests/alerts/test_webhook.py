import re
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from alerts.message.words import stamp
from alerts.notices import Notice, fingerprint, group_key
from alerts.notifiers.webhook import Webhook, body, render
from tests.alerts.examples import alert

NOTICE = Notice(
    "ops",
    {"alertname": "Broken", "host": "web1"},
    (alert(), alert(state="resolved", disk="sda")),
    "http://rg",
    reason="first firing",
)


def test_body() -> None:
    assert body(NOTICE) == {
        "receiver": "ops",
        "status": "firing",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "Broken", "host": "web1", "severity": "warning"},
                "annotations": {"summary": "web1 is broken"},
                "startsAt": "2023-11-14T22:13:20.000Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://rg/alerts?name=Broken",
                "fingerprint": fingerprint(alert().labels),
            },
            {
                "status": "resolved",
                "labels": {"alertname": "Broken", "host": "web1", "severity": "warning", "disk": "sda"},
                "annotations": {"summary": "web1 is broken"},
                "startsAt": "2023-11-14T22:13:20.000Z",
                "endsAt": "2023-11-14T22:13:50.000Z",
                "generatorURL": "http://rg/alerts?name=Broken",
                "fingerprint": fingerprint(alert(disk="sda").labels),
            },
        ],
        "groupLabels": {"alertname": "Broken", "host": "web1"},
        "commonLabels": {"alertname": "Broken", "host": "web1", "severity": "warning"},
        "commonAnnotations": {"summary": "web1 is broken"},
        "externalURL": "http://rg",
        "version": "4",
        "groupKey": '{}:{alertname="Broken", host="web1"}',
        "notification_reason": "first firing",
        "truncatedAlerts": 0,
    }


def test_the_same_key_at_each_try() -> None:
    config = Webhook.model_validate({"url": "http://x/"})
    keys = [
        render(replace(NOTICE, at=at, id=name), config).headers["Idempotency-Key"]
        for at, name in ((1.0, "7.1.0"), (2.0, "7.1.0"), (2.0, "7.2.0"))
    ]
    assert keys[0] == keys[1] != keys[2]


def test_resolved_when_all_are() -> None:
    assert replace(NOTICE, alerts=(alert(state="resolved"),)).status == "resolved"


def test_fingerprint_is_fnv_of_sorted_labels() -> None:
    assert fingerprint({}) == "cbf29ce484222325"  # the offset basis
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})
    assert fingerprint({"a": "1", "b": "2"}) != fingerprint({"a": "2", "b": "1"})
    assert re.fullmatch("[0-9a-f]{16}", fingerprint({"ä": "ö"}))


def test_group_key_is_escaped() -> None:
    assert group_key({"b": 'say "hi"\\', "a": "x\n"}) == '{}:{a="x\\n", b="say \\"hi\\"\\\\"}'


@pytest.mark.parametrize(("at", "text"), [
    (None, "0001-01-01T00:00:00Z"), (0.0, "1970-01-01T00:00:00.000Z"), (1.9999, "1970-01-01T00:00:02.000Z"),
])  # fmt: skip
def test_stamp(at: float | None, text: str) -> None:
    assert stamp(at) == text


def test_request_tells_no_secret() -> None:
    config = Webhook.model_validate({"url": "https://hooks.example/s3cret", "token": "t0ken"})
    request = render(NOTICE, config)
    assert (request.url, request.bearer) == ("https://hooks.example/s3cret", "t0ken")
    assert not re.search("s3cret|t0ken", repr(request) + repr(config) + str(config) + config.model_dump_json())


def test_token_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken\n")
    config = Webhook.model_validate({"url": "http://x/", "token_file": tmp_path / "token"})
    assert render(NOTICE, config).bearer == "t0ken"


@pytest.mark.parametrize("url", ["ftp://s3cret.example/", "s3cret", "http:///s3cret", ""])
def test_bad_address_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValidationError, match="expected an http:// or https:// address") as caught:
        Webhook.model_validate({"url": url})
    assert "s3cret" not in str(caught.value.errors(include_input=False))
