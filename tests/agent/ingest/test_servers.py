"""With real servers: what a Prometheus would have scraped we have, what it writes to us, and what we write to it."""

import http.client
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.ports import wait_until
from tests.lab.process import Raingauge
from tests.lab.prometheus import Prometheus, ask

pytestmark = pytest.mark.servers

SCRAPE = """\
scrape_configs:
- job_name: one
  scrape_interval: 1s
  static_configs: [{{targets: ['{address}'], labels: {{site: blog, host: other}}}}]
  relabel_configs:
  - {{source_labels: [__address__], target_label: part, action: hashmod, modulus: 97}}
  metric_relabel_configs:
  - {{source_labels: [__name__], regex: 'node_(load1|memory_MemTotal_bytes|uname_info)|up', action: keep}}
  - {{regex: 'domainname', action: labeldrop}}
- job_name: two
  scrape_interval: 1s
  honor_labels: true
  static_configs: [{{targets: ['{address}']}}]
  metric_relabel_configs:
  - {{source_labels: [__name__], regex: 'node_load.*', action: keep}}
"""
AGENT = "host: lab\ninterval: 1s\ndiscovery: false\ntargets: {host: [{}]}\n"
QUIET = "host: ours\ndiscovery: false\nshipped_rules: false\n"


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of an exporter."""
    with Raingauge(tmp_path_factory.mktemp("agent"), AGENT, command="agent") as running:
        yield running.exporter.removeprefix("http://")


def series(url: str, selector: str, token: str = "", **span: Any) -> list[dict[str, str]]:
    parameters: dict[str, Any] = {"match[]": selector, **span}
    status, found = ask(url, "series", token, **parameters)
    assert status == 200, found
    return sorted(found["data"], key=lambda labels: sorted(labels.items()))


def value(url: str, expr: str, token: str = "", **more: Any) -> float | None:
    status, found = ask(url, "query", token, query=expr, **more)
    assert status == 200, found
    result = found["data"]["result"]
    return float(result[0]["value"][1]) if result else None


def test_we_have_what_prometheus_would_have(agent: str, tmp_path: Path) -> None:
    text = SCRAPE.format(address=agent)
    (tmp_path / "ours").mkdir()
    with Prometheus(tmp_path / "theirs", text) as theirs, Raingauge(tmp_path / "ours", QUIET + text) as ours:
        token = ours.token()
        selector = '{__name__=~"node_.*|up|scrape_(samples|duration).*",job=~"one|two|node"}'
        wait_until(lambda: value(ours.dashboard, 'sum(up{job=~"one|two"})', token) == 2, 30, "both are scraped by us")
        wait_until(lambda: value(theirs.url, 'sum(up{job=~"one|two"})') == 2, 30, "and by Prometheus")
        wait_until(
            lambda: series(ours.dashboard, selector, token) == series(theirs.url, selector), 20, "they have the same"
        )
        assert {labels.get("exported_host", "") for labels in series(theirs.url, 'node_load1{job="one"}')} == {"lab"}


def test_a_target_that_goes_ends(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    with Raingauge(tmp_path_of(tmp_path, "gone"), AGENT, command="agent") as gone:
        file = tmp_path / "targets.json"
        file.write_text(f'[{{"targets": ["{gone.exporter.removeprefix("http://")}"]}}]')
        scrape = (
            "scrape_configs:\n- job_name: f\n  scrape_interval: 1s\n"
            f"  file_sd_configs: [{{files: ['{tmp_path}/*.json'], refresh_interval: 1s}}]\n"
        )
        with Raingauge(tmp_path / "ours", QUIET + scrape) as ours:
            token = ours.token()
            wait_until(lambda: value(ours.dashboard, 'up{job="f"}', token) == 1, 20, "it is scraped")
            gone.kill()
            wait_until(lambda: value(ours.dashboard, 'up{job="f"}', token) == 0, 20, "it is down")
            assert value(ours.dashboard, 'count(node_load1{job="f"})', token) is None, "its series have ended"
            file.write_text("no list")
            ours.until_logged("scrape_discovery=failed")
            assert value(ours.dashboard, 'up{job="f"}', token) == 0, "a list that is wrong changes nothing"
            file.write_text("[]")
            wait_until(lambda: value(ours.dashboard, 'up{job="f"}', token) is None, 20, "it is watched no more")


def tmp_path_of(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def test_prometheus_writes_to_us(agent: str, tmp_path: Path) -> None:
    with Raingauge(tmp_path_of(tmp_path, "ours"), QUIET) as ours:
        token, write = ours.token(), ours.token("write")
        configuration = (
            f"scrape_configs:\n- job_name: sent\n  scrape_interval: 1s\n  static_configs: [{{targets: ['{agent}']}}]\n"
            f"remote_write:\n- url: {ours.exporter}/api/v1/write\n  authorization: {{credentials: {write}}}\n"
            "  queue_config: {max_samples_per_send: 50, batch_send_deadline: 1s}\n"
        )
        with Prometheus(tmp_path / "theirs", configuration) as theirs:
            expr = 'count({job="sent"})'
            wait_until(lambda: value(theirs.url, "count_over_time(up[1m])") is not None, 20, "it scrapes")
            wait_until(lambda: (value(theirs.url, "count_over_time(up[1m])") or 0) >= 8, 20, "some scrapes are done")
            at = time.time() - 4
            newest = 'max(timestamp(up{job="sent"}))'
            wait_until(lambda: (value(ours.dashboard, newest, token) or 0) > at, 20, "all came")
            assert (value(theirs.url, expr, time=at) or 0) > 50
            wait_until(
                lambda: value(ours.dashboard, expr, token, time=at) == value(theirs.url, expr, time=at), 20,
                "we have every series of that scrape, though it came in several requests",
            )  # fmt: skip
            for name in ("node_load1", "node_memory_MemTotal_bytes"):
                wanted = value(theirs.url, f'{name}{{job="sent"}}', time=at)
                assert value(ours.dashboard, f'{name}{{job="sent"}}', token, time=at) == wanted
        assert (value(ours.dashboard, "raingauge_remote_write_received_samples_total", token) or 1) > 0


RULES = """\
groups:
- name: g
  interval: 1s
  rules:
  - {record: 'instance:node_load1:now', expr: 'node_load1'}
  - {alert: Loaded, expr: 'node_load1 >= 0'}
