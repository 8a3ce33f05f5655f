"""nginx: its status page, and where discovery looks for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import ParseError
from collectors.inventory import Inventory, Listener, Process, build
from collectors.nginx import COLLECTOR, parse
from collectors.nginx.config import Nginx

PAGE = """Active connections: 3
server accepts handled requests
 11 10 42
Reading: 1 Writing: 2 Waiting: 0
"""
MAIN = "/etc/nginx/nginx.conf"
MASTER = Process(12, "nginx", "nginx: master process /usr/sbin/nginx -g daemon on; master_process on;", "root", 1)
LISTENER = Listener("nginx", 12, "0.0.0.0", 80)


def test_a_page() -> None:
    assert {sample.family.name: sample.value for sample in parse(PAGE)} == {
        "nginx_connections_active": 3, "nginx_connections_accepted": 11, "nginx_connections_handled": 10,
        "nginx_http_requests_total": 42, "nginx_connections_reading": 1, "nginx_connections_writing": 2,
        "nginx_connections_waiting": 0,
    }  # fmt: skip


@given(st.text())
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ParseError, match="expected a stub_status page"):
        parse(text)


def proposals(server: str, *processes: Process) -> list[tuple[Nginx | None, str]]:
    inventory = build("h", processes or (MASTER,), (LISTENER,), {MAIN: f"http {{ {server} }}"}, ())
    return [(proposal.config, proposal.remedy) for proposal in COLLECTOR.discover(inventory)]  # type: ignore[misc]


STUB = "location = /status { stub_status; }"


@pytest.mark.parametrize(
    ("server", "url", "host"),
    [
        (f"server {{ {STUB} }}", "http://127.0.0.1:80/status", ""),
        (f"server {{ listen 10.0.0.5:81; {STUB} }}", "http://10.0.0.5:81/status", ""),
        (f"server {{ listen [::1]:82; {STUB} }}", "http://[::1]:82/status", ""),
        (f"server {{ listen 80; server_name _ a.example; {STUB} }}", "http://127.0.0.1:80/status", "a.example"),
        (f"server {{ listen 443 ssl; {STUB} }}", "https://127.0.0.1:443/status", ""),
        (f"server {{ listen 80; listen 443 ssl; {STUB} }}", "http://127.0.0.1:80/status", ""),
        (f"server {{ listen 8443 ssl; listen 80; {STUB} }}", "https://127.0.0.1:8443/status", ""),
        (f"server {{ listen 443; listen 8443 ssl; {STUB} }}", "http://127.0.0.1:443/status", ""),
        (f"server {{ listen unix:/run/n; listen 83; {STUB} }}", "http://127.0.0.1:83/status", ""),
        (f"server {{ listen 84; }} server {{ listen 85; {STUB} }} server {{ listen 86; {STUB} }}",
         "http://127.0.0.1:85/status", ""),
    ],
)  # fmt: skip
def test_the_first_status_location_of_a_configuration(server: str, url: str, host: str) -> None:
    ((config, remedy),) = proposals(server)
    assert config == Nginx(url=url, host_header=host)
    assert "\n    allow 127.0.0.1;\nthen: nginx -t && systemctl reload nginx" in remedy


def test_without_a_status_location_the_remedy_is_a_whole_block() -> None:
    ((config, remedy),) = proposals("server { listen 80; }")
    assert config is None
    assert remedy.startswith("in a new file /etc/nginx/conf.d/raingauge.conf, write:\n    server {\n")
    assert "listen 127.0.0.1:8099;" in remedy
    assert remedy.endswith("then: nginx -t && systemctl reload nginx")


def test_a_configuration_that_nobody_runs_asks_for_nothing() -> None:
    assert proposals("server { listen 80; }", Process(1, "init", "init", "root")) == []


def test_an_unreadable_configuration_is_guessed_at() -> None:
    inventory = Inventory("h", (MASTER,), (LISTENER, Listener("nginx", 12, "::", 443), Listener("x", 3, "::", 81)))
    assert [proposal.config for proposal in COLLECTOR.discover(inventory)] == [
        Nginx(url="http://127.0.0.1:80/stub_status"),
        Nginx(url="http://127.0.0.1:80/nginx_status"),
    ]


def test_instance_is_host_and_port() -> None:
    assert COLLECTOR.instance(Nginx(url="http://127.0.0.1:8099/x"), "h") == "h:8099"
    assert COLLECTOR.instance(Nginx(url="http://localhost/x"), "h") == "h:80"
    assert COLLECTOR.instance(Nginx(url="https://localhost/x"), "h") == "h:443"
