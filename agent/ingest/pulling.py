"""Copies the events of other Raingauges, each in a thread of its own, so that one that is down stops nobody else."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Annotated
from urllib.parse import quote

from pydantic import Field, TypeAdapter, ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from agent.ingest.agent_address import AgentAddress, Place, address, listed
from agent.ingest.fetching import ScrapeError, fetch
from collectors.model import Counter, Event, Gauge, Sample
from history.feed import CURSOR, MOST_ID, Feed, Pulled

log = logging.getLogger("raingauge.pulling")

EVERY = 5.0
"""Seconds between two questions to one of them: as long as a new event may wait before it is an alert here."""

AGENT = ("agent",)
PULL_UP = Gauge("raingauge_agent_events_up", "1 if the agent gave its events when it was last asked.", AGENT)
PULLED = Counter("raingauge_agent_events_total", "Events that were copied from the agent, and changes of them.", AGENT)
FAMILIES = (PULL_UP, PULLED)

_NOT_BLANK = Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]+$")
_FEED: TypeAdapter[Feed] = TypeAdapter(Feed)
_HOST: TypeAdapter[str] = TypeAdapter(Annotated[str, _NOT_BLANK])
MOST_WORDS = {"id": MOST_ID, "kind": 100, "site": 255, "dedup_key": 255, "source": 255}


def read(text: str) -> Feed:
    """ValueError for what is no answer of `/events`."""
    try:
        found = _FEED.validate_json(text)
        _HOST.validate_python(found.host)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the answer"
        raise ValueError(f"no events: {where}: {first['msg']}") from None
    if found.next and not CURSOR.fullmatch(found.next):
        raise ValueError("no events: next: expected a cursor")
    for event in found.events:
        _check(event)
    return found


def _check(event: Event) -> None:
    for name, most in MOST_WORDS.items():
        if len(getattr(event, name)) > most:
            raise ValueError(f"no events: {name} of more than {most} letters")
    if not (0 <= event.first <= event.last < 1e11 and event.count > 0):
        raise ValueError("no events: expected times in Unix seconds and a count")


class Agent:
    """One of them. `start` and `stop` once each; `pull` is what each turn does."""

    def __init__(self, place: Place, pulled: Pulled, host: str) -> None:
        """`host`: as this process calls itself."""
        self._host = host
        self.address = address(place)
        self.error: str | None = None
        """Why it gave no events when it was last asked; "" if it did, None if it was not asked yet."""
        self.count = 0
        self._config, self._at = place
        self._pulled = pulled
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"events-{self._at.address}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            self.pull()
            self._stopping.wait(EVERY - (time.monotonic() - began))

    def pull(self) -> None:
        """All that came since; what went wrong is logged when it is another thing than before."""
        error = ""
        try:
            while self._page() and not self._stopping.is_set():
                pass
        except (ScrapeError, ValueError) as refused:
            error = str(refused)
        except SQLAlchemyError as failed:
            error = f"the events cannot be kept: {type(failed).__name__}"
        if error and error != self.error:
            log.warning("events=failed agent=%s error=%r", self.address, error)
        elif self.error and not error:
            log.info("events=again agent=%s", self.address)
        self.error = error

    def _page(self) -> bool:
        """Whether there are more."""
        cursor = self._pulled.cursor(self.address)
        feed = read(fetch(self._config, replace(self._at, path=f"{self._at.path}?after={quote(cursor)}")))
        if feed.host == self._host:
            raise ValueError(f"it calls itself {self._host}, as this process does: set `host` in one configuration")
        if feed.next != cursor:
            self._pulled.take(self.address, feed)
            self.count += len(feed.events)
        return feed.more and feed.next != cursor


class Pulling:
    """The agents that are listed, and those that `scraped` finds; one that is both is asked as it is listed."""

    def __init__(
        self, agents: Sequence[AgentAddress], host: str, engine: Engine, scraped: Callable[[], Iterable[Place]] = tuple
    ) -> None:
        self._host = host
        self._listed = [listed(each) for each in agents]
        self._scraped = scraped
        self._pulled = Pulled(engine)
        self._asked: dict[str, tuple[Place, Agent]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for _, agent in list(self._asked.values()):
            agent.stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.look()
            self._stopping.wait(EVERY)

    def look(self) -> None:
        """Begin to ask what is new, leave what has gone."""
        wanted = {address(place): place for place in (*self._scraped(), *self._listed)}
        for name, (place, agent) in list(self._asked.items()):
            if wanted.get(name) != place:
                agent.stop()
                del self._asked[name]
        for name in wanted.keys() - self._asked.keys():
            agent = Agent(wanted[name], self._pulled, self._host)
            self._asked[name] = wanted[name], agent
            agent.start()

    def agents(self) -> list[Agent]:
        return [agent for _, (_, agent) in sorted(list(self._asked.items()))]  # noqa: C414 # others write meanwhile

    def failing(self) -> list[str]:
        """A sentence for each that does not give its events."""
        return [f"events of {each.address} are not copied: {each.error}" for each in self.agents() if each.error]

    def samples(self) -> Iterable[Sample]:
        for each in self.agents():
            if each.error is not None:
                yield PULL_UP(not each.error, each.address)
            yield PULLED(each.count, each.address)
