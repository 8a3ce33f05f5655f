"""nginx itself: discovery reads its configuration, a trial reads its page."""

from pathlib import Path

import pytest

from collectors.errors import Denied, Unreachable, Unsupported
from collectors.inventory import Inventory, build, wanted
from collectors.nginx import COLLECTOR, parse, read
from collectors.nginx.config import Nginx
from collectors.sources.processes import processes
from collectors.sources.sockets import listeners
from tests.lab.ports import free_port
from tests.lab.servers import Nginx as Server

pytestmark = pytest.mark.servers


def inventory_of(server: Server) -> Inventory:
    """As discovery makes it, of this nginx alone, whatever else the machine is configured for."""
    assert server.process is not None
    place = server.configuration.parent
    known = [each for each in processes() if server.process.pid in (each.pid, each.parent)]
    texts: dict[str, str] = {}
    for _ in range(3):
        for pattern in wanted(texts, known):
            found = (path for path in Path("/").glob(pattern[1:]) if path.is_relative_to(place) and path.is_file())
            texts |= {str(path): path.read_text() for path in found}
    ours = tuple(at for at in listeners(known) if at.pid == server.process.pid)
    return build("h", known, ours, texts, ())


def test_discovered_and_read(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        inventory = inventory_of(server)
        assert [(at.process, at.port) for at in inventory.listeners] == [("nginx", server.port)]
        (proposal,) = COLLECTOR.discover(inventory)
        assert proposal.config == Nginx(url=f"{server.url}/stub_status", host_header="lab.example")
        first, second = (
            {sample.family.name: sample.value for sample in parse(read(proposal.config))} for _ in range(2)
        )
        assert second["nginx_http_requests_total"] == first["nginx_http_requests_total"] + 1
        assert second["nginx_connections_active"] == second["nginx_connections_writing"] == 1
    with pytest.raises(Unreachable, match=r"GET http://127.0.0.1.*refused"):
        read(proposal.config)


def test_a_page_inside_a_named_host_needs_its_name(tmp_path: Path) -> None:
    server = Server(tmp_path, status=False)
    named = f"server {{ listen 127.0.0.1:{server.port}; server_name status.example; location /s {{ stub_status; }} }}"
    text = server.configuration.read_text()
    server.configuration.write_text(text.rstrip().removesuffix("}") + named + "}\n")
    with server:
        (proposal,) = COLLECTOR.discover(inventory_of(server))
        assert isinstance(proposal.config, Nginx)
        assert list(parse(read(proposal.config)))
        with pytest.raises((Unsupported, Denied)):  # the first server has no such page
            read(Nginx(url=f"{server.url}/s"))


def test_the_remedy_makes_it_readable(tmp_path: Path) -> None:
    server = Server(tmp_path, status=False)
    with server:
        (proposal,) = COLLECTOR.discover(inventory_of(server))
        assert proposal.config is None
        assert server.process is not None
        assert proposal.remedy.endswith(f"then: kill -HUP {server.process.pid}")
    block = proposal.remedy.partition("\n")[2].rpartition("then:")[0].replace("8099", str(port := free_port()))
    text = server.configuration.read_text()
    server.configuration.write_text(text.rstrip().removesuffix("}") + block + "}\n")
    with server:
        (proposal,) = COLLECTOR.discover(inventory_of(server))
        assert proposal.config == Nginx(url=f"http://127.0.0.1:{port}/stub_status")
        assert list(parse(read(proposal.config)))


def test_denied(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.configuration.write_text(server.configuration.read_text().replace("allow 127.0.0.1;", ""))
    with server, pytest.raises(Denied, match="status 403"):
        read(Nginx(url=f"{server.url}/stub_status"))
