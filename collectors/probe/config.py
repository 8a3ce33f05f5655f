"""What is checked, and when it counts as good."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from collectors.config import Config, HttpUrl, Seconds


def _name(text: str) -> str:
    if not re.fullmatch(r"[^\s/:@]*", text):
        raise ValueError("expected a name such as shop.example, without port or path")
    return text


class Probe(Config):
    url: HttpUrl = "http://127.0.0.1/"
    """Address to GET."""
    host_header: Annotated[str, AfterValidator(_name)] = ""
    """Name of the site, where `url` has another address: sent as Host header and asked for in TLS."""
    module: str = "http_2xx"
    """Label of the check; tells two checks of one address apart."""
    height: Literal["local", "public"] = "public"
    """`local`: asks this host's own web server, and follows no redirect to anywhere else."""
    expect_status: tuple[Annotated[int, Field(ge=100, le=599)], ...] = ()
    """Statuses that count as good, a redirect among them too, which is then not followed; empty: 200 to 399."""
    must_contain: str = ""
    """Text that a good page has."""
    must_not_contain: str = ""
    """Text that a good page does not have."""
    verify_tls: bool = True
    """An invalid certificate counts as failed."""
    timeout: Annotated[Seconds, Field(gt=0, le=9)] = 5.0
    """How long the whole check may take, redirects included."""


def address(config: Probe) -> str:
    """The probed URL as a visitor knows it, without account, query and fragment, which may hold secrets."""
    at = urlsplit(config.url)
    name = config.host_header or at.hostname or ""
    name = f"[{name}]" if ":" in name else name
    standard = {"http": 80, "https": 443}[at.scheme]
    port = f":{at.port}" if at.port and at.port != standard else ""
    return f"{at.scheme}://{name}{port}{at.path or '/'}"
