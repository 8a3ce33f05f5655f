"""The edge around incidents: groups what the evaluator sees, and explains what opened or grew, in its own thread."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from alerts.incidents import store
from alerts.incidents.evidence import evidence
from alerts.incidents.explain import explained
from alerts.incidents.gather import LEAD_SECONDS, gather, window
from alerts.incidents.graph import Graph, graph
from alerts.incidents.grouping import step
from alerts.incidents.impact import impact, most
from alerts.incidents.model import Incident
from alerts.incidents.picture import chart
from alerts.message.chart import png
from alerts.message.context import Context
from alerts.message.incident import context as incident_context
from alerts.message.links import signed
from alerts.model import Alert, Group
from alerts.notices import Notice, fingerprint
from alerts.path.plan import Plan
from history.database import make_tables
from history.events import Events
from history.model import QueryError, Source

log = logging.getLogger("raingauge.alerts.incidents")

LINK_SECONDS = 86400.0
"""How long a link that acknowledges is good, about."""
LOOK_SECONDS = 30.0
COMMIT_SECONDS, MOST_LOOKS = 0.5, 20
"""`group` wakes before the evaluator's transaction is over, so what it wrote may be seen a little later only."""
SEEN_SECONDS = 3600.0
"""What logs said before that is not shown as evidence."""
AFTER_SECONDS = 600.0
"""Of the time after its end that a chart shows."""
TOLD_SECONDS = 86400.0
"""How long after its end an incident is still told of: a message may have waited as long."""


class Watch:
    """`start` and `stop` once each, or `explain_new` from a clock of one's own."""

    def __init__(
        self,
        engine: Engine,
        source: Source,
        events: Events,
        rules: Callable[[], tuple[Plan, Sequence[Group]]],
        clock: Callable[[], float],
        *,
        link_key: str = "",
    ) -> None:
        """`rules`: the routes and rules that run now. `link_key` signs links that acknowledge; "" makes none."""
        self._engine = engine
        self._source = source
        self._events = events
        self._rules = rules
        self._clock = clock
        self._link_key = link_key
        self._graph: tuple[Plan, Sequence[Group], Graph] | None = None
        self._explaining = threading.Lock()
        self._awake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="incidents", daemon=True)
        make_tables(engine, store.TABLES)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        self._stopped = True
        self._awake.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def group(self, connection: Connection, alerts: Sequence[Alert], now: float) -> None:
        """In the evaluator's transaction."""
        before = store.current(connection, now)
        after = step(before, alerts, now, self.graph())
        if after != before:
            store.save(connection, before, after, now)
            self._awake.set()

    def graph(self) -> Graph:
        plan, groups = self._rules()
        if self._graph is None or self._graph[0] is not plan or self._graph[1] is not groups:
            self._graph = plan, groups, graph(plan, groups)
        return self._graph[2]

    def explain_new(self) -> int:
        """Explain what changed since it was explained; how many incidents that are."""
        with self._explaining:
            with self._engine.connect() as connection:
                found = store.unexplained(connection, self._clock())
            for incident in found:
                self._explain(incident)
        return len(found)

    def context(self, notice: Notice) -> Context | None:
        """What a message says beyond its alerts, if they are part of an incident. In any thread."""
        self.explain_new()
        keys = [fingerprint(alert.labels) for alert in notice.alerts]
        with self._engine.connect() as connection:
            found = store.of_alerts(connection, keys, self._clock() - TOLD_SECONDS)
        if found is None:
            return None
        known = incident_context(found, notice.external_url, self._token(found) if self._link_key else "")
        return self._pictured(self._measured(known, found), found, notice)

    def _token(self, incident: Incident) -> str:
        """The same within an hour, so that a message that is tried again is the same."""
        expires = self._clock() // 3600 * 3600 + LINK_SECONDS
        return signed(f"/incidents/{incident.id}", expires, self._link_key)

    def _measured(self, known: Context, incident: Incident) -> Context:
        """With what users feel now, what most of it is about, and what the logs said last."""
        now = self._clock()
        said = self._events.events(max(incident.began - LEAD_SECONDS, now - SEEN_SECONDS), now)
        return replace(
            known, impact=impact(incident, self._source, now), offenders=most(incident, self._source, now),
            evidence=evidence(incident, said),
        )  # fmt: skip

    def _pictured(self, known: Context, incident: Incident, notice: Notice) -> Context:
        """With the chart of the first alert; without one where there is nothing to draw."""
        now = self._clock() if incident.ended is None else min(self._clock(), incident.ended + AFTER_SECONDS)
        rules = [rule for group in self._rules()[1] for rule in group.rules]
        try:
            drawn = chart(notice.alerts[0], rules, incident, self._source, window(incident.began, now))
        except QueryError as error:
            log.debug("incident=%d not drawn: %s", incident.id, error)
            drawn = None
        return known if drawn is None else replace(known, series=drawn.values, chart_png=png(drawn))

    def _explain(self, incident: Incident) -> None:
        now = self._clock()
        findings = gather(incident, self._source, self._events, now)
        done = explained(incident, findings, self.graph())
        with self._engine.begin() as connection:
            store.explain(connection, done, now)
        log.info("incident=%d host=%s site=%s explained: %s", done.id, done.host, done.site, done.symptom)

    def _run(self) -> None:
        looks = 0
        while not self._stopped:
            if self._awake.wait(COMMIT_SECONDS if looks else LOOK_SECONDS):
                self._awake.clear()
                looks = MOST_LOOKS
            if self._stopped:
                return
            looks -= 1
            try:
                looks = 0 if self.explain_new() else max(0, looks)
            except SQLAlchemyError as error:
                log.error("incidents were not explained: %s: %s", type(error).__name__, error)
