"""Real servers' logs: what was sent is what is counted."""

import signal
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from collectors.errors import Absent
from collectors.inventory import Inventory, Vhost
from collectors.model import State
from collectors.weblog.config import LogFile, Weblog
from collectors.weblog.discovery import discover
from collectors.weblog.engine import step
from collectors.weblog.families import samples
from collectors.weblog.reading import read
from tests.collectors.test_nginx_servers import inventory_of
from tests.lab.ports import wait_until
from tests.lab.servers import PhpFpm
from tests.lab.weblogs import LoggingApache, LoggingNginx, ask, send

pytestmark = pytest.mark.servers
SENT = [
    ("shop.example", "/", "Mozilla/5.0", "front", "2xx"),
    ("www.shop.example", "/node/1?page=2", "Mozilla/5.0 (compatible; bingbot/2.0)", "node/{id}", "2xx"),
    ("shop.example", "/node/2", "", "node/{id}", "2xx"),
    ("shop.example", "/gone?status=404", "curl/8.0", "alias", "4xx"),
    ("docs.example", "/fr/user/login", "Mozilla/5.0", "user/login", "2xx"),
    ("docs.example", "/admin/reports/status?status=500", "Mozilla/5.0", "admin/reports", "5xx"),
    ("docs.example", "/guide/a%22b", 'a "quoted" agent\\', "alias/guide", "2xx"),
    ("docs.example", "/guide/c?status=302", "Mozilla/5.0", "alias/guide", "3xx"),
]
SITES = {"shop.example": "shop.example", "www.shop.example": "shop.example", "docs.example": "docs.example"}


def follow(config: Weblog, state: State, cursor: Any) -> tuple[State, Any]:
    """Until nothing is new."""
    while True:
        payload, cursor = read(config, cursor)
        if payload is None:
            return state, cursor
        state, _ = step(state, payload)


def counts(state: State, family: str) -> Mapping[tuple[str, ...], float]:
    """What is told, without failures of a class that had none yet."""
    found = [sample for sample in samples(state) if sample.family.name == family]
    return {sample.labels: sample.value for sample in found if sample.value or "5xx" not in sample.labels}


def proposed(inventory: Inventory) -> Weblog:
    (proposal,) = discover(inventory)
    assert isinstance(proposal.config, Weblog)
    return proposal.config


