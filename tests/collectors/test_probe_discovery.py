"""Which checks are proposed for the sites of a web server."""

from typing import Any

from collectors.inventory import Inventory, Vhost
from collectors.probe.config import Probe
from collectors.probe.discovery import discover


def vhost(names: tuple[str, ...], *listens: str, **more: Any) -> Vhost:
    known: dict[str, Any] = {"root": "/srv", "tls": False, "logs": (), "log_format": "", "fastcgi": ()}
    return Vhost("nginx", names, listens=listens, **{**known, **more})


def test_each_site_is_proposed_once_tls_first_at_its_own_address() -> None:
    found = discover(
        Inventory(
            "h",
            vhosts=(
                vhost(("shop.example", "www.shop.example"), "*:80"),
                vhost(("shop.example",), "*:443", tls=True, tls_listens=("*:443",)),
                vhost(("*.cdn.example", "~^x", "cdn.example"), "10.0.0.5:8080"),
                vhost(("_",), "[::]:8081"),
                vhost(("status.example",), "127.0.0.1:8099", root="", status_paths=("/stub_status",)),
                vhost(("socket.example",), "unix:/run/x.sock"),
                vhost(("passed-on.example",), "*:80", root=""),
                vhost(("shop.example",), "*:8443", main="/opt/other/nginx.conf"),
            ),
        )
    )
    configs = [proposal.config for proposal in found]
    assert [(config.url, config.host_header) for config in configs if isinstance(config, Probe)] == [
        ("https://127.0.0.1:443/", "shop.example"),
        ("http://10.0.0.5:8080/", "cdn.example"),
        ("http://[::1]:8081/", ""),
        ("http://127.0.0.1:80/", "passed-on.example"),
        ("http://127.0.0.1:8443/", "shop.example"),
    ]
    assert all(isinstance(config, Probe) and config.height == "local" and not config.verify_tls for config in configs)
