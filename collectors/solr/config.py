"""Settings of a Solr, and how it is asked."""

from pathlib import Path

from collectors.config import Config, HttpUrl, Secret, Timeout, login
from collectors.sources.http import http_get


class Solr(Config):
    url: HttpUrl = "http://127.0.0.1:8983/solr"
    """Address of the server, with the path that all its addresses begin with."""
    user: str = ""
    """Account for basic authentication; empty: none."""
    password: Secret | None = None
    """Its password."""
    password_file: Path | None = None
    """File that holds the password instead."""
    timeout: Timeout = 5.0
    """How long each request may take."""


def ask(path: str, config: Solr) -> str:
    password = login(config.password, config.password_file)
    account = (config.user, password or "") if config.user else None
    return http_get(config.url.rstrip("/") + path, config.timeout, login=account)
