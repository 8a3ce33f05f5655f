"""One read: what its outcome is called, samples all or none, and how long it took."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from agent.reading import outcome_of, read_part, renewed, trial
from collectors.errors import Absent, Denied, ParseError, Unreachable, Unsupported
from collectors.model import Gauge, Part, Sample
from tests.agent.fakes import OTHER, VALUE, Script, connecting, part, watch


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(Unreachable("x"), "unreachable"), (ConnectionRefusedError(), "unreachable"), (FileNotFoundError(), "unreachable"),
     (TimeoutError(), "unreachable"), (BrokenPipeError(), "unreachable"), (Denied("x"), "denied"),
     (PermissionError(), "denied"), (Unsupported("x"), "unsupported"), (ParseError("x"), "parse"), (Absent(), "absent"),
     (KeyError("x"), "bug"), (RecursionError(), "bug"), (UnicodeDecodeError("utf-8", b"", 0, 1, "x"), "bug")],
)  # fmt: skip
@pytest.mark.parametrize("step", ["read", "parse"])
def test_each_error_has_its_word(step: str, error: Exception, outcome: str) -> None:
    def fail(_: Any) -> Any:
        raise error

    read, parse = (fail, lambda _: ()) if step == "read" else (lambda _: None, fail)
    reading = read_part(Part("fast", (VALUE,), read, parse), None)
    assert (reading.outcome, outcome_of(error)) == (outcome, outcome)
    assert reading.samples == ()
    assert (reading.bug is error) == (outcome == "bug")
    assert reading.error == ("" if outcome == "absent" else str(error) or type(error).__name__)


def test_what_was_parsed_before_an_error_is_not_kept() -> None:
    def parse(_: None) -> Iterable[Sample]:
        yield VALUE(1)
        raise ParseError("cut off")

    reading = read_part(Part("fast", (VALUE,), lambda _: None, parse), None)
    assert (reading.outcome, reading.samples, reading.answered) == ("parse", (), False)


def test_reading_and_parsing_are_timed_apart() -> None:
    reading = read_part(part(Script([3.0])), None)
    assert reading.read_seconds > 0 < reading.parse_seconds
    assert reading.seconds == reading.read_seconds + reading.parse_seconds
    assert [sample.value for sample in reading.samples] == [3, 4]
    assert reading.payload == 3


def test_a_trial_reads_every_part_over_one_connection_that_is_closed() -> None:
    said = []

    @contextmanager
    def connect(_: Any) -> Iterator[str]:
        said.append("open")
        yield "connection"
        said.append("close")

    seen = []

    def read(source: Any) -> None:
        seen.append(source)

    watched = connecting(watch(*(Part(name, (), read, lambda _: ()) for name in ("a", "b"))), connect)
    readings = trial(watched.collector, watched.config)
    assert [reading.outcome for reading in readings] == ["ok", "ok"]
    assert (seen, said) == (["connection"] * 2, ["open", "close"])


def test_a_connection_that_cannot_be_had_fails_every_part() -> None:
    @contextmanager
    def connect(_: Any) -> Iterator[str]:
        raise Denied("not you")
        yield ""

    watched = connecting(watch(part(Script()), part(Script(), "other")), connect)
    readings = trial(watched.collector, watched.config)
    assert [(reading.part.name, reading.outcome, reading.error) for reading in readings] == [
        ("fast", "denied", "not you"), ("other", "denied", "not you"),
    ]  # fmt: skip


LABELLED = Gauge("fake_labelled", "A value.", ("name",))


def test_of_a_value_that_is_as_before_the_sample_before_is_taken() -> None:
    before = [VALUE(1), VALUE(2)]
    found = renewed([VALUE(1), VALUE(3)], before)
    assert found == [VALUE(1), VALUE(3)]
    assert found[0] is before[0]


@pytest.mark.parametrize("samples", [[], [VALUE(1), VALUE(2)], [OTHER(1)], [LABELLED(1, "b")]])
def test_other_series_are_not_those_before(samples: list[Sample]) -> None:
    before = [LABELLED(1, "a")] if samples and samples[0].labels else [VALUE(1)]
    assert renewed(samples, before) is None
