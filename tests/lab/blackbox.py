"""Debian's blackbox_exporter with the modules that the tests compare."""

import json
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

from tests.lab.ports import free_port
from tests.lab.servers import Server

SMTP_LINES = [
    {"expect": "^220 ", "send": "EHLO prober"},
    {"expect": "^250-STARTTLS", "send": "STARTTLS"},
    {"expect": "^220", "starttls": True},
    {"send": "QUIT"},
]
SSH_LINES = [{"expect": "^SSH-2.0-", "send": "SSH-2.0-blackbox-ssh-check"}]


class Blackbox(Server):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        dns = {"query_name": ".", "query_type": "NS", "preferred_ip_protocol": "ip4"}
        modules: dict[str, dict[str, object]] = {
            "http_2xx": {"prober": "http", "http": {"preferred_ip_protocol": "ip4"}},
            "http_2xx_unverified": {
                "prober": "http",
                "http": {"preferred_ip_protocol": "ip4", "tls_config": {"insecure_skip_verify": True}},
            },
            "http_post_2xx": {"prober": "http", "http": {"method": "POST"}},
            "tcp_connect": {"prober": "tcp"},
            "tcp_connect_tls": {"prober": "tcp", "tcp": {"tls": True}},
            "ssh_banner": {"prober": "tcp", "tcp": {"query_response": SSH_LINES}},
            "smtp_starttls": {"prober": "tcp", "tcp": {"query_response": SMTP_LINES}},
            "dns_udp": {"prober": "dns", "dns": dns},
            "dns_tcp": {"prober": "dns", "dns": {**dns, "transport_protocol": "tcp"}},
            "icmp": {"prober": "icmp"},
        }
        self._configuration = directory / "blackbox.yml"
        # JSON is YAML, too.
        self._configuration.write_text(
            json.dumps({"modules": {name: {**each, "timeout": "5s"} for name, each in modules.items()}})
        )

    def command(self) -> Sequence[str]:
        return ["prometheus-blackbox-exporter", f"--config.file={self._configuration}",
                f"--web.listen-address=127.0.0.1:{self.port}"]  # fmt: skip

    def probe(self, target: str, module: str) -> str:
        asked = urlencode({"target": target, "module": module})
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/probe?{asked}", timeout=60) as answer:
            text: str = answer.read().decode()
            return text