"""


def test_the_rules_of_a_prometheus_do_not_end_what_it_scrapes(agent: str, tmp_path: Path) -> None:
    """They record at times of their own, with the job and instance of the scrape."""
    with Raingauge(tmp_path_of(tmp_path, "ours"), QUIET) as ours:
        token, write = ours.token(), ours.token("write")
        tmp_path_of(tmp_path, "theirs")
        (tmp_path / "theirs/rules.yml").write_text(RULES)
        configuration = (
            "rule_files: [rules.yml]\n"
            f"scrape_configs:\n- job_name: sent\n  scrape_interval: 3s\n  static_configs: [{{targets: ['{agent}']}}]\n"
            f"remote_write:\n- url: {ours.exporter}/api/v1/write\n  authorization: {{credentials: {write}}}\n"
            "  queue_config: {batch_send_deadline: 1s}\n"
        )
        with Prometheus(tmp_path / "theirs", configuration):
            newest = 'max(timestamp({__name__="instance:node_load1:now"}))'
            wait_until(lambda: value(ours.dashboard, newest, token), 30, "the first of the rules arrive")
            began = value(ours.dashboard, newest, token) or 0
            wait_until(lambda: (value(ours.dashboard, newest, token) or 0) >= began + 8, 30, "more of them arrive")
            for expr in ('node_load1{job="sent"}', '{__name__="instance:node_load1:now"}', 'ALERTS{job="sent"}'):
                missing = [at for at in range(int(began) + 1, int(began) + 6)
                           if value(ours.dashboard, f"count({expr})", token, time=at) != 1]  # fmt: skip
                assert (expr, missing) == (expr, [])


def test_without_a_token_nothing_is_taken(tmp_path: Path) -> None:
    with Raingauge(tmp_path, QUIET) as ours:
        at = ours.exporter.removeprefix("http://")
        for token, status in (("", 401), (ours.token(), 401), (ours.token("write"), 400)):
            connection = http.client.HTTPConnection(at, timeout=60)
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request("POST", "/api/v1/write", b"no message", headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            assert answer.status == status, text
            connection.close()
        assert "expected a message packed with snappy" in text


def test_what_waited_during_an_outage_arrives_once(tmp_path: Path) -> None:
    """The receiver is away, we are killed meanwhile, and nothing is missing or double."""
    theirs = Prometheus(tmp_path / "theirs", "", options=["--web.enable-remote-write-receiver"])
    with theirs:
        configuration = (
            f"{AGENT.replace('host: lab', 'host: sender')}shipped_rules: false\n"
            f"remote_write: [{{url: '{theirs.url}/api/v1/write'}}]\n"
        )
        ours = Raingauge(tmp_path_of(tmp_path, "ours"), configuration)
        with ours:
            token = ours.token()
            count = 'count_over_time(node_load1{host="sender"}[5m])'
            wait_until(lambda: (value(theirs.url, count) or 0) >= 3, 30, "it arrives")
            theirs.stop()
            ours.until_logged("does not take them now")
            ours.kill()
            ours.start()
            kept = value(ours.dashboard, count, token) or 0
            wait_until(lambda: (value(ours.dashboard, count, token) or 0) >= kept + 3, 30, "we go on")
            theirs.start()
            until = time.time()
            wait_until(
                lambda: (value(theirs.url, 'max(timestamp(node_load1{host="sender"}))') or 0) >= until, 90,
                "what waited has arrived",
            )  # fmt: skip
            for name in ("node_load1", "node_memory_MemTotal_bytes", "up"):
                expr = f'{name}{{host="sender",job="node"}}[10m]'
                found = [ask(url, "query", key, query=expr, time=until)[1]["data"]["result"][0]["values"]
                         for url, key in ((ours.dashboard, token), (theirs.url, ""))]  # fmt: skip
                assert found[0] == found[1]
            ours.stop()
