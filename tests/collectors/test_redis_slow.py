"""Redis: the slow log, spikes and histograms of commands."""

from pathlib import Path
from typing import Any, cast

import pytest

from agent.reading import trial
from collectors.config import Secret
from collectors.errors import ParseError
from collectors.redis import COLLECTOR, slow
from collectors.redis.resp import Connection
from collectors.redis.session import Redis, Session
from tests.collectors.test_redis_servers import client, values
from tests.lab import servers


@pytest.mark.servers
def test_what_was_slow_is_told_without_a_word_of_it(tmp_path: Path) -> None:
    with servers.Redis(tmp_path, ["--slowlog-log-slower-than", "0"]) as server:
        client(server, "SET", "customer:mallory", "secret-value")
        reading = trial(COLLECTOR, Redis(port=server.port))[1]
        newest = client(server, "SLOWLOG", "LEN")
    found = values(reading)
    assert 0 < found["redis_slowlog_length"] <= int(newest)
    assert found["redis_slowlog_last_id"] >= 1  # of a command of ours
    assert found["redis_commands_latencies_usec_count,set"] == 1
    assert found["redis_commands_latencies_usec_bucket,set,+Inf"] == 1
    assert found["redis_commands_latencies_usec_sum,set"] >= 0
    assert [word for word in ("mallory", "secret", "SET") if word in str(reading.payload)] == []


@pytest.mark.servers
def test_without_the_right_nothing_was_slow_and_all_else_is_there(tmp_path: Path) -> None:
    with servers.Redis(tmp_path) as server:
        client(server, "ACL", "SETUSER", "poor", "on", ">s3cret", "-@all", "+info")
        readings = trial(COLLECTOR, Redis(port=server.port, user="poor", password=Secret("s3cret")))
    assert [reading.outcome for reading in readings] == ["ok", "absent"]


class Answers:
    """A connection on which everything is answered in turn."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def ask(self, *_words: str) -> Any:
        return self.answers.pop(0)


def asked(*answers: Any) -> dict[str, float]:
    payload = slow.read(Session(cast("Connection", Answers(*answers))))
    return {",".join([sample.family.name, *sample.labels]): sample.value for sample in slow.parse(payload)}


ENTRY = [7, 1700000000, 1500, [b"SET", b"a"], b"127.0.0.1:1", b""]
HISTOGRAM = [b"set", [b"calls", 3, b"histogram_usec", [4, 1, 8, 3]]]
SPENT = b"# Commandstats\r\ncmdstat_set:calls=3,usec=20,usec_per_call=6.67\r\n"


def test_what_was_slow() -> None:
    assert asked(2, [ENTRY], [[b"command", 1700000001, 12, 40]], HISTOGRAM, SPENT) == {
        "redis_slowlog_length": 2, "redis_slowlog_last_id": 7, "redis_last_slow_execution_duration_seconds": 0.0015,
        "redis_latency_spike_last,command": 1700000001, "redis_latency_spike_duration_seconds,command": 0.012,
        "redis_commands_latencies_usec_bucket,set,4": 1, "redis_commands_latencies_usec_bucket,set,8": 3,
        "redis_commands_latencies_usec_bucket,set,+Inf": 3, "redis_commands_latencies_usec_count,set": 3,
        "redis_commands_latencies_usec_sum,set": 20,
    }  # fmt: skip
    assert asked(0, [], [], []) == {"redis_slowlog_length": 0}


@pytest.mark.parametrize(
    "answers",
    [
        (b"2", [ENTRY], [], [], b""),
        (2, [[7]], [], [], b""),
        (2, [[*ENTRY[:2], b"x"]], [], [], b""),
        (2, 7, [], [], b""),
        (-1, [], [], [], b""),
        (1 << 70, [], [], [], b""),
        (2, [], [[b"command"]], [], b""),
        (2, [], [[1, 2, 3]], [], b""),
        (2, [], [], [b"set"], b""),
        (2, [], [], [b"set", [b"calls", 3, b"x", [b"y", 1]]], b""),
        (2, [], [], [b"set", 7], b""),
        (2, [], [], HISTOGRAM, 7),
    ],
)
def test_other_answers_are_refused(answers: tuple[Any, ...]) -> None:
    with pytest.raises(ParseError, match="expected"):
        asked(*answers)
