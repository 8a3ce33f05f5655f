"""`/events` of the exporter: this host's events for another Raingauge, a page at a time."""

import json
import logging
from dataclasses import asdict
from urllib.parse import parse_qs

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from agent.tokens import events_access
from history import feed
from history.access import Access

log = logging.getLogger("raingauge.feeding")

TEXT = "text/plain; charset=utf-8"


def answer(engine: Engine, host: str, query: str, authorization: str | None) -> tuple[int, str, bytes]:
    """`query`: `after=` with what an earlier answer has as `next`; without it from the first event on."""
    if not events_access(Access(engine))(authorization):
        return 401, TEXT, b"a token is needed: raingauge token create --scope read\n"
    cursor = parse_qs(query).get("after", [""])[0]
    try:
        found = feed.after(engine, host, cursor)
    except ValueError as error:
        return 400, TEXT, f"{error}\n".encode()
    except SQLAlchemyError:
        log.exception("events=unreadable")
        return 503, TEXT, b"the events cannot be read; try again\n"
    return 200, "application/json", json.dumps(asdict(found), default=dict).encode()
