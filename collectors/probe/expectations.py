"""The small types of a check's settings: what is sent, what a good answer has, what is taken out of one."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from collectors.config import Config, Secret, reveal
from collectors.probe import jsonpath
from collectors.sources.sockets import host_and_port


@lru_cache(maxsize=1000)
def compiled(pattern: str) -> Any:
    """ValueError for what is no regular expression of RE2, which needs time in proportion to the text and no more."""
    import re2  # only for checks with a pattern

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 2**20  # bytes
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise ValueError(f"expected a regular expression (RE2): {_words(error)}") from error


def _words(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


def _pattern(text: str) -> str:
    if text:
        compiled(text)
    return text


def _json_path(text: str) -> str:
    jsonpath.path(text)
    return text


def _json_text(text: str) -> str:
    jsonpath.assertion(text)
    return text


def _host_name(text: str) -> str:
    if not re.fullmatch(r"[^\s/:@]*", text):
        raise ValueError("expected a name such as shop.example, without port or path")
    return text


def _place(text: str) -> str:
    _, port = host_and_port(text)
    if not 0 < port < 65536:
        raise ValueError(f"expected a port from 1 to 65535, found {port}")
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
JsonPath = Annotated[str, AfterValidator(_json_path)]
JsonText = Annotated[str, AfterValidator(_json_text)]
HostName = Annotated[str, AfterValidator(_host_name)]
Place = Annotated[str, AfterValidator(_place)]
Label = Annotated[str, Field(min_length=1, max_length=60)]


class Pair(Config):
    """A header, or a field of a form."""

    name: str = Field(pattern=r"^[^\s:]+$")
    """What it is called."""
    value: Secret | None = None
    """What is sent."""
    value_file: Path | None = None
    """File that holds the value instead."""

    @model_validator(mode="after")
    def _has_a_value(self) -> Self:
        if (self.value is None) == (self.value_file is None):
            raise ValueError("expected value or value_file")
        return self

    def reveal(self) -> str:
        """OSError when the file cannot be read."""
        return reveal(self.value, self.value_file) or ""


class HeaderMatch(Config):
    name: str = Field(min_length=1)
    """Which header."""
    matches: Pattern = ""
    """Regular expression (RE2) that one of its values has; empty: it is there."""
    absent: bool = False
    """A good answer has no such header instead."""


class Value(Config):
    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Later steps use it as `{name}`."""
    regex: Pattern = ""
    """Regular expression (RE2); its first group in the page is the value."""
    json_path: JsonPath | None = None
    """Place in a JSON document instead: `$.data[0].token`."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.regex) == (self.json_path is not None):
            raise ValueError("expected regex or json_path")
        return self


class Certificate(Config):
    days_left: Annotated[float, Field(ge=0)] = 0.0
    """Days for which it is valid at least; of all that the server sends, the first to end counts."""
    name: HostName = ""
    """Name that it is for."""
    issuer: str = ""
    """Text that its issuer's name has."""
