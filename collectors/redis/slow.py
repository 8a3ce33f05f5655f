"""What took long: the slow log's length and newest entry, spikes, and how long commands take as histograms.

Source: https://redis.io/docs/latest/commands/slowlog-get/ https://redis.io/docs/latest/commands/latency-histogram/
"""

from collections.abc import Iterable
from typing import Any, TypedDict

from collectors.errors import Absent, ParseError
from collectors.model import Gauge, Histogram, Sample
from collectors.redis.session import Session, ask, ask_if_allowed, text
from collectors.redis.values import pairs

LENGTH = Gauge("redis_slowlog_length", "Entries of the slow log.")
LAST_ID = Gauge("redis_slowlog_last_id", "Number of the newest entry of the slow log; it only grows.")
LAST_TOOK = Gauge("redis_last_slow_execution_duration_seconds", "How long the newest entry of the slow log took.")
SPIKE = Gauge("redis_latency_spike_last", "When an event last took long, in Unix time.", ("event_name",))
SPIKE_TOOK = Gauge("redis_latency_spike_duration_seconds", "How long it took then.", ("event_name",))
TOOK = Histogram(
    "redis_commands_latencies_usec", "Microseconds that calls took, by command.", ("cmd",), bounds={"cmd": 300}
)
BUCKET = TOOK.with_suffix("_bucket", "Calls that took at most so many microseconds.")
SUM = TOOK.with_suffix("_sum", "Microseconds of all calls.")
COUNT = TOOK.with_suffix("_count", "Calls.")
FAMILIES = (LENGTH, LAST_ID, LAST_TOOK, SPIKE, SPIKE_TOOK, BUCKET, SUM, COUNT)


class Payload(TypedDict):
    length: int | None
    newest: list[int]
    """Number and microseconds of the newest entry of the slow log; its words are people's data, and not kept."""
    spikes: list[list[Any]]
    """Event, Unix time, milliseconds."""
    histograms: dict[str, list[int]]
    """Command -> calls, then in turn microseconds and the calls that took at most so many."""
    commands: str
    """INFO commandstats."""


def read(session: Session) -> Payload:
    length = ask_if_allowed(session, "SLOWLOG", "LEN")
    newest = ask_if_allowed(session, "SLOWLOG", "GET", "1")
    spikes = ask_if_allowed(session, "LATENCY", "LATEST")
    histograms = ask_if_allowed(session, "LATENCY", "HISTOGRAM")
    if all(answer is None for answer in (length, newest, spikes, histograms)):
        raise Absent("neither SLOWLOG nor LATENCY may be asked")
    try:
        return {
            "length": None if length is None else _whole(length),
            "newest": [_whole(newest[0][0]), _whole(newest[0][2])] if newest else [],
            "spikes": [[text(spike[0]), _whole(spike[1]), _whole(spike[2])] for spike in spikes or []],
            "histograms": {
                text(command): [_whole(each) for each in (facts[1], *facts[3])]
                for command, facts in zip(histograms[::2], histograms[1::2], strict=True)
            } if histograms else {},
            "commands": text(ask(session, "INFO", "commandstats")) if histograms else "",
        }  # fmt: skip
    except (TypeError, IndexError, KeyError, ValueError) as error:
        raise ParseError(f"expected SLOWLOG and LATENCY as Redis answers them, found {error!r}") from error


def _whole(answer: Any) -> int:
    if not isinstance(answer, int) or not 0 <= answer < 1 << 63:
        raise ValueError(f"expected a number, found {answer!r:.40}")
    return answer


def parse(payload: Payload) -> Iterable[Sample]:
    if payload["length"] is not None:
        yield LENGTH(payload["length"])
    if payload["newest"]:
        number, took = payload["newest"]
        yield LAST_ID(number)
        yield LAST_TOOK(took / 1e6)
    for event, when, took in payload["spikes"]:
        yield SPIKE(when, event)
        yield SPIKE_TOOK(took / 1e3, event)
    lines = dict(line.split(":", 1) for line in payload["commands"].splitlines() if ":" in line)
    for command, (calls, *steps) in payload["histograms"].items():
        for most, until in zip(steps[::2], steps[1::2], strict=False):
            yield BUCKET(until, command.lower(), str(most))
        yield BUCKET(calls, command.lower(), "+Inf")
        yield COUNT(calls, command.lower())
        if (spent := pairs(lines.get(f"cmdstat_{command}", "")).get("usec")) is not None:
            yield SUM(spent, command.lower())
