"""Debian's Prometheus with its Alertmanager, and we in `alerts.mode: prometheus`, over one page of series."""

import json
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from sqlalchemy import Engine

from agent.ingest.scrape_config import ScrapeConfig
from agent.ingest.scraping import Loop, targets
from alerts import silences
from alerts.delivery import Delivery
from alerts.evaluator import Evaluator
from alerts.matchers import matcher
from alerts.message.words import stamp
from alerts.rulefile import load
from alerts.silences import Silence
from history.embedded import Embedded
from history.events import Events
from history.local import Local
from history.store import Store
from tests.alerts.examples import database, webhook
from tests.alerts.receiver import Receiver
from tests.alerts.test_alertmanager import alertmanager
from tests.alerts.walk import routes
from tests.lab.ports import wait_until
from tests.lab.prometheus import Prometheus, ask

UNNAMED = ("alertname", "severity", "team", "job", "instance")
Series = Mapping[str, int]
"""Series as text -> its value."""


class Page(ThreadingHTTPServer):
    daemon_threads = True
    series: Series = MappingProxyType({})


class _Handler(BaseHTTPRequestHandler):
    server: Page

    def do_GET(self) -> None:
        text = "".join(f"{series} {value}\n" for series, value in {"begun": 1, **self.server.series}.items())
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
    """What one of both made of it. An alert is its name and what its labels say: `Hot a`."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.states: dict[str, list[str]] = {}
        """That each alert went through."""
        self.told: dict[str, list[tuple[str, str]]] = {}
        """(group, status) of each alert in messages, without what was only said again."""
        self.messages: dict[str, list[set[str]]] = {}
        """Alerts of each message of a group, one that ended with a minus, without what was only said again."""
        self.repeated: set[str] = set()
        """Groups of which the same was said again."""

    def look(self, alerts: Mapping[str, str]) -> None:
        for alert in self.states.keys() | alerts.keys():
            states = self.states.setdefault(alert, [])
            state = alerts.get(alert, "over")
            if not states or states[-1] != state:
                states.append(state)
        while not self.receiver.bodies.empty():
            self._hear(self.receiver.body())

    def _hear(self, body: dict[str, Any]) -> None:
        group = json.dumps(body["groupLabels"], sort_keys=True)
        said = set()
        for alert in body["alerts"]:
            name, status = _named(alert["labels"]), alert["status"]
            said.add(f"{'' if status == 'firing' else '-'}{name}")
            told = self.told.setdefault(name, [])
            if (group, status) not in told[-1:]:
                told.append((group, status))
        messages = self.messages.setdefault(group, [])
        if said in messages[-1:]:
            self.repeated.add(group)
        else:
            messages.append(said)

    def ended(self) -> set[str]:
        """What was told, and told to be over."""
        return {alert for alert, told in self.told.items() if told[-1][1] == "resolved"}


def _named(labels: Mapping[str, str]) -> str:
    return " ".join([labels["alertname"], *(labels[name] for name in sorted(labels) if name not in UNNAMED)])


class Both:
    """The same `series` for both; `there` and `here` are what they made of it."""

    def __init__(self, page: Page, prometheus: str, manager: str, evaluator: Evaluator, engine: Engine) -> None:
        self._page, self._prometheus, self._manager = page, prometheus, manager
        self._evaluator, self._engine = evaluator, engine
        self._silences: dict[str, tuple[str, str]] = {}
        self.there: Seen
        self.here: Seen

    def look(self) -> None:
        _, answer = ask(self._prometheus, "alerts")
        self.there.look({_named(alert["labels"]): alert["state"] for alert in answer["data"]["alerts"]})
        ours = (alert for alert in self._evaluator.alerts() if alert.state != "resolved")
        self.here.look({_named(alert.labels): alert.state for alert in ours})

    def serve(self, series: Series, seconds: float) -> None:
        """For so long, and look."""
        self._page.series = series
        until = time.monotonic() + seconds

        def passed() -> bool:
            self.look()
            return time.monotonic() >= until

        wait_until(passed, seconds + 20, "the next step of the timeline")

    def until_ended(self, alerts: Sequence[str]) -> None:
        def ended(seen: Seen) -> bool:
            self.look()
            return seen.ended() >= set(alerts)

        for seen in (self.there, self.here):
            wait_until(partial(ended, seen), 30, f"the ends of {alerts} are told, found {seen.told}")

    def silence(self, host: str) -> None:
        now = time.time()
        matchers = [{"name": "host", "value": host, "isRegex": False, "isEqual": True}]
        body = {"matchers": matchers, "startsAt": stamp(now), "endsAt": stamp(now + 600), "createdBy": "jo",
                "comment": "known"}  # fmt: skip
        theirs = json.loads(self._manage("silences", body))["silenceID"]
        silence = Silence((matcher("host", "=", host),), now, now + 600, "jo", "known")
        self._silences[host] = theirs, silences.post(self._engine, silence, now)

    def end_silence(self, host: str) -> None:
        theirs, ours = self._silences[host]
        self._manage(f"silence/{theirs}", method="DELETE")
        silences.expire(self._engine, ours, time.time())

    def _manage(self, path: str, body: Any = None, method: str = "POST") -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self._manager}/api/v2/{path}", data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bytes(answer.read())


@contextmanager
def both(folder: Path, rules: Mapping[str, Any], routing: Mapping[str, Any]) -> Iterator[Both]:
    """`rules` of a rule file, `routing` in Alertmanager's words. Each has been read once on return."""
    for name in ("prometheus", "alertmanager", "ours"):
        (folder / name).mkdir()
    file = folder / "rules.yml"
    file.write_text(yaml.safe_dump(rules))
    with page() as served, Receiver() as heard_there, Receiver() as heard_here:
        address = f"127.0.0.1:{served.server_address[1]}"
        scrape = {"job_name": "page", "scrape_interval": "1s", "static_configs": [{"targets": [address]}]}
        with (
            alertmanager(folder / "alertmanager", heard_there.url, routing) as manager,
            Prometheus(folder / "prometheus", _configuration(file, scrape, manager)) as prometheus,
            _agent(folder / "ours", file, scrape, heard_here, routing) as (evaluator, engine),
        ):
            made = Both(served, prometheus.url, manager, evaluator, engine)
            made.there, made.here = Seen(heard_there), Seen(heard_here)
            found = lambda: bool(ask(prometheus.url, "query", query="begun")[1]["data"]["result"])  # noqa: E731
            wait_until(found, 20, "a scrape")
            yield made


def _configuration(rules: Path, scrape: dict[str, Any], manager: str) -> str:
    address = manager.removeprefix("http://").removesuffix("/am")
    return yaml.safe_dump({
        "global": {"evaluation_interval": "1s"}, "rule_files": [str(rules)], "scrape_configs": [scrape],
        "alerting": {"alertmanagers": [{"path_prefix": "/am", "static_configs": [{"targets": [address]}]}]},
    })  # fmt: skip


@contextmanager
def _agent(
    folder: Path, rules: Path, scrape: dict[str, Any], receiver: Receiver, routing: Mapping[str, Any]
) -> Iterator[tuple[Evaluator, Engine]]:
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
    plan = routes(yaml.safe_dump({**routing, "route": {"receiver": "ops", **routing["route"]}}))
    evaluator = Evaluator(
        Embedded(store), engine, groups, channels=channels, plan=plan, sink=sink, told=delivery.wake,
        like_prometheus=True,
    )  # fmt: skip
    loop.start()
    delivery.start()
    evaluator.start()
    try:
        yield evaluator, engine
    finally:
        evaluator.stop()
        delivery.stop()
        loop.stop()
        loop._thread.join(10)
        engine.dispose()
