"""One question to a pool over FastCGI, within the time that is allowed."""

import time
from collections.abc import Mapping

from collectors.errors import CollectError, Denied, ParseError, Unreachable
from collectors.sources import fastcgi
from collectors.sources.sockets import NoAnswer, connect

MOST_BYTES = 4_000_000


def ask(address: str, parameters: Mapping[str, str], timeout: float, what: str) -> fastcgi.Response:
    """`what` is asked, for messages. NoAnswer: not in time. ParseError: no FastCGI, or more than we take."""
    response = fastcgi.Response()
    end = time.monotonic() + timeout
    try:
        with connect(address, timeout) as connection:
            connection.sendall(fastcgi.request(parameters))
            while not response.ended:
                connection.settimeout(max(0.001, end - time.monotonic()))
                data = connection.recv(1 << 16)
                if not data:
                    raise _closed(address, what)
                response.feed(data)
                if len(response.output) + len(response.errors) > MOST_BYTES:
                    raise ParseError(f"{what}: expected an answer of less than {MOST_BYTES} bytes")
    except TimeoutError as error:
        raise NoAnswer(f"{what}: no answer within {timeout:g} s") from error
    except OSError as error:
        raise Unreachable(f"{what}: {error.strerror or error}") from error
    except ValueError as error:
        raise ParseError(f"{what}: {error}") from error
    return response


def _closed(address: str, what: str) -> CollectError:
    if address.startswith("unix:"):
        return Unreachable(f"{what}: closed without an answer")
    return Denied(f"{what}: closed without an answer, as listen.allowed_clients does")
