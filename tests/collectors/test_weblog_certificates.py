"""Certificates that a real nginx serves: another one is told, with both ends and nothing secret."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from collectors.errors import Unreachable
from collectors.inventory import Inventory, Vhost
from collectors.weblog import certificates
from collectors.weblog.config import Weblog, WebSite
from collectors.weblog.discovery import discover
from tests.lab.certificates import Authority
from tests.lab.ports import wait_until
from tests.lab.servers import Nginx

DAY = 86_400.0


def seen(**shown: tuple[str, float]) -> Any:
    """Host -> its certificate and when that ends."""
    found = [
        ["shop", host, {"print": name, "subject": f"CN={host}", "issuer": "CN=Lab", "end": end}]
        for host, (name, end) in shown.items()
    ]
    return {"at": 1_795_342_000.0, "found": found}


def test_a_renewed_certificate_is_one_event_for_all_hosts_that_have_it() -> None:
    state, told = certificates.step({}, seen(a=("1", 10 * DAY), b=("1", 10 * DAY), c=("2", 20 * DAY)))
    assert list(told) == []
    state, told = certificates.step(state, seen(a=("3", 100 * DAY), b=("3", 100 * DAY), c=("2", 20 * DAY)))
    (event,) = told
    assert (event.kind, event.severity, event.site) == ("certificate", "info", "shop")
    assert event.title == "The certificate of a was renewed: until 1970-04-11, before until 1970-01-11"
    assert event.evidence == (
        {"hosts": "a, b", "subject": "CN=a", "issuer": "CN=Lab", "ends": "1970-04-11", "ended before": "1970-01-11"},
    )
    _, told = certificates.step(state, seen(a=("1", 10 * DAY)))
    assert "is another one, which does not last longer" in told[0].title


def test_a_host_that_does_not_answer_is_what_it_was() -> None:
    state, _ = certificates.step({}, seen(a=("1", DAY), b=("1", DAY)))
    state, told = certificates.step(state, seen(a=("1", DAY)))
    assert list(told) == []
    _, told = certificates.step(state, seen(b=("2", 2 * DAY)))
    assert len(told) == 1


def test_the_door_is_found_by_the_vhost() -> None:
    secure = Vhost(
        "nginx", ("shop.example",), "/srv", ("*:80", "*:443"), True, ("/log",), "", (), tls_listens=("*:443",)
    )
    plain = Vhost("nginx", ("docs.example",), "/docs", ("*:80",), False, ("/log",), "", ())
    (found,) = discover(Inventory(host="web1", vhosts=(secure, plain)))
    assert isinstance(found.config, Weblog)
    assert {site.name: site.tls for site in found.config.sites} == {"shop.example": "127.0.0.1:443", "docs.example": ""}


@pytest.mark.servers
def test_what_nginx_serves_counts_and_not_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path / "authority")
    first, second = (authority.certified("shop.example", days=days) for days in (10, 90))
    served = tmp_path / "served.pem"
    served.write_bytes(first.read_bytes())
    now = 1_795_342_000.0
    monkeypatch.setattr(certificates, "clock", lambda: now)
    with Nginx(tmp_path / "nginx", certificate=served) as nginx:
        site = WebSite(name="shop", hosts=("shop.example", "*.shop.example"), tls=f"127.0.0.1:{nginx.tls_port}")
        payload, cursor = certificates.read(Weblog(sites=(site,)), None)
        state, told = certificates.step({}, json.loads(json.dumps(payload)))
        assert list(told) == []
        assert certificates.read(Weblog(sites=(site,)), cursor) == (None, cursor)
        served.write_bytes(second.read_bytes())
        now += certificates.LOOK_SECONDS
        payload, cursor = certificates.read(Weblog(sites=(site,)), cursor)
        state, told = certificates.step(state, payload)
        assert list(told) == []  # nginx has not read it anew
        assert nginx.process
        nginx.process.send_signal(signal.SIGHUP)
        events: list[Any] = []

        def renewed() -> bool:
            nonlocal now, cursor, state
            now += certificates.LOOK_SECONDS
            payload, cursor = certificates.read(Weblog(sites=(site,)), cursor)
            state, told = certificates.step(state, payload)
            events.extend(told)
            return bool(events)

        wait_until(renewed, 20, "nginx serves the other certificate")
    (event,) = events
    assert event.title.startswith("The certificate of shop.example was renewed: until ")
    assert event.evidence[0]["subject"] == "CN=shop.example"
    assert "PRIVATE" not in str(event)
    with pytest.raises(Unreachable, match=r"for the certificate of shop\.example"):
        certificates.read(Weblog(sites=(site,)), None)