@pytest.mark.parametrize("format_name", ["combined", "timed", "json"])
def test_what_was_sent_to_nginx_is_counted(format_name: str, place: Path) -> None:
    with LoggingNginx(place, format_name) as server:
        config = proposed(inventory_of(server))
        assert [file.path for file in config.files] == [str(server.log)]
        state, cursor = follow(config, {}, None)
        for host, target, agent, *_ in SENT * 3:
            ask(server.port, host, target, agent)
        send(server.port, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
        wait_until(lambda: server.log.read_text().count("\n") == 3 * len(SENT) + 1, 20, "all is logged")
        state, _ = follow(config, state, cursor)
    known = format_name != "combined"  # which does not tell the host
    expected = Counter((SITES[host] if known else "other", found, status) for host, _, _, found, status in SENT * 3)
    requests = counts(state, "web_requests_total")
    bad = {key: requests[key] for key in requests if key[1] == "invalid"}
    assert sum(bad.values()) == 1
    assert {key: value for key, value in requests.items() if key not in bad} == expected
    assert counts(state, "web_lines_total") == {("parsed",): 3 * len(SENT) + 1, ("unparsed",): 0}
    agents = Counter[str]()
    for (_, agent), value in counts(state, "web_agents_total").items():
        agents[agent] += int(value)
    assert agents == {"people": 12, "search": 3, "script": 6, "empty": 4}
    assert state["lag"] < 60


def test_nothing_is_lost_or_counted_twice_when_nginx_changes_its_log(place: Path) -> None:
    with LoggingNginx(place) as server:
        config = proposed(inventory_of(server))
        state, cursor = follow(config, {}, None)
        for number in range(60):
            ask(server.port, ("shop.example", "docs.example", "evil.example")[number % 3], f"/node/{number}")
            if number == 20:
                server.log.rename(f"{server.log}.1")
            if number == 40:
                assert server.process is not None
                server.process.send_signal(signal.SIGUSR1)
                wait_until(server.log.exists, 20, "nginx has opened its log anew")
            if number % 7 == 0:
                with suppress(Absent):
                    state, cursor = follow(config, state, cursor)
        files = (server.log, Path(f"{server.log}.1"))
        wait_until(lambda: sum(file.read_text().count("\n") for file in files) == 60, 20, "all is logged")
        state, _ = follow(config, state, cursor)
    assert counts(state, "web_requests_total") == {
        (site, "node/{id}", "2xx"): 20 for site in ("shop.example", "docs.example", "other")
    }


def test_times_and_caches_are_those_that_nginx_logged(place: Path) -> None:
    with LoggingNginx(place) as server:
        config = proposed(inventory_of(server))
        for cache in ("HIT", "HIT", "MISS", "UNCACHEABLE"):
            ask(server.port, "shop.example", f"/node/1?cache={cache}")
        wait_until(lambda: server.log.read_text().count("\n") == 4, 20, "all is logged")
        state, _ = follow(config, {}, None)
        text = server.log.read_text()
    site = "shop.example"
    assert counts(state, "web_cache_total") == {
        (site, "drupal", "hit"): 2, (site, "drupal", "miss"): 1, (site, "drupal", "uncacheable"): 1,
    }  # fmt: skip
    logged = sum(float(line.partition(" rt=")[2].split()[0]) for line in text.splitlines())
    waited = sum(float(line.partition(" urt=")[2].split()[0]) for line in text.splitlines())
    assert counts(state, "web_request_duration_seconds_sum") == {(site,): pytest.approx(logged)}
    assert counts(state, "web_upstream_seconds_total") == {(site,): pytest.approx(waited)}
    assert counts(state, "web_request_duration_seconds_count") == {(site,): 4}
    assert counts(state, "web_class_duration_seconds_bucket")[site, "node/{id}", "+Inf"] == 4


def test_work_after_the_answer_shows_between_php_and_nginx(place: Path) -> None:
    log = place / "fpm-access.log"
    form = '%R - %u %t "%m %r%Q%q" %s %f %{mili}d %{kilo}M %C%%'
    with (
        PhpFpm(place / "fpm", settings=f"access.log = {log}\naccess.format = '{form}'\n") as fpm,
        LoggingNginx(place, php=fpm.socket) as server,
    ):
        (place / "index.php").write_text("<?php echo 'page'; fastcgi_finish_request(); usleep(300000);\n")
        assert ask(server.port, "shop.example", "/node/1") == 200
        wait_until(lambda: log.exists() and log.read_text().count("\n") >= 1, 20, "PHP has logged")
        found = proposed(inventory_of(server)).files
        config = Weblog(files=(*found, LogFile(path=str(log), site="shop.example", format=form, php=True)))
        state, _ = follow(config, {}, None)
    site = ("shop.example",)
    assert counts(state, "web_php_requests_total")[site] == 1
    php, waited = (
        counts(state, "web_php_seconds_total")[site],
        sum(counts(state, "web_upstream_seconds_total").values()),
    )
    assert php - waited > 0.2
    assert sum(counts(state, "web_requests_total").values()) == 1


def test_what_was_sent_to_apache_is_counted(place: Path) -> None:
    with LoggingApache(place) as server:
        for target, agent in (("/", 'say "hi"\\'), ("/moved/there", "curl/8.0"), ("/gone", ""), ("/user/login", "-")):
            ask(server.port, "shop.example", target, agent)
        send(server.port, b"\x16\x03\x01\r\n\r\n")
        wait_until(lambda: server.log.exists() and server.log.read_text().count("\n") == 5, 20, "all is logged")
        vhost = Vhost("apache", ("shop.example",), "/srv/shop", (), False, (str(server.log),), server.format, ())
        config = proposed(Inventory("h", vhosts=(vhost,)))
        state, _ = follow(config, {}, None)
        detected, _ = follow(Weblog(files=(LogFile(path=str(server.log), site="shop.example"),)), {}, None)
    site = "shop.example"
    expected = {
        (site, "front", "2xx"): 1, (site, "alias-other", "3xx"): 1, (site, "alias", "4xx"): 1,
        (site, "user/login", "4xx"): 1, (site, "invalid", "4xx"): 1,
    }  # fmt: skip
    assert counts(state, "web_requests_total") == expected
    assert counts(state, "web_request_duration_seconds_count") == {(site,): 5}
    assert 0 < counts(state, "web_request_duration_seconds_sum")[site,] < 5
    assert counts(detected, "web_requests_total") == expected
