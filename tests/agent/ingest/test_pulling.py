"""Events of other Raingauges: each kept once, and one that is down or answers nonsense stops nobody else."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from agent import feeding
from agent.exporter import Authorised, Doors, Exporter
from agent.ingest.agent_address import AgentAddress, Place, address, beside, listed
from agent.ingest.fetching import Scraped
from agent.ingest.pulling import Agent, Pulling, read
from agent.ingest.scrape_config import ScrapeConfig
from agent.ingest.scraping import Loop, targets
from agent.outcomes import BUILD
from agent.pages import Pages
from collectors.model import Target
from history.access import Access
from history.database import open_database
from history.events import Events
from history.feed import Feed, Pulled
from history.store import Store
from tests.alerts.kept import Kept
from tests.collectors.serving import serving
from tests.history.test_feed import DEPLOY, SHELL, T
from tests.lab.ports import free_port, wait_until


@contextmanager
def exporting(folder: Path, host: str, authorised: Authorised | None = None) -> Iterator[tuple[str, Engine]]:
    engine = open_database(folder)
    pages = Pages()
    pages.publish(Target("raingauge", host, host), [BUILD(1, "0")])
    pages.render()
    known = f"Bearer {Access(engine).create_token('read', 0.0)}"  # who may ask is test_feeding's
    doors = Doors(events=lambda query, _: feeding.answer(engine, host, query, known))
    exporter = Exporter("127.0.0.1", 0, pages, authorised, doors=doors)
    exporter.start()
    try:
        yield exporter.url, engine
    finally:
        exporter.stop()
        engine.dispose()


def agent(url: str, engine: Engine, **settings: Any) -> Agent:
    return Agent(listed(AgentAddress(url=url, **settings)), Pulled(engine), "central")


def ids(engine: Engine) -> list[str]:
    return sorted(event.id for event in Events(engine).events(0, 2 * T))


def test_events_are_copied_with_a_token_and_go_on_after_a_restart(tmp_path: Path, engine: Engine) -> None:
    secret = tmp_path / "token"
    with exporting(tmp_path / "web1", "web1", lambda header: header == "Bearer rg_1") as (url, there):
        Events(there).record(SHELL)
        without = agent(url, engine)
        without.pull()
        assert (without.error, ids(engine)) == ("expected the status 200, found 401", [])
        secret.write_text("rg_1\n")
        first = agent(f"{url}/", engine, token_file=secret)
        first.pull()
        assert (first.error, first.count, ids(engine)) == ("", 1, ["web1:log:7:120"])
        Events(there).record(DEPLOY)
        again = agent(url, engine, token_file=secret)
        again.pull()
        assert (again.count, ids(engine)) == (1, ["web1:deploy:1", "web1:log:7:120"])


def test_one_that_is_down_or_odd_is_told_of_and_stops_nobody(
    tmp_path: Path, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    with exporting(tmp_path / "web1", "web1") as (url, there), serving({"/events": "<html>"}) as odd:
        Events(there).record(SHELL)
        pulling = Pulling([AgentAddress(url=each) for each in (gone, odd.url, url)], "central", engine)
        pulling.look()
        wait_until(lambda: all(each.error is not None for each in pulling.agents()), 20, "all were asked")
        pulling.stop()
        failing = pulling.failing()
        assert len(failing) == 2
        assert any(each.startswith(f"events of {gone} are not copied: ") and "refused" in each for each in failing)
        assert any(each.startswith(f"events of {odd.url} are not copied: no events: ") for each in failing)
        up = {each.labels[0]: each.value for each in pulling.samples() if each.family.name.endswith("_up")}
        assert up == {gone: 0, odd.url: 0, url: 1}
        assert ids(engine) == ["web1:log:7:120"]
        lost = agent(gone, engine)
        caplog.clear()
        lost.pull()
        lost.pull()
        assert len(caplog.records) == 1  # once, not each five seconds


def test_who_has_our_own_name_is_refused(tmp_path: Path, engine: Engine) -> None:
    with exporting(tmp_path / "other", "central") as (url, there):
        Events(there).record(SHELL)
        other = agent(url, engine)
        other.pull()
        assert other.error == "it calls itself central, as this process does: set `host` in one configuration"
        assert ids(engine) == []


def good(**changed: Any) -> str:
    events = changed.pop("events", [asdict(SHELL)])
    return json.dumps({**asdict(Feed("web1", (), "abc.7", more=False)), "events": events, **changed}, default=dict)


def test_a_good_answer_is_read() -> None:
    assert read(good()) == Feed("web1", (SHELL,), "abc.7", more=False)


EVENT: Mapping[str, Any] = asdict(SHELL)


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "{}", "<html>", good(host=""), good(host="a\nb"), good(host="x" * 256), good(next="7"),
        good(events=[{}]), good(events=[{**EVENT, "severity": "high"}]), good(events=[{**EVENT, "id": "x" * 201}]),
        good(events=[{**EVENT, "last": float("nan")}]), good(events=[{**EVENT, "count": 0}]),
        good(events=[{**EVENT, "first": T + 1}]), good(events=[{**EVENT, "evidence": {"a": "b"}}]),
        good(events=[{**EVENT, "title": "\ud800"}]),
    ],
)  # fmt: skip
def test_nonsense_is_refused_whole(text: str) -> None:
    with pytest.raises(ValueError, match=r"^no events: "):
        read(text)


def test_a_scraped_raingauge_is_recognised_by_its_page(tmp_path: Path, engine: Engine) -> None:
    store = Store(engine)
    with exporting(tmp_path / "web1", "web1") as (url, there), serving({"/metrics": "up_to_you 1\n"}) as other:
        Events(there).record(SHELL)
        found: list[Place | None] = []
        for place in (url, other.url):
            at = place.removeprefix("http://")
            config = ScrapeConfig.model_validate({"job_name": "all", "static_configs": [{"targets": [at]}]})
            (target,) = targets(config, [{"__address__": at}])
            loop = Loop(config, target, Kept(store))
            assert loop.events_at is None
            loop.scrape()
            found.append(loop.events_at)
        assert found[1] is None
        assert found[0] is not None
        assert address(found[0]) == url
        scraped = Agent(found[0], Pulled(engine), "central")
        scraped.pull()
        assert (scraped.error, ids(engine)) == ("", ["web1:log:7:120"])


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/metrics", "http://a:1"), ("/metrics/raingauge/web1", "http://a:1"), ("/gauge/metrics", "http://a:1/gauge"),
     ("/probe?target=x", None)],
)  # fmt: skip
def test_events_are_beside_the_metrics(path: str, expected: str | None) -> None:
    place = beside(ScrapeConfig(job_name="all"), Scraped("all", "a:1", "http", path, ()))
    assert (address(place) if place else None) == expected


@pytest.mark.parametrize("url", ["web1:9876", "ftp://web1", "http://", "http://a:b@web1", "http://web1/?x=1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="expected an http:// or https:// address"):
        AgentAddress(url=url)


def test_a_copy_that_is_open_is_one_that_counts(tmp_path: Path, engine: Engine) -> None:
    with exporting(tmp_path / "web1", "web1") as (url, there):
        Events(there).record(*(replace(SHELL, id=f"log:{number}") for number in range(9)))
        one = agent(url, engine)
        one.pull()
        assert (one.count, sum(event.count for event in Events(engine).events(0, 2 * T))) == (5, 9)
