"""Apache's status page and where it is proposed, without a server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reading import trial
from collectors.apache import COLLECTOR, Apache, discover, parse
from collectors.errors import ParseError
from collectors.inventory import Inventory, Listener, Process, Vhost, build
from tests.collectors.answering import answering
from tests.collectors.captures import captures
from tests.lab.ports import free_port

MAIN = "/etc/apache2/apache2.conf"
PROCESSES = (
    Process(20, "apache2", "/usr/sbin/apache2 -k start", "root", 1),
    Process(21, "apache2", "/usr/sbin/apache2 -k start", "www-data", 20),
)
ENOUGH = "BusyWorkers: 1\nScoreboard: _W.\n"


def values(page: str) -> dict[str, float]:
    return {",".join([sample.family.name, *sample.labels]): sample.value for sample in parse(page)}


def test_a_page_without_extended_status_has_no_requests_but_workers() -> None:
    (plain,) = (capture for capture in captures() if capture.folder.name == "apache-2.4-plain")
    names = {sample.family.name for sample in plain.samples()}
    assert names >= {"apache_workers", "apache_scoreboard", "apache_uptime_seconds_total"}
    assert not names & {"apache_accesses_total", "apache_cpu_time_ms_total", "apache_duration_ms_total"}


def test_every_place_is_counted_once() -> None:
    found = values("BusyWorkers: 3\nScoreboard: _SRWKDCLGI..z\n")
    assert {name: value for name, value in found.items() if "scoreboard" in name} == {
        f"apache_scoreboard,{state}": 1 + (state == "open_slot")
        for state in ("idle", "startup", "read", "reply", "keepalive", "dns", "closing", "logging", "graceful_stop",
                      "idle_cleanup", "open_slot")
    }  # fmt: skip


@pytest.mark.parametrize(
    ("version", "number"),
    [("Apache/2.4.71 (Debian) PHP/8.2.1", 2.04071), ("Apache/2.4.6", 2.04006), ("Apache", None), ("Apache/2.4", None)],
)
def test_the_version_as_one_number(version: str, number: float | None) -> None:
    found = values(f"{ENOUGH}ServerVersion: {version}\nServerMPM: event")
    assert found.get("apache_version") == number
    assert found[f"apache_info,event,{version}"] == 1


@pytest.mark.parametrize("page", ["", "<html>", "Active connections: 1", "Scoreboard: ___\n", "BusyWorkers: 1\n"])
def test_another_page_is_refused(page: str) -> None:
    with pytest.raises(ParseError, match="expected a server-status page"):
        list(parse(page))


@given(st.text(alphabet="Load1: Uptime\nProxyBalancer[0]Worker[]NameSentRcvdK-+einfna.0123456789²", max_size=200))
def test_any_lines_are_read_as_far_as_they_go(text: str) -> None:
    assert values(ENOUGH + text)["apache_workers,busy"] >= 0


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "denied"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "unsupported"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "parse"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello", "parse"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "parse"),
        (b"", "unreachable"),
    ],
)
def test_what_is_no_status_page(answer: bytes, outcome: str) -> None:
    with answering(answer, before=False) as port:
        (reading,) = trial(COLLECTOR, Apache(url=f"http://127.0.0.1:{port}/server-status?auto"))
    assert (reading.outcome, reading.bug) == (outcome, None)
    (reading,) = trial(COLLECTOR, Apache(url=f"http://127.0.0.1:{free_port()}/server-status?auto"))
    assert reading.outcome == "unreachable"


def inventory(text: str, *listeners: Listener) -> Inventory:
    return build("h", PROCESSES, listeners, {MAIN: text} if text else {})


STATUS = "<Location /server-status>\nSetHandler server-status\n</Location>\n"


def test_every_way_to_the_page_is_proposed_under_one_name_the_best_first() -> None:
    text = (
        f"Listen 10.0.0.5:80\nListen 443\nListen 8080\n{STATUS}<VirtualHost *:443>\nSSLEngine on\n"
        "ServerName a.example\n</VirtualHost>\n<VirtualHost *:80>\nServerName *.b.example\n</VirtualHost>\n"
    )
    proposals = list(discover(inventory(text)))
    assert {each.found for each in proposals} == {f"Apache ({MAIN}) has a server-status page"}
    assert [each.config for each in proposals] == [
        Apache(url="http://127.0.0.1:8080/server-status?auto"),
        Apache(url="https://127.0.0.1:443/server-status?auto", host_header="a.example"),
        Apache(url="http://10.0.0.5:80/server-status?auto"),
    ]
    assert "Require local" in proposals[0].remedy


def test_without_a_page_the_lines_for_one_are_shown() -> None:
    (proposal,) = discover(inventory("LoadModule php_module libphp8.2.so\nListen 80"))
    assert proposal.config is None
    assert proposal.found == (
        f"Apache (pid 20, {MAIN}) has no server-status page, with mod_php: Apache itself runs PHP"
    )
    assert "a2enmod status; a2enconf raingauge" in proposal.remedy
    assert "SetHandler server-status" in proposal.remedy


def test_a_configuration_that_we_may_not_read_leaves_guesses() -> None:
    at = (Listener("apache2", 20, "::", 80), Listener("apache2", 20, "::", 443), Listener("nginx", 9, "::", 81))
    (proposal,) = discover(inventory("", *at))
    assert proposal.config == Apache(url="http://127.0.0.1:80/server-status?auto")


def test_what_does_not_run_is_not_proposed() -> None:
    vhost = Vhost("apache", (), "", ("*:80",), False, (), "", (), ("/server-status",), main=MAIN)
    assert list(discover(Inventory("h", vhosts=(vhost,)))) == []
