"""Where targets come from: the configuration, files that others write, addresses that list them.

Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config
"""

import http.client
import json
import urllib.request
from collections.abc import Sequence
from glob import glob
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, TypeAdapter, ValidationError, field_validator

from agent.ingest.relabel import Labels
from collectors.config import Config, Seconds

MOST_BYTES = 2**24
"""Of a list of targets."""


class DiscoveryError(Exception):
    """Names the file or address, what was found and what was expected."""


class TargetGroup(Config):
    targets: tuple[str, ...]
    """host:port of each."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Further labels of all of them."""


class FileDiscovery(Config):
    files: tuple[str, ...]
    """JSON or YAML files with lists of groups; * in a name stands for several."""
    refresh_interval: Annotated[Seconds, Field(ge=1)] = 30.0
    """How often they are read."""


class HttpDiscovery(Config):
    url: str
    """Answers with a JSON list of groups."""
    refresh_interval: Annotated[Seconds, Field(ge=1)] = 60.0
    """How often it is asked."""

    @field_validator("url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("expected an http:// or https:// address")
        return url


_groups = TypeAdapter(list[TargetGroup])


def flat(groups: Sequence[TargetGroup]) -> list[Labels]:
    """Each target's labels, its address as `__address__`."""
    return [{**group.labels, "__address__": target} for group in groups for target in group.targets]


def from_files(discovery: FileDiscovery) -> list[Labels]:
    """DiscoveryError for the first file that is wrong."""
    found: list[Labels] = []
    for pattern in discovery.files:
        for name in sorted(glob(pattern)):  # noqa: PTH207 # the pattern may be absolute
            try:
                text = Path(name).read_text(encoding="utf-8")
                content = json.loads(text) if name.endswith(".json") else yaml.safe_load(text) or []
            except (OSError, ValueError, yaml.YAMLError) as error:
                raise DiscoveryError(f"{name}: {error}") from error
            found += _read(name, content)
    return found


def from_http(discovery: HttpDiscovery, seconds: float = 10.0) -> list[Labels]:
    """DiscoveryError when it does not answer, or with something else."""
    try:
        with urllib.request.urlopen(discovery.url, timeout=seconds) as answer:  # noqa: S310 # http is checked
            content = json.loads(answer.read(MOST_BYTES))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise DiscoveryError(f"{discovery.url}: {error}") from error
    return _read(discovery.url, content)


def _read(origin: str, content: Any) -> list[Labels]:
    try:
        return flat(_groups.validate_python(content))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the list"
        raise DiscoveryError(f"{origin}: {where}: {first['msg']}, found {str(first['input'])[:80]!r}") from error
