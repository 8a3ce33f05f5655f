"""Collected here, kept by a Prometheus, read back by our pages and rules."""

import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alerts.receiver import Receiver
from tests.lab.ports import wait_until
from tests.lab.process import Raingauge
from tests.lab.prometheus import Prometheus, ask

pytestmark = pytest.mark.servers

RULES = """\
groups:
- name: own
  interval: 1s
  rules:
  - alert: Loaded
    expr: node_load1 >= 0
    labels: {severity: warning}
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that scrapes a bare agent."""
    state = tmp_path_factory.mktemp("agent")
    collect = "host: lab\ninterval: 1s\ndiscovery: false\ntargets: {host: [{}]}\n"
    with Raingauge(state, collect, command="agent") as agent:
        scrape = (
            "scrape_configs:\n- job_name: raingauge\n  scrape_interval: 1s\n  honor_labels: true\n"
            f"  static_configs: [{{targets: ['{agent.exporter.removeprefix('http://').split('/')[0]}']}}]\n"
        )
        with Prometheus(tmp_path_factory.mktemp("prometheus"), scrape) as running:
            wait_until(lambda: value(running.url, "node_load1") is not None, 30, "it has scraped")
            yield running


def value(url: str, expr: str, token: str = "") -> str | None:
    status, found = ask(url, "query", token, query=expr)
    result = found["data"]["result"] if status == 200 else []
    return str(result[0]["value"][1]) if result else None


def page(raingauge: Raingauge, path: str = "/") -> str:
    request = urllib.request.Request(
        raingauge.dashboard + path, headers={"Authorization": f"Bearer {raingauge.token()}", "Accept": "text/html"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return re.sub(r"<[^>]+>", " ", answer.read().decode())


def test_pages_read_another_servers_history(kept: Prometheus, tmp_path: Path) -> None:
    configuration = f"host: lab\ninterval: 1s\nhistory: {{url: '{kept.url}'}}\n"
    with Raingauge(tmp_path, configuration, command="dashboard --read-only") as ours:
        expr = "count(node_load1) + count(node_memory_MemTotal_bytes)"
        assert value(ours.dashboard, expr, ours.token()) == value(kept.url, expr) == "2"
        wait_until(lambda: "Live" in page(ours, "/host"), 30, "the page of the host is live")
        kept.stop()
        wait_until(lambda: "History unreachable" in page(ours), 10, "the page says so")
        shown = page(ours)
        assert f"The history at {kept.url} cannot be reached: Connection refused" in shown
        assert "The history does not answer: whether all is well, nobody knows" in shown
        for path in ("/host", "/alerts", "/targets"):
            assert "History unreachable" in page(ours, path)
        kept.start()
        wait_until(lambda: "Live" in page(ours, "/host"), 30, "it is live again")


def test_an_alert_outlives_the_server_that_it_reads(kept: Prometheus, tmp_path: Path) -> None:
    """No answer is no recovery."""
    rules = tmp_path / "own.yml"
    rules.write_text(RULES)
    with Receiver() as receiver:
        configuration = (
            f"host: lab\ninterval: 1s\ndiscovery: false\nshipped_rules: false\nrules: ['{rules}']\n"
            f"history: {{url: '{kept.url}'}}\n"
            f"notify: {{webhook: {{ops: {{url: '{receiver.url}'}}}}, route: {{receiver: ops, group_wait: 0s}}}}\n"
        )
        with Raingauge(tmp_path, configuration) as ours:
            wait_until(lambda: receiver.bodies.qsize() == 1, 30, "it fires")
            kept.stop()
            ours.until_logged("cannot be reached")
            kept.start()
            wait_until(lambda: value(kept.url, "node_load1") is not None, 30, "it scrapes again")
            status, found = ask(ours.dashboard, "alerts", ours.token())
            assert status == 200
            assert [alert["state"] for alert in found["data"]["alerts"]] == ["firing"]
            assert receiver.bodies.qsize() == 1
