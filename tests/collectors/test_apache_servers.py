"""Apache itself: discovery reads its configuration, a trial reads its page, and Debian's exporter says the same."""

import urllib.request
from pathlib import Path

import pytest

from agent.exposition import render
from agent.look import configuration_texts
from agent.reading import trial
from collectors.apache import COLLECTOR, Apache, parse, read
from collectors.errors import Denied
from collectors.inventory import Inventory, build
from collectors.sources.processes import processes
from collectors.sources.sockets import listeners
from tests.collectors.beside import differences, page_of
from tests.lab.apache import STATUS
from tests.lab.apache import Apache as Server
from tests.lab.exporters import Exporter
from tests.lab.ports import free_port
from tests.lab.servers import PhpFpm

pytestmark = pytest.mark.servers

VOLATILE = (
    "apache_scoreboard",
    "apache_workers",
    "apache_connections",
    "apache_processes",
    "apache_cpuload",
    "apache_load",
)
"""Gauges that go up and down while one reads."""


def inventory_of(server: Server) -> Inventory:
    """As discovery makes it, of this Apache alone."""
    assert server.process is not None
    known = [each for each in processes() if server.process.pid in (each.pid, each.parent)]
    texts, _ = configuration_texts(known)
    return build("h", known, [at for at in listeners(known) if at.pid == server.process.pid], texts)


def get(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        text: str = answer.read().decode()
    return text


def test_discovered_and_read(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        inventory = inventory_of(server)
        (proposal,) = COLLECTOR.discover(inventory)
        assert proposal.config == Apache(url=f"{server.url}/server-status?auto", host_header="lab.example")
        first, second = (
            {sample.family.name: sample.value for sample in parse(read(proposal.config))} for _ in range(2)
        )
        assert second["apache_accesses_total"] == first["apache_accesses_total"] + 1
        assert COLLECTOR.target(proposal.config, "h").instance == f"h:{server.port}"


@pytest.mark.parametrize("status", ["On", "Off"])
def test_debians_exporter_says_the_same(tmp_path: Path, status: str) -> None:
    more = (
        f'ExtendedStatus {status}\n<Proxy "balancer://b">\nBalancerMember "http://127.0.0.1:9"\n</Proxy>\n'
        'ProxyPass "/b" "balancer://b"\n'
    )
    (tmp_path / "page.html").write_text("x" * 5000)
    with (
        Server(tmp_path, more=more) as server,
        Exporter(
            tmp_path / "exporter", "prometheus-apache-exporter", "--telemetry.address",
            f"--scrape_uri={server.url}/server-status?auto",
        ) as exporter,
    ):  # fmt: skip
        for _ in range(300):
            get(f"{server.url}/page.html")
        before = page_of(exporter.url)
        (reading,) = trial(COLLECTOR, Apache(url=f"{server.url}/server-status?auto"))
        ours = render(reading.samples).decode()
        assert differences(before, ours, page_of(exporter.url), VOLATILE) == {}
        assert ("apache_accesses_total" in ours) == (status == "On")
        assert "apache_proxy_balancer_accesses_total" in ours


def test_mod_php_is_told_and_a_pool_is_followed(tmp_path: Path) -> None:
    for name, server in {
        "module": Server(tmp_path / "a", mod_php=True),
        "pool": Server(tmp_path / "b", fastcgi=str(tmp_path / "fpm" / "fpm.sock")),
    }.items():
        (server.directory / "index.php").write_text("<?php echo 6 * 7;")
        with PhpFpm(tmp_path / "fpm"), server:
            assert get(f"{server.url}/index.php") == "42"
            inventory = inventory_of(server)
            (proposal,) = COLLECTOR.discover(inventory)
            assert ("Apache itself runs PHP" in proposal.found) == (name == "module")
            (vhost,) = (each for each in inventory.vhosts if each.server == "apache")
            assert vhost.fastcgi == (() if name == "module" else (f"unix:{tmp_path}/fpm/fpm.sock",))


def test_a_site_that_answers_in_place_of_the_page_does_not_hide_it(tmp_path: Path) -> None:
    """As the .htaccess of a Drupal site does, in the vhost that is the default."""
    port = free_port()
    site = (
        f'<VirtualHost 127.0.0.1:{port}>\nServerName a.example\nRedirectMatch 404 "^/server-status"\n</VirtualHost>\n'
    )
    alias = "LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so\n"
    with Server(tmp_path, more=f"{alias}Listen 127.0.0.1:{port}\n{site}") as server:
        proposals = list(COLLECTOR.discover(inventory_of(server)))
        assert len({each.found for each in proposals}) == 1
        outcomes = [trial(COLLECTOR, each.config)[0].outcome for each in proposals if each.config]
        assert sorted(outcomes) == ["ok", "unsupported"]


def test_the_remedy_makes_it_readable(tmp_path: Path) -> None:
    server = Server(tmp_path, status=False)
    with server:
        (proposal,) = COLLECTOR.discover(inventory_of(server))
        assert proposal.config is None
        assert server.process is not None
        assert proposal.remedy.endswith(f"then: kill -USR1 {server.process.pid}")
    block = proposal.remedy.partition("\n")[2].rpartition("then:")[0].replace("8098", str(port := free_port()))
    server.configuration.write_text(server.configuration.read_text() + block)
    with server:
        (proposal,) = COLLECTOR.discover(inventory_of(server))
        assert proposal.config == Apache(url=f"http://127.0.0.1:{port}/server-status?auto")
        assert list(parse(read(proposal.config)))


def test_denied(tmp_path: Path) -> None:
    server = Server(tmp_path, status=False, more=STATUS.replace("Require local", "Require all denied"))
    with server, pytest.raises(Denied, match="status 403"):
        read(Apache(url=f"{server.url}/server-status?auto"))
