"""What an operator may say about a scrape: the subset of Prometheus' scrape_configs that we follow.

Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from agent.ingest.discovery import FileDiscovery, HttpDiscovery, TargetGroup
from agent.ingest.relabel import Relabel
from collectors.config import Bytes, Config, Seconds, Secret


class BasicAuth(Config):
    username: str
    """Who we are."""
    password: Secret | None = None
    """With it."""
    password_file: Path | None = None
    """File that holds the password instead."""


class Authorization(Config):
    type: str = "Bearer"
    """The kind of credentials."""
    credentials: Secret | None = None
    """Sent after the type."""
    credentials_file: Path | None = None
    """File that holds them instead."""


class Tls(Config):
    ca_file: Path | None = None
    """Whom to trust, instead of the system's list."""
    insecure_skip_verify: bool = False
    """Trust anyone."""


class ScrapeConfig(Config):
    job_name: Annotated[str, Field(min_length=1)]
    """The label `job` of what is scraped."""
    scrape_interval: Annotated[Seconds, Field(ge=1)] = 60.0
    """Time between scrapes of a target."""
    scrape_timeout: Annotated[Seconds, Field(gt=0)] = 10.0
    """How long to wait for its answer; no longer than the interval."""
    metrics_path: str = "/metrics"
    """What is asked for."""
    scheme: Literal["http", "https"] = "http"
    """How it is asked."""
    params: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """After the question mark."""
    honor_labels: bool = False
    """Where the page has a label that we would set, the page's counts."""
    basic_auth: BasicAuth | None = None
    """A name and a password."""
    authorization: Authorization | None = None
    """A token."""
    tls_config: Tls = Tls()
    """For https."""
    sample_limit: Annotated[int, Field(ge=0)] = 0
    """A page with more samples is refused; 0 for none."""
    body_size_limit: Annotated[Bytes, Field(ge=1)] = 2**26
    """A longer page is refused."""
    static_configs: tuple[TargetGroup, ...] = ()
    """Targets."""
    file_sd_configs: tuple[FileDiscovery, ...] = ()
    """Files with lists of targets."""
    http_sd_configs: tuple[HttpDiscovery, ...] = ()
    """Addresses with lists of targets."""
    relabel_configs: tuple[Relabel, ...] = ()
    """Steps over the labels of targets."""
    metric_relabel_configs: tuple[Relabel, ...] = ()
    """Steps over the labels of samples."""

    @model_validator(mode="after")
    def _timeout_within_interval(self) -> "ScrapeConfig":
        if "scrape_timeout" in self.model_fields_set and self.scrape_timeout > self.scrape_interval:
            raise ValueError("scrape_timeout: expected no more than scrape_interval")
        return self

    @property
    def patience(self) -> float:
        return min(self.scrape_timeout, self.scrape_interval)
