"""One host, end to end: found unaided, scraped by Debian's Prometheus, charted, alerted, and killed without loss."""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.alerts.receiver import Receiver
from tests.collectors.official import OLD_NAMES
from tests.dashboard.browsing import PATIENCE
from tests.lab.lab import Lab
from tests.lab.ports import wait_until
from tests.lab.process import Raingauge
from tests.lab.prometheus import Prometheus, ask

pytestmark = pytest.mark.servers

CHROMIUM_OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def of_the_lab(lab: Lab) -> set[tuple[str, str]]:
    """Job and instance of each target that must be found; a machine may have more: mail, logins, other servers."""
    servers = {"nginx": lab.nginx.port, "phpfpm": lab.php.socket, "mysql": lab.mariadb.socket, "redis": lab.redis.port}
    return {
        *((job, f"lab:{place}") for job, place in servers.items()),
        *((job, "lab") for job in ("node", "raingauge", "web")),
        ("blackbox", f"http://lab.example:{lab.nginx.port}/"),
    }


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as lab, lab.traffic(per_second=20, seconds=600):
        yield lab


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def host(lab: Lab, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raingauge]:
    route = "route: {receiver: ops, group_wait: 1s, group_interval: 5s}"
    text = f"host: lab\ninterval: 2s\nnotify: {{webhook: {{ops: {{url: '{receiver.url}'}}}}, {route}}}\n"
    with Raingauge(tmp_path_factory.mktemp("state"), text) as running:
        wait_until(lambda: ours(running).up().keys() >= of_the_lab(lab), 30, f"all of {of_the_lab(lab)} are found")
        yield running


