"""Typed, frozen configuration: the model of every collector's and notifier's settings, secrets and units.

An option may exist only if it names an operator's decision. Unknown keys are refused.
"""

import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, GetPydanticSchema
from pydantic_core import core_schema

from collectors.errors import Denied


class Config(BaseModel):
    """Base of every configuration model. Docstrings under attributes become the reference's text."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True)


class Secret:
    """Text that never shows itself: not in repr, logs, tracebacks or dumps. Read it with `reveal()`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda _secret: "***"),
            json_schema_input_schema=core_schema.str_schema(),
        )

    @classmethod
    def _validate(cls, value: Any) -> "Secret":
        if isinstance(value, Secret):
            return value
        if isinstance(value, str):
            return cls(value)
        raise ValueError(f"expected text, found {type(value).__name__}")


SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def seconds(value: Any) -> Any:
    """`10`, `10s`, `1h30m` -> seconds as a number; other values pass on to pydantic's own check."""
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"(\d+(\.\d+)?(ms|[smhdwy]))+", value):
        raise ValueError(f"expected a duration such as 10s, 5m or 1h30m, found {value!r}")
    return sum(float(number) * SECONDS[unit] for number, _, unit in re.findall(r"(\d+(\.\d+)?)(ms|[smhdwy])", value))


def octets(value: Any) -> Any:
    """`4096`, `64MiB`, `2GB` -> bytes as a number; other values pass on to pydantic's own check."""
    if not isinstance(value, str):
        return value
    if not (found := re.fullmatch(r"(\d+) ?(B|kB|MB|GB|KiB|MiB|GiB)", value)):
        raise ValueError(f"expected a size such as 64MiB or 2GB, found {value!r}")
    return int(found[1]) * BYTES[found[2]]


def _with_text_form(pattern: str, description: str) -> Any:
    def schema(source: Any, handler: Any) -> core_schema.CoreSchema:
        inner: core_schema.CoreSchema = handler(source)
        return inner

    def json_schema(inner: Any, handler: Any) -> dict[str, Any]:
        number: dict[str, Any] = handler(inner)
        return {"anyOf": [number, {"type": "string", "pattern": pattern}], "description": description}

    return GetPydanticSchema(get_pydantic_core_schema=schema, get_pydantic_json_schema=json_schema)


Seconds = Annotated[
    float, BeforeValidator(seconds), _with_text_form(r"^(\d+(\.\d+)?(ms|[smhdwy]))+$", "seconds, or 10s, 5m, 1h30m")
]
Bytes = Annotated[
    int, BeforeValidator(octets), _with_text_form(r"^\d+ ?(B|kB|MB|GB|KiB|MiB|GiB)$", "bytes, or 64MiB, 2GB")
]


Port = Annotated[int, Field(ge=1, le=65535)]
Timeout = Annotated[Seconds, Field(gt=0)]


def _http(url: str) -> str:
    try:
        at = urlsplit(url)
        good = at.scheme in ("http", "https") and at.hostname and at.port != 0
    except ValueError:  # whose words may repeat an account
        good = False
    if not good:
        raise ValueError("expected an http:// or https:// address")
    return url


HttpUrl = Annotated[str, AfterValidator(_http)]


def reveal(secret: Secret | None, file: Path | None) -> str | None:
    """The secret from the setting or, without one, from its `*_file` less the trailing newline. OSError as is."""
    if secret is not None:
        return secret.reveal()
    return file.read_text().rstrip("\r\n") if file is not None else None


def login(secret: Secret | None, file: Path | None) -> str | None:
    """As `reveal`; without the file we are denied: the server may well be there."""
    try:
        return reveal(secret, file)
    except UnicodeDecodeError as error:
        raise Denied(f"read the password from {file}: expected UTF-8 text") from error
    except OSError as error:
        raise Denied(f"read the password from {file}: {error.strerror or error}") from error
