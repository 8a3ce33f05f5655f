"""Redis' protocol: what is said comes back whatever its pieces, and what is no answer ends the connection."""

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import CollectError, Denied, ParseError, Unreachable, Unsupported
from collectors.redis.resp import MOST_BYTES, Connection, request
from collectors.sources.bounded import bounded

Answer = bytes | int | None | list["Answer"]
ANSWERS: st.SearchStrategy[Answer] = st.recursive(
    st.binary(max_size=30) | st.integers(-(1 << 63), (1 << 63) - 1) | st.none(), lambda each: st.lists(each, max_size=4)
)


def encoded(answer: Answer) -> bytes:
    if isinstance(answer, list):
        return b"*%d\r\n" % len(answer) + b"".join(map(encoded, answer))
    if isinstance(answer, int):
        return b":%d\r\n" % answer
    return b"$-1\r\n" if answer is None else b"$%d\r\n%b\r\n" % (len(answer), answer)


class Servers:
    """Each connection that is opened is answered the next of these, at once and without looking at what is asked."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.others: list[socket.socket] = []

    def __enter__(self) -> "Servers":
        return self

    def __exit__(self, *_: object) -> None:
        for other in self.others:
            other.close()

    def open(self) -> socket.socket:
        ours, other = socket.socketpair()
        self.others.append(other)
        other.sendall(self.answers.pop(0))
        return bounded(ours, 5, MOST_BYTES)


@pytest.fixture
def answered() -> Iterator[Servers]:
    with Servers() as servers:
        yield servers


@given(st.lists(ANSWERS.filter(lambda each: _depth(each) < 8), min_size=1, max_size=4))
def test_each_answer_comes_back_as_it_was_sent(answers: list[Answer]) -> None:
    with Servers(b"") as servers:
        connection = Connection(servers.open, 5)
        connection._socket = servers.open()
        for answer in answers:
            servers.others[0].sendall(encoded(answer))
            assert connection._ask(("X",)) == answer
        connection.close()


def _depth(answer: Answer) -> int:
    return 1 + max(map(_depth, answer), default=0) if isinstance(answer, list) else 0


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=5))
def test_a_command_is_an_array_of_texts(words: list[bytes]) -> None:
    assert request(tuple(words)) == encoded(list(words))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"-ERR unknown command\r\n", Unsupported),
        (b"-NOPERM no\r\n", Denied),
        (b"-LOADING Redis is loading the dataset in memory\r\n", Unreachable),
        (b"*1\r\n-ERR within\r\n", ParseError),
        (b"$3\r\nabcd\r\n", ParseError),
        (b"$5000000\r\n", ParseError),
        (b"x" * 70_000, ParseError),
        (b":1_0x\r\n", ParseError),
    ],
)
def test_what_it_refuses_and_what_is_none(answer: bytes, kind: type[CollectError], answered: Servers) -> None:
    answered.answers += [answer, b"+OK\r\n"]
    connection = Connection(answered.open, 5)
    with pytest.raises(kind, match=r"^PING: ") as error:
        connection.ask("PING")
    assert type(error.value) is kind
    if kind is ParseError:  # nothing that came after it is taken for an answer
        assert connection.ask("PING") == b"OK"
    connection.close()


def test_what_comes_unasked_is_no_answer(answered: Servers) -> None:
    answered.answers += [b"+1\r\n+2\r\n", b"+3\r\n"]
    connection = Connection(answered.open, 5)
    assert [connection.ask("PING") for _ in range(2)] == [b"1", b"3"]
    connection.close()


def test_who_is_not_let_in_asks_nothing(answered: Servers) -> None:
    answered.answers += [b"-ERR Client sent AUTH, but no password is set\r\n"]
    connection = Connection(answered.open, 5, ("user", "s3cret"))
    with pytest.raises(Denied, match=r"^AUTH: ERR Client"):
        connection.ask("PING")
    assert answered.others[0].recv(100) == request(("AUTH", "user", "s3cret"))
    assert answered.others[0].recv(100) == b""
