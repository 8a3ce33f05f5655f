"""`alerts.mode: prometheus` beside Debian's Prometheus and Alertmanager: the same rules, series and timeline.

docs/prometheus-mode.md lists where they differ, and why.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.ingest.scrape_config import ScrapeConfig
from agent.ingest.scraping import Loop, targets
from alerts.delivery import Delivery
from alerts.evaluator import Evaluator
from alerts.path.plan import Plan, Route
from alerts.rulefile import load
from history.embedded import Embedded
from history.events import Events
from history.local import Local
from history.store import Store
from tests.alerts.examples import database, webhook
from tests.alerts.receiver import Receiver
from tests.alerts.test_alertmanager import alertmanager
from tests.lab.ports import wait_until
from tests.lab.prometheus import Prometheus, ask
from tests.patience import of_many_trials

pytestmark = [pytest.mark.servers, pytest.mark.trials, of_many_trials]

RULES = {
    "groups": [{
        "name": "g", "interval": "1s", "rules": [
            {"record": "host:heat", "expr": "max by (host) (heat)"},
            {"alert": "Hot", "expr": "host:heat > 5", "for": "2s", "labels": {"severity": "warning"},
             "annotations": {"summary": "{{ $labels.host }} is hot"}},
            {"alert": "Boils", "expr": "heat > 8", "labels": {"severity": "critical"}},
            {"alert": "Short", "expr": "heat > 8", "for": "1m"},
            {"alert": "AllCold", "expr": "sum(heat) < 3", "for": "1s"},
        ],
    }],
}  # fmt: skip
TIMELINE = [(5.0, {"a": 1, "b": 1}), (5.0, {"a": 9, "b": 6}), (4.0, {"a": 4})]
"""Seconds, and the heat of each host: what is not named has no series any more."""
CALM = {"a": 4}
Alert = tuple[str, str]
"""Name and host."""


class Page(ThreadingHTTPServer):
    daemon_threads = True
    heat: dict[str, int] = CALM


class _Handler(BaseHTTPRequestHandler):
    server: Page

    def do_GET(self) -> None:
        text = "".join(f'heat{{host="{host}"}} {value}\n' for host, value in self.server.heat.items())
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def page() -> Iterator[Page]:
    with Page(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


class Seen:
    """The states that each alert went through, and what was told of it."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.states: dict[Alert, list[str]] = {}
        self.told: dict[Alert, list[tuple[str, str]]] = {}

    def look(self, alerts: dict[Alert, str]) -> None:
        for alert in self.states.keys() | alerts.keys():
            states = self.states.setdefault(alert, [])
            state = alerts.get(alert, "over")
            if not states or states[-1] != state:
                states.append(state)
        while not self.receiver.bodies.empty():
            body = self.receiver.body()
            group = json.dumps(body["groupLabels"], sort_keys=True)
            for alert in body["alerts"]:
                told = self.told.setdefault(_named(alert["labels"]), [])
                if (group, alert["status"]) not in told[-1:]:
                    told.append((group, alert["status"]))


def _named(labels: dict[str, str]) -> Alert:
    return labels["alertname"], labels.get("host", "")


def theirs(prometheus: Prometheus) -> dict[Alert, str]:
    _, answer = ask(prometheus.url, "alerts")
    return {_named(alert["labels"]): alert["state"] for alert in answer["data"]["alerts"]}


def ours(evaluator: Evaluator) -> dict[Alert, str]:
    return {_named(dict(one.labels)): one.state for one in evaluator.alerts() if one.state != "resolved"}


def test_the_same_alerts_transitions_and_groups(tmp_path: Path) -> None:
    for name in ("prometheus", "alertmanager", "ours"):
        (tmp_path / name).mkdir()
    rules = tmp_path / "rules.yml"
    rules.write_text(yaml.safe_dump(RULES))
    with page() as served, Receiver() as heard_there, Receiver() as heard_here:
        address = f"127.0.0.1:{served.server_address[1]}"
        scrape = {"job_name": "heat", "scrape_interval": "1s", "static_configs": [{"targets": [address]}]}
        with (
            alertmanager(tmp_path / "alertmanager", heard_there.url) as manager,
            Prometheus(tmp_path / "prometheus", _configuration(rules, scrape, manager)) as prometheus,
            _agent(tmp_path / "ours", rules, scrape, heard_here) as evaluator,
        ):
            there, here = Seen(heard_there), Seen(heard_here)

            def look() -> bool:
                there.look(theirs(prometheus))
                here.look(ours(evaluator))
                over = {("Hot", "a"), ("Hot", "b"), ("Boils", "a"), ("AllCold", "")}
                return all(("resolved" in str(seen.told.get(alert))) for alert in over for seen in (there, here))

            def passed(until: float) -> bool:
                look()
                return time.monotonic() >= until

            wait_until(lambda: bool(ask(prometheus.url, "query", query="heat")[1]["data"]["result"]), 20, "a scrape")
            for seconds, heat in TIMELINE:
                served.heat = heat
                until = time.monotonic() + seconds
                wait_until(partial(passed, until), seconds + 10, "the next step of the timeline")
            served.heat = CALM
            wait_until(look, 20, "all ends are told")
    assert here.states == there.states
    assert here.told == there.told
    assert there.states["Hot", "a"] == ["pending", "firing", "over"]
    assert there.states["Short", "a"] == ["pending", "over"]


def _configuration(rules: Path, scrape: dict[str, Any], manager: str) -> str:
    address = manager.removeprefix("http://").removesuffix("/am")
    return yaml.safe_dump({
        "global": {"evaluation_interval": "1s"}, "rule_files": [str(rules)], "scrape_configs": [scrape],
        "alerting": {"alertmanagers": [{"path_prefix": "/am", "static_configs": [{"targets": [address]}]}]},
    })  # fmt: skip


@contextmanager
def _agent(folder: Path, rules: Path, scrape: dict[str, Any], receiver: Receiver) -> Iterator[Evaluator]:
    engine = database(folder)
    store = Store(engine)
    sink = Local(store, Events(engine))
    config = ScrapeConfig.model_validate(scrape)
    [target] = targets(config, [{"__address__": scrape["static_configs"][0]["targets"][0]}])
    loop = Loop(config, target, sink)
    groups, errors = load([rules])
    assert errors == []
    channels = [webhook(receiver.url)]
    delivery = Delivery(engine, channels)
    route = Route(receiver="ops", group_by=("alertname", "host"), group_wait=0.0, group_interval=1.0)
    evaluator = Evaluator(
        Embedded(store), engine, groups, channels=channels, plan=Plan(route), sink=sink, told=delivery.wake,
        like_prometheus=True,
    )  # fmt: skip
    loop.start()
    delivery.start()
    evaluator.start()
    try:
        yield evaluator
    finally:
        evaluator.stop()
        delivery.stop()
        loop.stop()
        loop._thread.join(10)
        engine.dispose()
