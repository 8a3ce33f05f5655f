"""What an operator may say about another Raingauge whose events are copied here."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from agent.ingest.fetching import Scraped
from agent.ingest.scrape_config import Authorization, ScrapeConfig
from collectors.config import Config, Secret

PATH = "/events"
METRICS = "/metrics"


def _web_address(url: str) -> str:
    at = urlsplit(url)
    if at.scheme not in ("http", "https") or not at.hostname or "@" in at.netloc or at.query or at.fragment:
        raise ValueError("expected an http:// or https:// address, such as http://web-02:9876")
    return url.rstrip("/")


class AgentAddress(Config):
    url: Annotated[str, AfterValidator(_web_address)]
    """Of its exporter."""
    token: Secret | None = None
    """One of `raingauge token create --scope read` on that host."""
    token_file: Path | None = None
    """File that holds the token instead."""


Place = tuple[ScrapeConfig, Scraped]
"""How an agent is asked, and where its events are."""


def listed(agent: AgentAddress) -> Place:
    """Asked as a scrape asks, with its bounds of time and size."""
    at = urlsplit(agent.url)
    token = Authorization(credentials=agent.token, credentials_file=agent.token_file)
    config = ScrapeConfig(job_name="agents", authorization=token if agent.token or agent.token_file else None)
    return config, Scraped("agents", at.netloc, at.scheme, at.path + PATH, ())


def beside(config: ScrapeConfig, scraped: Scraped) -> Place | None:
    """Where a target whose metrics are scraped has its events; None where that is no exporter of Raingauge's."""
    before, metrics, _ = scraped.path.partition(METRICS)
    return (config, Scraped(scraped.job, scraped.address, scraped.scheme, before + PATH, ())) if metrics else None


def address(place: Place) -> str:
    """Its name in the log, on pages and in the database."""
    _, at = place
    return f"{at.scheme}://{at.address}{at.path.removesuffix(PATH)}"
