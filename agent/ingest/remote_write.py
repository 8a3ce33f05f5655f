"""What an operator may say about where samples are sent on."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from collectors.config import Bytes, Config, Seconds, Secret, reveal
from history.address import Address


class RemoteWrite(Config):
    url: Secret
    """Where to POST, such as http://host:9090/api/v1/write."""
    username: str = ""
    """How it knows us; with a password."""
    password: Secret | None = None
    """For that server."""
    password_file: Path | None = None
    """File that holds the password instead."""
    token: Secret | None = None
    """Sent as `Authorization: Bearer`."""
    token_file: Path | None = None
    """File that holds the token instead."""
    queue: Annotated[Bytes, Field(ge=2**20)] = 2**28
    """Most room on disk for what waits while it does not answer; the oldest goes first."""
    timeout: Seconds = 30.0
    """How long to wait for its answer."""

    @field_validator("url")
    @classmethod
    def _web_address(cls, url: Secret) -> Secret:
        try:
            at = urlsplit(url.reveal())
            good = at.scheme in ("http", "https") and at.hostname and at.port != 0
        except ValueError:  # whose words may repeat an account
            good = False
        if not good:
            raise ValueError("expected an http:// or https:// address")
        return url

    def address(self) -> Address:
        """OSError when a file of a secret cannot be read."""
        password, token = reveal(self.password, self.password_file), reveal(self.token, self.token_file)
        return Address(self.url.reveal(), self.username, password or "", token or "")
