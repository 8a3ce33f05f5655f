"""What blackbox_exporter's usual modules ask, by their names: a target becomes the settings of a check.

Source: https://github.com/prometheus/blackbox_exporter/blob/master/example.yml
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from collectors.probe.config import Line, Probe
from collectors.probe.dns import server
from collectors.sources.sockets import host_and_port

SSH = (Line(expect="^SSH-2.0-", send="SSH-2.0-blackbox-ssh-check"),)
IRC = (
    Line(send="NICK prober"),
    Line(send="USER prober prober prober :prober"),
    Line(expect="PING :([^ ]+)", send="PONG ${1}"),
    Line(expect="^:[^ ]+ 001"),
)


def _http(**settings: Any) -> Callable[[str, str], dict[str, Any]]:
    def made(target: str, name: str) -> dict[str, Any]:
        url = target if target.startswith(("http://", "https://")) else f"http://{target}"
        return {"url": url, "host_header": name, **settings}

    return made


def _tcp(**settings: Any) -> Callable[[str, str], dict[str, Any]]:
    return lambda target, name: {"tcp": {"address": target, "server_name": name, **settings}}


def _dns(protocol: str) -> Callable[[str, str], dict[str, Any]]:
    """Who serves the root: any name server that answers at all knows it."""
    return lambda target, _name: {"dns": {"server": target, "name": ".", "type": "NS", "protocol": protocol}}


def _icmp(**settings: Any) -> Callable[[str, str], dict[str, Any]]:
    return lambda target, _name: {"icmp": {"address": target, **settings}}


MODULES: Mapping[str, Callable[[str, str], dict[str, Any]]] = {
    "http_2xx": _http(),
    "http_post_2xx": _http(method="POST"),
    "http_head_2xx": _http(method="HEAD"),
    "http_no_redirect": _http(follow_redirects=False),
    "tcp_connect": _tcp(),
    "tcp_connect_tls": _tcp(tls=True),
    "ssh_banner": _tcp(talk=SSH),
    "smtp_starttls": _tcp(starttls="smtp"),
    "imap_starttls": _tcp(starttls="imap"),
    "pop3_starttls": _tcp(starttls="pop3"),
    "pop3s_banner": _tcp(tls=True, talk=(Line(expect=r"^\+OK"),)),
    "irc_banner": _tcp(talk=IRC),
    "dns_udp": _dns("udp"),
    "dns_tcp": _dns("tcp"),
    "icmp": _icmp(),
    "icmp_ttl5": _icmp(ttl=5),
}


def host(config: Probe) -> str:
    """Whom a check asks."""
    if config.tcp:
        return host_and_port(config.tcp.address)[0]
    if config.dns:
        return server(config.dns.server)[0]
    return config.icmp.address if config.icmp else urlsplit(config.url).hostname or ""


def check(module: str, target: str, name: str, timeout: float) -> Probe:
    """KeyError for an unknown module, ValueError for a target that it cannot ask.

    `name`: as the site or the certificate is called where the target has another name.
    """
    settings = MODULES[module](target, name)
    try:
        return Probe.model_validate({**settings, "module": module, "timeout": timeout})
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise ValueError(f"{'.'.join(map(str, found['loc']))}: {found['msg']}") from None
