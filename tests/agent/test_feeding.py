"""`/events` of the exporter."""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import Engine

from agent import feeding
from agent.exporter import Doors, Exporter
from agent.pages import Pages
from history.access import Access
from history.database import open_database
from history.events import Events
from tests.agent.test_exporter import Client
from tests.history.test_feed import DEPLOY, SHELL


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_database(tmp_path)
    Events(engine).record(SHELL, DEPLOY)
    return engine


def exporter(engine: Engine, listen: str) -> Exporter:
    doors = Doors(events=partial(feeding.answer, engine, "web1"))
    return Exporter(listen, 0, Pages(), doors=doors)


def test_events_are_told_in_pages_that_go_on(engine: Engine) -> None:
    serving = exporter(engine, "127.0.0.1")
    serving.start()
    try:
        client = Client(serving)
        known = {"Authorization": f"Bearer {Access(engine).create_token('read', 0.0)}"}
        status, headers, body = client.ask("/events", **known)
        assert (status, headers["Content-Type"]) == (200, "application/json")
        found = json.loads(body)
        assert (found["host"], found["more"]) == ("web1", False)
        assert [each["id"] for each in found["events"]] == [SHELL.id, DEPLOY.id]
        assert found["events"][0] == json.loads(json.dumps(asdict(SHELL), default=dict))
        status, _, body = client.ask(f"/events?after={quote(found['next'])}", **known)
        assert (status, json.loads(body)["events"]) == (200, [])
        assert client.ask("/events?after=7", **known)[0] == 400
        client.connection.close()
    finally:
        serving.stop()


def test_a_token_is_needed_on_loopback_too_as_events_have_addresses(engine: Engine) -> None:
    serving = exporter(engine, "127.0.0.1")
    serving.start()
    try:
        client = Client(serving)
        assert client.ask("/events")[0] == 401
        token = Access(engine).create_token("read", 0.0)
        assert client.ask("/events", Authorization=f"Bearer {token}")[0] == 200
        client.connection.close()
    finally:
        serving.stop()
