"""Send test on the settings page: it says what the receiver itself answered, or why there was no answer."""

import html
import re
import ssl
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from alerts.notifier import Channel
from alerts.registry import MODULES, notifier
from tests.alerts.mailserver import MailServer, certificate
from tests.alerts.receiver import BlackHole, Receiver
from tests.alerts.test_alertmanager import alertmanager
from tests.alerts.test_receivers import PACKAGE, Checking
from tests.alerts.told import channel
from tests.dashboard.world import World
from tests.lab.ports import free_port

POSTING = tuple(kind for kind in MODULES if notifier(kind).render)
OVER_A_SOCKET = (*POSTING, "email")


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("pem"))


def said(folder: Path, tried: Channel) -> str:
    """The notice on the page after its button was pressed."""
    client = World(folder, channels=[tried]).client()
    page = client.get("/settings/configuration").get_data(as_text=True)
    form = re.search(r'action="(/settings/channels/ops/test)">.*?name="csrf_token" value="([^"]+)"', page)
    assert form, "no button"
    answer = client.post(form[1], data={"csrf_token": form[2]}, follow_redirects=True)
    (notice,) = re.findall(r'<p class="notice[^>]*>(.*?)</p>', answer.get_data(as_text=True))
    assert "s3cret" not in notice
    return html.unescape(notice)


def at(kind: str, port: int, scheme: str = "http", **options: Any) -> Channel:
    """A receiver of this machine; mail with STARTTLS and a login."""
    if kind == "email":
        return channel(kind, server="127.0.0.1", port=port, tls="starttls", to=["ops@example.org"], **options)
    return channel(kind, url=f"{scheme}://127.0.0.1:{port}", **options)


def posted_to(kind: str, tmp_path: Path, status: int, words: str) -> str:
    with Checking(kind, words.encode(), status) as server:
        return said(tmp_path, at(kind, server.server_address[1]))


@pytest.mark.parametrize("kind", POSTING)
def test_taken(kind: str, tmp_path: Path) -> None:
    assert posted_to(kind, tmp_path, 202, "thank you") == "ops took the test message: HTTP 202: thank you"


@pytest.mark.parametrize("kind", POSTING)
def test_a_wrong_password(kind: str, tmp_path: Path) -> None:
    assert posted_to(kind, tmp_path, 401, "who are you") == "ops did not take it: HTTP 401: who are you"


@pytest.mark.parametrize(("answers", "words"), [
    ({}, "ops took the test message: SMTP 250: accepted for 1 of 1"),
    ({"AUTH": "535 s3cret is wrong"}, "ops did not take it: SMTP 535: [hidden] is wrong"),
])  # fmt: skip
def test_mail(answers: dict[str, str], words: str, pem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with MailServer(pem, tls="starttls", answers=answers) as server:
        assert said(tmp_path, at("email", server.port)) == words
    for received in server.received:
        assert (received.encrypted, received.login) == (True, ("rg", "s3cret"))
    assert len(server.received) == (not answers)


@pytest.mark.parametrize("kind", OVER_A_SOCKET)
def test_nobody_there(kind: str, tmp_path: Path) -> None:
    words = said(tmp_path, at(kind, free_port()))
    assert words == "ops did not take it: ConnectionRefusedError: [Errno 111] Connection refused"


@pytest.mark.parametrize("kind", OVER_A_SOCKET)
def test_an_unknown_certificate(kind: str, pem: Path, tmp_path: Path) -> None:
    with ExitStack() as running:
        if kind == "email":
            mails = running.enter_context(MailServer(pem, tls="starttls"))
            words = said(tmp_path, at(kind, mails.port))
            assert mails.received == []
        else:
            server = Checking(kind)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            running.enter_context(server)
            words = said(tmp_path, at(kind, server.server_address[1], "https"))
            assert server.got.empty()
    assert words.startswith("ops did not take it: SSLCertVerificationError: ")
    assert "self-signed certificate" in words


@pytest.mark.parametrize("kind", OVER_A_SOCKET)
def test_no_answer_in_time(kind: str, tmp_path: Path) -> None:
    with BlackHole() as hole:
        port = int(hole.url.rpartition(":")[2].strip("/"))
        words = said(tmp_path, at(kind, port, timeout=0.2))
    assert re.fullmatch("ops did not take it: [A-Za-z: ]*timed out", words)


@pytest.mark.parametrize(("url", "words"), [
    ("tgram://s3cret/1", "ops took the test message: Apprise 0"),
    ("refuse://s3cret", "ops did not take it: Apprise 5: the receiver did not accept it"),
    ("nosuch://s3cret", "ops did not take it: Apprise 4: Apprise does not know such an address"),
    ("hang://s3cret", "ops did not take it: TimeoutError: Apprise was not done within 3 s"),
])  # fmt: skip
def test_apprise(url: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "apprise.py").write_text(PACKAGE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("APPRISE_TOLD", str(tmp_path / "told"))
    timeout = 3.0 if url.startswith("hang") else 30.0
    assert said(tmp_path, channel("apprise", url=url, timeout=timeout)) == words


@pytest.mark.servers
def test_debians_alertmanager(tmp_path: Path) -> None:
    with Receiver() as receiver, alertmanager(tmp_path, receiver.url) as url:
        good = channel("alertmanager", url=url, username="", password=None)
        assert said(tmp_path, good) == "ops took the test message: HTTP 200"
        assert receiver.body()["commonLabels"]["alertname"] == "RaingaugeTest"
        elsewhere = channel("alertmanager", url=f"{url}/elsewhere", username="", password=None)
        assert said(tmp_path, elsewhere).startswith("ops did not take it: HTTP 404")
