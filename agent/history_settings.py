"""The key `history` of the configuration: what is kept, where, and what a query may take."""

import os
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from collectors.config import Bytes, Config, Seconds, Secret, reveal
from history.address import Address
from history.promql.limits import DEFAULT, Limits
from history.retention import Retention


class LimitSettings(Config):
    samples: Annotated[int, Field(ge=1000)] = DEFAULT.samples
    """Stored samples that one query may read, and values that one step of it may hold: 8 bytes each."""
    points: Annotated[int, Field(ge=1)] = DEFAULT.points
    """Steps of a range query."""
    seconds: Annotated[Seconds, Field(gt=0)] = DEFAULT.seconds
    """Time that one query may take."""
    series: Annotated[int, Field(ge=1)] = DEFAULT.series
    """Series that one query may read."""
    length: Annotated[int, Field(ge=1)] = DEFAULT.length
    """Characters of an expression."""
    depth: Annotated[int, Field(ge=1, le=60)] = DEFAULT.depth
    """Brackets of an expression within each other; more than 60 would overflow the parser."""


class HistorySettings(Config):
    retention: Annotated[Seconds, Field(gt=0)] = 15 * 86400.0
    """How long samples are kept as they came: about 1 byte each."""
    retention_5m: Annotated[Seconds, Field(gt=0)] = 90 * 86400.0
    """How long one value of each 5 minutes is kept (of each minute, where samples come more often than each 5 s)."""
    retention_1h: Annotated[Seconds, Field(gt=0)] = 730 * 86400.0
    """How long one value of each hour is kept."""
    size: Annotated[Bytes, Field(ge=64 * 2**20)] = 4 * 2**30
    """Most room on disk. When it is used up the oldest samples go early, first those that the 5 minutes cover."""
    cache: Annotated[Bytes, Field(ge=0)] = 64 * 2**20
    """Most memory for samples of long ago that were asked for lately; more makes long charts faster."""

    database: Secret | None = None
    """Keep everything in this PostgreSQL and not in a file of the state directory: `postgresql://user@host/name`."""
    database_file: Path | None = None
    """File that holds that address instead, as it may have a password in it."""
    events: Annotated[Seconds, Field(gt=0)] = 400 * 86400.0
    """How long events are kept: deploys, restarts, alerts; at most 200,000 of them."""
    personal: Annotated[Seconds, Field(gt=0)] = 90 * 86400.0
    """How long events keep addresses and names of accounts; what happened, when and how often is kept on."""
    limits: LimitSettings = LimitSettings()
    """What one query may take before it is refused."""
    promql_2x: bool = False
    """Ranges include their left border, as in Prometheus 2; RAINGAUGE_PROMQL_2X=1 in the environment does the same."""

    url: Secret | None = None
    """Read from this Prometheus, or whatever speaks its API, and not from our own samples: `http://host:9090`."""
    username: str = ""
    """How that server knows us; with a password."""
    password: Secret | None = None
    """For that server."""
    password_file: Path | None = None
    """File that holds the password instead."""
    token: Secret | None = None
    """Sent to that server as `Authorization: Bearer`."""
    token_file: Path | None = None
    """File that holds the token instead."""

    @field_validator("url")
    @classmethod
    def _web_address(cls, url: Secret | None) -> Secret | None:
        if url is None:
            return None
        try:
            at = urlsplit(url.reveal())
            known = at.scheme in ("http", "https") and at.hostname and at.port != 0
        except ValueError:  # it says the port that it found, which is a part of a password with a slash in it
            known = False
        if not known:
            raise ValueError("expected an http:// or https:// address")
        return url

    @model_validator(mode="after")
    def _whose_password(self) -> Self:
        known = self.username or (self.url is not None and urlsplit(self.url.reveal()).username)
        if (self.password is not None or self.password_file is not None) and not known:
            raise ValueError("expected username beside password")
        return self

    def database_url(self) -> str:
        """ "" for the file in the state directory. OSError when the file of the address cannot be read."""
        return reveal(self.database, self.database_file) or ""

    def remote(self) -> Address | None:
        """Where another server keeps the history, if one does. OSError when a file of a secret cannot be read."""
        if self.url is None:
            return None
        password, token = reveal(self.password, self.password_file), reveal(self.token, self.token_file)
        return Address(self.url.reveal(), self.username, password or "", token or "")

    @property
    def query(self) -> tuple[Limits, bool]:
        """What a query may take, and whether it has the semantics of Prometheus 2."""
        return Limits(**self.limits.model_dump()), self.promql_2x or os.environ.get("RAINGAUGE_PROMQL_2X") == "1"

    @property
    def keep(self) -> Retention:
        return Retention(self.retention, self.retention_5m, self.retention_1h, self.size)
