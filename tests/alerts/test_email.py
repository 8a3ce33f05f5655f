"""Mail as a server gets it: threads, headers, encryption, refusals."""

import logging
import smtplib
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import Engine

from alerts import state
from alerts.attempt import Attempt, attempt
from alerts.delivery import Delivery
from alerts.message.context import Context
from alerts.model import Alert
from alerts.notices import Notice
from alerts.notifier import Channel
from alerts.notifiers.email import NOTIFIER, Email, compose
from tests.alerts.examples import T, alert, tell
from tests.alerts.mailserver import MailServer, certificate
from tests.alerts.receiver import BlackHole
from tests.alerts.told import HOSTILE, NOTICES, NOW, SETTINGS, notice, over


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("mail"))


@pytest.fixture
def known(pem: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    return pem


def mailbox(port: int | None, **options: Any) -> Channel:
    fields = {"server": "127.0.0.1", "port": port, "tls": "none", "sender": "rg@example.org", "to": ["ops@example.org"]}
    return Channel("mail", NOTIFIER, Email.model_validate(fields | options))


def send(port: int, told: Notice = NOTICES["one"], **options: Any) -> Attempt:
    return attempt(mailbox(port, **options), told, NOW)


def test_a_group_is_one_thread(engine: Engine) -> None:
    with MailServer() as server:
        channel = mailbox(server.port)
        delivery = Delivery(engine, [channel], lambda: NOW)
        ended = [alert(state="resolved"), alert(disk="sda", state="resolved")]
        for number, each in enumerate(([alert()], [alert(), alert(disk="sda")], ended)):
            tell(engine, channel, *each, now=T + 60 * number)
            delivery.deliver_next(channel)
        tell(engine, channel, alert("Other"), now=T + 180)
        delivery.deliver_next(channel)
    first, *others, other = [received.mail for received in server.received]
    assert len(others) == 2
    for mail in others:
        for header in ("References", "In-Reply-To", "Subject"):
            assert mail[header] == first[header]
    assert other["References"] != first["References"]
    assert len({received.mail["Message-ID"] for received in server.received}) == 4
    assert {received.mail["Message-ID"] for received in server.received}.isdisjoint({first["References"]})
    assert [mail["X-Raingauge-Status"] for mail in (first, *others)] == ["firing", "firing", "resolved"]


def test_a_message_that_is_sent_twice_has_one_name_and_a_reminder_another(engine: Engine) -> None:
    channel = mailbox(1)
    tell(engine, channel, alert())
    message = state.next_message(engine, "mail")
    assert message
    delivery = Delivery(engine, [channel], lambda: NOW)
    names = {compose(delivery._notice(message), channel.settings)["Message-ID"] for _ in range(2)}  # type: ignore[arg-type]
    assert len(names) == 1
    state.sent(engine, message)
    tell(engine, channel, alert(), now=T + 5 * 3600)
    reminder = state.next_message(engine, "mail")
    assert reminder
    assert compose(delivery._notice(reminder), channel.settings)["Message-ID"] not in names  # type: ignore[arg-type]


def test_text_html_and_picture_arrive_whole() -> None:
    with MailServer() as server:
        assert send(server.port, NOTICES["rich"]).outcome == "done"
    (received,) = server.received
    plain, page = received.mail.get_body(("plain",)), received.mail.get_body(("html",))
    assert isinstance(plain, EmailMessage)
    assert isinstance(page, EmailMessage)
    assert plain.get_content().startswith("web1: /srv has 2.1% of its space left: 2.1%, usual 40%, for 6 min")
    assert "▆" in plain.get_content()
    assert 'src="cid:chart"' in page.get_content()
    (picture,) = [part for part in received.mail.walk() if part.get_content_type() == "image/png"]
    assert (picture["Content-ID"], picture.get_content()[:4]) == ("<chart>", b"\x89PNG")
    assert max(len(line) for line in received.raw.split(b"\r\n")) <= 998


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_encrypted_with_a_login(known: Path, tls: str, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    with MailServer(known, tls=tls) as server:
        assert send(server.port, tls=tls, username="rg", password_file=tmp_path / "password") == Attempt(
            "done", "SMTP 250: accepted for 1 of 1"
        )
    (received,) = server.received
    assert (received.encrypted, received.login) == (True, ("rg", "s3cret"))
    assert (received.sender, received.recipients) == ("rg@example.org", ("ops@example.org",))


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_an_unknown_certificate_gets_neither_password_nor_mail(pem: Path, tls: str) -> None:
    with MailServer(pem, tls=tls) as server:
        tried = send(server.port, tls=tls, username="rg", password="s3cret")
    assert (tried.outcome, "CERTIFICATE_VERIFY_FAILED" in tried.words) == ("retry", True)
    assert server.received == []
    assert not [line for line in server.spoken if line.startswith(b"AUTH")]


def test_a_server_without_starttls_gets_neither_password_nor_mail() -> None:
    with MailServer() as server:
        tried = send(server.port, tls="starttls", username="rg", password="s3cret")
    assert (tried.outcome, tried.words.partition(":")[0]) == ("retry", "SMTPNotSupportedError")
    assert (server.received, [line for line in server.spoken if line.startswith(b"AUTH")]) == ([], [])


@pytest.mark.parametrize(("answers", "outcome", "words"), [
    ({"EHLO": "421 busy", "HELO": "421 busy"}, "retry", "SMTP 421: busy"),
    ({"AUTH": "535 s3cret is wrong"}, "permanent", "SMTP 535: [hidden] is wrong"),
    ({"AUTH": "454 later"}, "retry", "SMTP 454: later"),
    ({"MAIL": "530 not you"}, "permanent", "SMTP 530: not you"),
    ({"RCPT": "550 no <ops@example.org> here"}, "permanent", "SMTP 550: no <[hidden]> here"),
    ({"RCPT": "450 greylisted"}, "retry", "SMTP 450: greylisted"),
    ({"DATA": "452 disk is full"}, "retry", "SMTP 452: disk is full"),
    ({"TAKEN": "554 looks like spam"}, "permanent", "SMTP 554: looks like spam"),
])  # fmt: skip
def test_refusals(answers: dict[str, str], outcome: str, words: str) -> None:
    with MailServer(answers=answers) as server:
        assert send(server.port, username="rg", password="s3cret") == Attempt(outcome, words)  # type: ignore[arg-type]


def test_one_recipient_that_is_refused_does_not_keep_it_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    with MailServer() as server:
        tried = send(server.port, to=["nobody@example.org", "ops@example.org"])
    assert tried == Attempt("done", "SMTP 250: accepted for 1 of 2")
    assert len(server.received) == 1
    assert "nobody@" not in caplog.text
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize(
    ("tls", "kind", "port"), [("starttls", "SMTP", 587), ("tls", "SMTP_SSL", 465), ("none", "SMTP", 25)]
)
def test_usual_ports(tls: str, kind: str, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(_server: str, at: int, *_: object, **__: object) -> None:
        raise ConnectionRefusedError(f"port {at}")

    monkeypatch.setattr(smtplib, kind, connect)
    tried = attempt(mailbox(None, tls=tls), NOTICES["one"], NOW)
    assert tried.words == f"ConnectionRefusedError: port {port}"


def test_a_server_that_never_speaks_is_retried() -> None:
    with BlackHole() as hole:
        tried = send(int(hole.url.rpartition(":")[2].strip("/")), timeout=0.05)
    assert (tried.outcome, "timed out" in tried.words) == ("retry", True)


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_label_can_add_a_header_or_a_part(name: str, summary: str) -> None:
    labels = {"alertname": name, "host": summary, "severity": name}
    told = notice(Alert(labels, {"summary": summary, "description": name}, "firing", 1.0, T, T))
    mail = compose(told, Email.model_validate({"server": "x", "sender": "rg@example.org", "to": ["ops@example.org"]}))
    read = mail.as_bytes()
    assert set(mail.keys()) <= {
        "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
        "X-Raingauge-Status", "Importance", "MIME-Version", "Content-Type",
    }  # fmt: skip
    head = read.partition(b"\n\n")[0].decode()
    assert [line for line in head.splitlines() if not line.startswith((" ", *(f"{key}:" for key in mail.keys())))] == []  # noqa: SIM118
    assert len(list(mail.walk())) == 3


def test_hostile_words_arrive_as_words() -> None:
    with MailServer() as server:
        send(server.port, replace(NOTICES["hostile"], group_labels={"alertname": HOSTILE}))
    (received,) = server.received
    assert received.recipients == ("ops@example.org",)
    assert received.mail["Bcc"] is None
    assert "<!channel>" in received.mail["Subject"]


def test_a_line_with_one_dot_ends_nothing() -> None:
    told = notice(replace(alert(), annotations={"summary": "x", "description": "a\n.\nb", "first_steps": ".\n."}))
    with MailServer() as server:
        assert send(server.port, told).outcome == "done"
    body = server.received[0].mail.get_body(("plain",))
    assert isinstance(body, EmailMessage)
    assert "a\n.\nb" in body.get_content().replace("\r\n", "\n")


def test_a_chart_that_is_not_there_is_not_shown() -> None:
    mail = compose(notice(alert(), context=Context()), mailbox(1).settings)  # type: ignore[arg-type]
    assert "cid:" not in mail.as_string()
    assert compose(notice(over(alert())), mailbox(1).settings)["Importance"] is None  # type: ignore[arg-type]


@pytest.mark.parametrize(("options", "words"), [
    ({"sender": "a@b\r\nBcc: c@d"}, "expected an address"),
    ({"to": ["ops@example.org, boss@example.org"]}, "expected an address"),
    ({"to": ["Ops <ops@example.org>"]}, "expected an address"),
    ({"to": []}, "at least 1 item"),
    ({"username": "rg"}, "expected username and password together"),
    ({"password": "x"}, "expected username and password together"),
    ({"server": "mail.example.org", "username": "rg", "password": "x"}, "expected tls: starttls or tls"),
    ({"server": "mail example"}, "match pattern"),
    ({"tls": "ssl"}, "'starttls', 'tls' or 'none'"),
])  # fmt: skip
def test_settings_that_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        mailbox(25, **options)


def test_the_groups_of_an_incident_are_one_thread() -> None:
    settings = Email.model_validate(SETTINGS["email"])
    known = NOTICES["incident"].context
    mails = [compose(notice(one, context=known), settings) for one in (alert(), alert("Other"))]
    assert {mail["Subject"] for mail in mails} == {"Incident 12 on shop.example"}
    first, second = (mail["References"].split() for mail in mails)
    assert first[0] == second[0] == "<raingauge.incident-12@example.org>"
    assert first[1] != second[1]
