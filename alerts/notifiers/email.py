"""E-mail over SMTP: text and HTML, one thread for each incident, or else for each group of alerts.

Source: RFC 5321, RFC 5322 (section 3.6.4: threads) and https://docs.python.org/3/library/smtplib.html
A thread's messages all answer one that was never sent, named after the group, and have one subject, as Gmail wants it.
"""

import hashlib
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from alerts.message.build import Message, build
from alerts.message.markup import CHART, html
from alerts.message.text import text
from alerts.notices import Notice
from alerts.notifier import Answer, ChannelSettings, Notifier, Verdict
from collectors.config import Port, Secret, reveal

if TYPE_CHECKING:
    import smtplib

log = logging.getLogger("raingauge.alerts.email")

ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
PORTS = {"starttls": 587, "tls": 465, "none": 25}
LOOPBACK = ("127.0.0.1", "::1", "localhost")
REFUSED = 550


def _address(text: str) -> str:
    if not ADDRESS.fullmatch(text):
        raise ValueError("expected an address such as ops@example.org")
    return text


Address = Annotated[str, AfterValidator(_address)]


class Email(ChannelSettings):
    server: Annotated[str, Field(min_length=1, pattern=r"^[\w.:-]+$")]
    """Name or address of the mail server."""
    port: Port | None = None
    """Its port; 587 for STARTTLS, 465 for TLS, 25 for neither."""
    tls: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is protected; certificates are verified. `none` only without a password, or on this host."""
    username: str = ""
    """How the server knows us; with a password."""
    password: Secret | None = None
    """For that server."""
    password_file: Path | None = None
    """File with the password, instead of `password`; read at each message."""
    sender: Address
    """The address that messages come from."""
    to: Annotated[tuple[Address, ...], Field(min_length=1, max_length=50)]
    """Who gets them."""

    @model_validator(mode="after")
    def _check_login(self) -> Self:
        has_password = self.password is not None or self.password_file is not None
        if bool(self.username) != has_password:
            raise ValueError("expected username and password together, found one of them")
        if has_password and self.tls == "none" and self.server not in LOOPBACK:
            raise ValueError("expected tls: starttls or tls with a password, found none")
        return self


def send(notice: Notice, settings: Email) -> Answer:
    """OSError where nobody answers, or the password's file cannot be read."""
    import smtplib

    mail = compose(notice, settings)
    password = reveal(settings.password, settings.password_file)
    try:
        with _connection(settings) as server:
            if password is not None:
                server.login(settings.username, password)
            refused = server.send_message(mail, settings.sender, list(settings.to))
    except smtplib.SMTPRecipientsRefused as error:
        return _refused(error.recipients)
    except smtplib.SMTPResponseException as error:
        return _answer(error.smtp_code, error.smtp_error)
    if refused:
        log.warning("server=%s refused=%d of=%d recipients", settings.server, len(refused), len(settings.to))
    return Answer(250, text=f"accepted for {len(settings.to) - len(refused)} of {len(settings.to)}", protocol="SMTP")


def _connection(settings: Email) -> "smtplib.SMTP":
    import smtplib
    import ssl

    port = settings.port or PORTS[settings.tls]
    if settings.tls == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(settings.server, port, "raingauge", timeout=settings.timeout, context=context)
    server = smtplib.SMTP(settings.server, port, "raingauge", timeout=settings.timeout)
    if settings.tls == "starttls":
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server


def _refused(recipients: Mapping[str, tuple[int, bytes]]) -> Answer:
    """All of them; one that may take it later is reason enough to try again."""
    code, words = min(recipients.values(), key=lambda each: each[0], default=(REFUSED, b""))
    return _answer(code, words)


def _answer(code: int, words: bytes | str) -> Answer:
    said = words.decode(errors="replace") if isinstance(words, bytes) else words
    meaning: Verdict = "permanent" if 500 <= code < 600 else "retry"
    return Answer(code, text=" ".join(said.split())[:200], protocol="SMTP", meaning=meaning)


def compose(notice: Notice, settings: Email) -> EmailMessage:
    """The same for the same notice. Pure."""
    message = build(notice)
    domain = settings.sender.partition("@")[2]
    threads = _threads(message, domain)
    mail = EmailMessage()
    mail["From"] = settings.sender
    mail["To"] = ", ".join(settings.to)
    mail["Subject"] = (message.context.incident_title if message.context else "") or message.title
    mail["Date"] = format_datetime(datetime.fromtimestamp(notice.at, UTC))
    mail["Message-ID"] = f"<{_name(notice, message)}@{domain}>"
    mail["In-Reply-To"] = threads[-1]
    mail["References"] = " ".join(threads)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Raingauge-Status"] = message.status
    if message.severity == "critical" and message.status == "firing":
        mail["Importance"] = "high"
    mail.set_content(text(message), cte="quoted-printable")
    chart = message.context.chart_png if message.context else b""
    mail.add_alternative(html(message, with_chart=bool(chart)), subtype="html", cte="quoted-printable")
    if chart:
        _part(mail).add_related(chart, "image", "png", cid=f"<{CHART}>", filename="chart.png", disposition="inline")
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"raingauge-{message.key}-{number}")
    return mail


def _threads(message: Message, domain: str) -> list[str]:
    """The incident's, then the group's within it."""
    incident = message.context.incident if message.context else None
    group = f"<raingauge.{message.key}@{domain}>"
    return [group] if incident is None else [f"<raingauge.incident-{incident}@{domain}>", group]


def _part(mail: EmailMessage) -> EmailMessage:
    found = mail.get_body(("html",))
    assert isinstance(found, EmailMessage)
    return found


def _name(notice: Notice, message: Message) -> str:
    """The same at each try, so that a mailbox drops what comes twice; another one for a reminder."""
    state = [(sorted(alert.labels.items()), alert.state, alert.fired_at, alert.resolved_at) for alert in notice.alerts]
    return f"raingauge.{message.key[:12]}.{hashlib.sha256(repr((notice.id, state)).encode()).hexdigest()[:24]}"


NOTIFIER = Notifier("email", Email, "Mailboxes, told by SMTP", send=send)
