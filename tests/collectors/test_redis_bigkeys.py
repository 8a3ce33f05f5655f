"""Kinds of keys: bounded, in turn over all keys, and no key's own name leaves the server."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reading import read_part, trial
from collectors.config import Secret
from collectors.redis import COLLECTOR, bigkeys
from collectors.redis.bigkeys import LARGEST, LOOKED_AT, MOST_KINDS, kind, summed_up
from collectors.redis.session import Redis, connect
from tests.lab import servers

(PART,) = (part for part in COLLECTOR.parts if part.name == "keys")


@pytest.mark.servers
def test_the_large_ones_are_told_by_kind_and_all_keys_get_their_turn(tmp_path: Path) -> None:
    with servers.Redis(tmp_path) as server:

        def client(text: str) -> None:
            command = ["redis-cli", "-p", str(server.port)]
            subprocess.run(command, input=text, check=True, capture_output=True, text=True)

        pages = "".join(f"SET drupal:cache_page:https://shop.example/u/jane{n} {'x' * 50}\n" for n in range(1200))
        client(f"{pages}SET drupal:cache_config:a {'y' * 9000}\nSET drupal:cache_config:b z\nSET secret-jane 1\n")
        client("SELECT 3\nSET lone 1\n")
        client("ACL SETUSER gauge on >s3cret -@all +info +scan +select +memory|usage %R~*\n")
        config = Redis(port=server.port, user="gauge", password=Secret("s3cret"), big_keys=True)
        seen: dict[tuple[str, ...], float] = {}
        largest = 0.0
        with connect(config) as session:
            for _ in range(8):
                reading = read_part(PART, session)
                assert reading.outcome == "ok", reading.error
                looked_at = [sample for sample in reading.samples if sample.family is LOOKED_AT]
                assert sum(sample.value for sample in looked_at) <= bigkeys.MOST_KEYS
                for sample in looked_at:
                    seen[sample.labels] = seen.get(sample.labels, 0) + sample.value
                largest = max([largest, *(each.value for each in reading.samples if each.family is LARGEST)])
        assert "jane" not in str(reading.payload)
    assert seen["db0", "drupal:cache_page:*"] >= 1200
    assert seen["db3", "*"] >= 1
    assert largest > 9000


@pytest.mark.servers
def test_it_is_read_only_where_it_is_asked_for(tmp_path: Path) -> None:
    with servers.Redis(tmp_path) as server:
        names = [reading.part.name for reading in trial(COLLECTOR, Redis(port=server.port))]
        assert "keys" not in names
        last = trial(COLLECTOR, Redis(port=server.port, big_keys=True))[-1]
    assert (last.part.name, last.outcome, last.samples) == ("keys", "ok", ())


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("drupal.site1:cache_page:https://shop.example/a", "drupal.site*:cache_page:*"),
        ("sess:4f3c2b1a9d8e7f60", "sess:*"),
        ("user:jane@example.org", "user:*"),
        ("PHPREDIS_SESSION:0123abcd4567", "PHPREDIS_SESSION:*"),
        ("550e8400-e29b-41d4-a716-446655440000", "*"),
        ("", "*"),
        ("\xff\0", "*"),
    ],
)
def test_a_name_loses_what_is_someones(key: str, found: str) -> None:
    assert kind(key) == found


@given(st.lists(st.tuples(st.text(max_size=12).map(kind), st.integers(1, 1 << 40)), max_size=60))
def test_nothing_that_only_one_key_has_is_told_and_no_more_than_so_many(sizes: list[tuple[str, int]]) -> None:
    told = summed_up(0, sizes)
    assert len(told) <= MOST_KINDS
    for _, name, keys, total, largest in told:
        assert name == "*" or keys > 1
        assert largest <= total