class Asked:
    """A Prometheus API, ours or Debian's."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self.token = token

    def get(self, path: str, **parameters: Any) -> Any:
        status, answer = ask(self.url, path, self.token, **parameters)
        assert status == 200, answer
        return answer["data"]

    def value(self, expr: str, **parameters: Any) -> float | None:
        found = self.get("query", query=expr, **parameters)["result"]
        return float(found[0]["value"][1]) if found else None

    def up(self) -> dict[tuple[str, str], float]:
        """By job and instance."""
        found = self.get("query", query="up")["result"]
        return {(each["metric"]["job"], each["metric"]["instance"]): float(each["value"][1]) for each in found}


def ours(host: Raingauge) -> Asked:
    return Asked(host.dashboard, host.token())


def text(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


@pytest.fixture(scope="module")
def prometheus(host: Raingauge, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    configuration = (
        f"scrape_configs:\n- job_name: raingauge\n  scrape_interval: 2s\n  http_sd_configs:\n"
        f"  - url: {host.exporter}/sd\n    refresh_interval: 1s\n"
    )
    with Prometheus(tmp_path_factory.mktemp("prometheus"), configuration) as running:
        yield Asked(running.url)


@pytest.fixture(scope="module")
def page(host: Raingauge) -> Iterator[Page]:
    chromium = shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(PATIENCE)
        page.goto(host.login)
        yield page
        browser.close()


def test_everything_is_found_unaided(host: Raingauge, lab: Lab) -> None:
    wait_until(lambda: {ours(host).up().get(key) for key in of_the_lab(lab)} == {1.0}, 20, "every target is up")


def of(labels: dict[str, str]) -> tuple[str, str]:
    return labels["job"], labels["instance"]


def test_prometheus_scrapes_every_target_without_error(host: Raingauge, lab: Lab, prometheus: Asked) -> None:
    def targets() -> dict[tuple[str, str], Any]:
        active = prometheus.get("targets", state="active")["activeTargets"]
        return {of(each["labels"]): each for each in active if of(each["labels"]) in of_the_lab(lab)}

    wait_until(lambda: targets().keys() == of_the_lab(lab), 30, "Prometheus has every target")
    wait_until(lambda: {each["health"] for each in targets().values()} == {"up"}, 30, "every target is up there")
    assert [each["lastError"] for each in targets().values() if each["lastError"]] == []
    assert {each["labels"]["host"] for each in targets().values()} == {"lab"}


def test_promtool_finds_nothing_but_the_exporters_own_old_names(host: Raingauge, lab: Lab) -> None:
    groups = [group["labels"] for group in json.loads(text(f"{host.exporter}/sd"))]
    pages = [f"{host.exporter}{labels['__metrics_path__']}" for labels in groups if of(labels) in of_the_lab(lab)]
    assert len(pages) == len(of_the_lab(lab))
    complaints = []
    for url in [f"{host.exporter}/metrics", *pages]:
        checked = subprocess.run(
            ["promtool", "check", "metrics"], input=text(url), capture_output=True, text=True, check=False
        )
        assert checked.returncode in (0, 3), checked.stderr  # 3: it parses, and there are complaints
        complaints += [line for line in checked.stderr.splitlines() if not OLD_NAMES.match(line)]
    assert complaints == []


def test_values_agree_with_the_servers_own_tools(host: Raingauge, lab: Lab) -> None:
    asked = ours(host)

    def between(low: float, expr: str, high: float) -> None:
        """The value was read at some time between two readings of the tool."""
        found = asked.value(expr)
        assert found is not None
        assert low <= found <= high, expr

    nginx = f'nginx_http_requests_total{{instance="lab:{lab.nginx.port}"}}'
    mysql = f'mysql_global_status_questions{{instance="lab:{lab.mariadb.socket}"}}'
    redis = f'redis_commands_processed_total{{instance="lab:{lab.redis.port}"}}'
    handled, questions, commands = requests(lab), status(lab, "Questions"), info(lab, "total_commands_processed")
    now = time.time()
    for expr in (nginx, mysql, redis):
        wait_until(partial(newer, asked, expr, now), 20, f"a tick of {expr} after now")
    between(handled, nginx, requests(lab))
    between(questions, mysql, status(lab, "Questions"))
    between(commands, redis, info(lab, "total_commands_processed"))
    pool = f'{{instance="lab:{lab.php.socket}"}}'
    assert asked.value(f"phpfpm_total_processes{pool}") == asked.value(f"php_fpm_pool_workers{pool}")
    total = re.search(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    assert total
    assert asked.value("node_memory_MemTotal_bytes") == int(total[1]) * 1024
    root = os.statvfs("/")
    assert asked.value('node_filesystem_size_bytes{mountpoint="/"}') == root.f_blocks * root.f_frsize
    site = f'{{instance="http://lab.example:{lab.nginx.port}/"}}'
    assert asked.value(f"probe_http_status_code{site}") == 200


def newer(asked: Asked, expr: str, than: float) -> bool:
    """The expression has a sample of after that time."""
    found = asked.value(f"timestamp({expr})")
    return found is not None and found > than


def requests(lab: Lab) -> int:
    return int(text(f"{lab.url}/stub_status").split()[9])


def status(lab: Lab, name: str) -> int:
    return int(lab.mariadb.sql(f"SHOW GLOBAL STATUS LIKE '{name}'").split()[1])


def info(lab: Lab, name: str) -> int:
    answer = subprocess.run(
        ["redis-cli", "-p", str(lab.redis.port), "INFO", "stats"], capture_output=True, text=True, check=True
    )
    found = re.search(rf"^{name}:(\d+)", answer.stdout, re.MULTILINE)
    assert found
    return int(found[1])


def test_prometheus_and_our_history_have_the_same_numbers(host: Raingauge, lab: Lab, prometheus: Asked) -> None:
    for expr in (
        "node_memory_MemTotal_bytes",
        f'mysql_global_variables_max_connections{{instance="lab:{lab.mariadb.socket}"}}',
        f'redis_memory_max_bytes{{instance="lab:{lab.redis.port}"}}',
    ):
        wait_until(partial(newer, prometheus, expr, 0), 20, f"Prometheus has {expr}")
        assert prometheus.value(expr) == ours(host).value(expr)


def test_the_overview_shows_charts_with_data(page: Page, host: Raingauge) -> None:
    first = ("requests", "php-workers", "database-queries", "cache-hits", "checks")
    for path, charts in (("/", first), ("/trends", (*first, "cpu", "memory"))):
        page.goto(f"{host.dashboard}{path}?from=now-15m&to=now")
        page.wait_for_selector("figure.chart .js-plotly-plot")
        for chart in charts:
            figure = page.locator(f'figure[data-chart^="{chart}"]').filter(has=page.locator("path[d*=L], path[d*=l]"))
            figure.locator(".read b").filter(has_text=re.compile(r"\d")).first.wait_for()


def test_an_outage_is_told_survives_kill_9_and_its_end_is_told(
    host: Raingauge, lab: Lab, receiver: Receiver, page: Page
) -> None:
    pool = {"alertname": "PhpFpmDown", "instance": f"lab:{lab.php.socket}"}
    lab.php.stop()
    alert = wait_for(receiver, pool, "firing", 120)
    assert alert["labels"]["severity"] == "critical"
    assert "does not answer" in alert["annotations"]["summary"]
    assert "systemctl status" in alert["annotations"]["first_steps"]
    page.goto(f"{host.dashboard}/alerts")
    page.get_by_text("does not answer").first.wait_for()

    selector = ",".join(f'{name}="{value}"' for name, value in pool.items())
    active = f"ALERTS_FOR_STATE{{{selector}}}"
    since = ours(host).value(active)
    assert since is not None
    before = stored(host)
    host.kill()
    host.start()
    restarted = time.time()
    after = stored(host, until=before["until"])
    assert after["counts"] == before["counts"]
    asked = ours(host)
    wait_until(partial(newer, asked, active, restarted), 30, "rules are evaluated again")
    assert asked.value(active) == since
    assert asked.value(f'ALERTS{{{selector},alertstate="firing"}}') == 1
    while not receiver.bodies.empty():
        assert "resolved" not in {each["status"] for each in told(receiver.body(), pool)}

    lab.php.start()
    ended = wait_for(receiver, pool, "resolved", 120)
    assert (ended["startsAt"], ended["fingerprint"]) == (alert["startsAt"], alert["fingerprint"])


def stored(host: Raingauge, until: float | None = None) -> dict[str, Any]:
    """How many samples each series of some metrics has, up to a moment of which all is stored by now."""
    until = until or time.time() - 15
    counts: dict[str, str] = {}
    for metric in ("up", "node_load1", "nginx_http_requests_total", "ALERTS"):
        found = ours(host).get("query", query=f"count_over_time({metric}[1h])", time=until)["result"]
        counts |= {json.dumps(each["metric"], sort_keys=True) + metric: each["value"][1] for each in found}
    assert len(counts) > 8
    return {"counts": counts, "until": until}


def told(body: dict[str, Any], wanted: dict[str, str]) -> list[dict[str, Any]]:
    """The alerts of a message with these labels."""
    return [alert for alert in body["alerts"] if wanted.items() <= alert["labels"].items()]


def wait_for(receiver: Receiver, wanted: dict[str, str], state: str, seconds: float) -> dict[str, Any]:
    """The alert with these labels, once it is told in that state; what is told beside it is passed over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for alert in told(receiver.bodies.get(timeout=max(0.1, end - time.monotonic())), wanted):
            if alert["status"] == state:
                return alert
    raise AssertionError(f"{wanted} was not told as {state} within {seconds:g} s")
