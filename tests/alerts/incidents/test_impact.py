"""What users feel, in requests a second, and what most of it is about."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import Engine

from alerts.incidents.impact import impact, most
from alerts.incidents.model import Incident
from collectors.model import Counter, Target
from history.embedded import Embedded
from history.model import QueryError, Source
from history.store.store import Store
from tests.alerts.examples import T
from tests.alerts.told import INCIDENT

REQUESTS = Counter("web_requests_total", "x", ("site", "class", "status"))
COUNT = Counter("web_request_duration_seconds_count", "x", ("site",))
BUCKET = Counter("web_request_duration_seconds_bucket", "x", ("site", "le"))
SLOW = Counter("php_slow_requests_total", "x", ("pool", "script", "frame"))
NOW = T + 120
Rates = Mapping[tuple[str, str, str], float]
"""Site, class and status -> requests a second."""


def source(engine: Engine, rates: Rates, *, slow: float = 0.0, before: float = 0.0, host: str = "web1") -> Source:
    """`slow`: requests to shop.example a second that take longer than 2 s; `before`: requests a second until T."""
    store = Store(engine)
    for at in range(-900, 121, 15):
        if at < 0 and not before:
            continue
        since = max(0, at)
        samples = [REQUESTS(rate * since + before * (900 + min(0, at)), *key) for key, rate in rates.items()]
        samples += (
            [COUNT(40.0 * since, "shop.example"), BUCKET((40 - slow) * since, "shop.example", "2")] if slow else []
        )
        samples.append(SLOW(0.1 * since, "www", "web/index.php", "curl_exec"))
        store.append(Target("web", host, host), T + at, samples)
    return Embedded(store)


def said(found: Source, incident: Incident = INCIDENT) -> str:
    return impact(incident, found, NOW)


def test_how_many_of_how_many_fail(engine: Engine) -> None:
    rates = {
        ("shop.example", "front", "2xx"): 28,
        ("shop.example", "node/{id}", "5xx"): 12,
        ("blog", "front", "5xx"): 9,
    }
    assert said(source(engine, rates)) == "12 of 40 requests a second to shop.example fail"


def test_slow_ones_are_counted_too(engine: Engine) -> None:
    found = source(engine, {("shop.example", "front", "2xx"): 40}, slow=9)
    assert said(found) == "none of 40 requests a second to shop.example fails, 9 take longer than 2 s"


def test_an_incident_of_the_whole_host_is_about_all_its_sites(engine: Engine) -> None:
    rates = {("shop.example", "front", "2xx"): 10, ("blog", "front", "5xx"): 2}
    assert said(source(engine, rates), replace(INCIDENT, site="")) == "2 of 12 requests a second to web1 fail"


def test_no_request_is_not_no_failure(engine: Engine) -> None:
    found = source(engine, {("shop.example", "front", "2xx"): 0}, before=20)
    assert said(found) == "no request to shop.example in the last 2 min, 20 a second before"


def test_what_is_not_counted_is_unknown(engine: Engine) -> None:
    other = source(engine, {("shop.example", "front", "5xx"): 5}, host="web2")
    assert said(other) == "unknown: no access log says how many requests to shop.example there are"


@dataclass
class Broken:
    """A history that goes away after some answers."""

    source: Source
    answers: int

    def query(self, expr: str, at: float) -> object:
        self.answers -= 1
        if self.answers < 0:
            raise QueryError("unavailable", "away")
        return self.source.query(expr, at)


@pytest.mark.parametrize("answers", [0, 1, 2])
def test_a_history_that_goes_away_is_unknown_at_whichever_question(engine: Engine, answers: int) -> None:
    """Never "none fails" because the question about failures was not answered."""
    broken: Source = Broken(source(engine, {("shop.example", "front", "5xx"): 5}), answers)  # type: ignore[assignment]
    assert said(broken) == "unknown: the history did not answer"


def test_a_history_that_is_away_names_no_offender(engine: Engine) -> None:
    broken: Source = Broken(source(engine, {}), 0)  # type: ignore[assignment]
    assert most(INCIDENT, broken, NOW) == ()


def test_the_top_offenders(engine: Engine) -> None:
    rates = {("shop.example", f"node/{number}", "5xx"): float(number) for number in range(4)}
    assert most(INCIDENT, source(engine, rates), NOW) == (
        "Pages node/3 of shop.example: 3 /s answer 5xx",
        "Pages node/2 of shop.example: 2 /s answer 5xx",
        "PHP in curl_exec of web/index.php: 12 slow requests in 10 min",
    )


def test_a_series_without_labels_is_everywhere(engine: Engine) -> None:
    """As a remote history may hold it."""
    store, family = Store(engine), Counter("web_requests_total", "x")
    for at in range(0, 121, 15):
        store.append(Target("web", "web1", "web1"), T + at, [family(at * 3.0)])
    assert said(Embedded(store)) == "none of 3 requests a second to shop.example fails"
