"""The configuration file: what an operator may decide, and exact words for what is wrong with it.

No file is needed. Every key is one of the models here or beside the collector or notifier that it is for.
"""

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    IPvAnyNetwork,
    PrivateAttr,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)

from agent import yaml_lines
from agent.dead_man import DeadMan
from agent.history_settings import HistorySettings
from agent.ingest.agent_address import AgentAddress
from agent.ingest.remote_write import RemoteWrite
from agent.ingest.scrape_config import ScrapeConfig
from agent.notify_settings import NotifySettings
from agent.problems import problems, shown
from agent.shipping import Ship
from alerts.slo import Slo
from collectors import registry
from collectors.config import Config, Seconds, Secret, reveal
from collectors.heartbeat import Heartbeat


class ConfigurationError(Exception):
    """One line for each thing that is wrong: file, line, key, what was found and what was expected."""


def split_address(listen: str) -> tuple[str, int]:
    """`host:port` or `[v6]:port`; ValueError for anything else."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535 or (":" in host and not host.startswith("[")):
        raise ValueError(f"expected host:port, such as 127.0.0.1:9876 or [::1]:9876, found {listen!r}")
    return host.strip("[]"), int(port)


def _address(listen: Any) -> str:
    split_address(str(listen))  # a port alone is a number in YAML
    return str(listen)


Listen = Annotated[str, BeforeValidator(_address)]


class ExporterSettings(Config):
    listen: Listen = "127.0.0.1:9876"
    """Where Prometheus scrapes: host:port. Beyond loopback every reader needs a token of `raingauge token create`."""
    probe_targets: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """What `/probe` may ask: a whole target such as `https://shop.example/`, or a host, with `*` for any text."""


class DashboardSettings(Config):
    listen: Listen = "127.0.0.1:9875"
    """Where the pages are: host:port. Beyond loopback a password is needed."""
    password: Secret | None = None
    """Password of the login page; without one only the login links that `raingauge run` prints work."""
    password_file: Path | None = None
    """File that holds the password instead. RAINGAUGE_PASSWORD in the environment counts before both."""
    proxies: tuple[IPvAnyNetwork, ...] = ()
    """Addresses or networks of reverse proxies: what they say in X-Forwarded-For, -Proto, -Host and -Prefix counts."""
    user_header: Annotated[str, Field(pattern=r"^([A-Za-z][A-Za-z0-9-]*)?$")] = ""
    """Header in which such a proxy names the user whom it has let in, such as X-Remote-User; it must take off one that
    the browser sends. Who is no user of `raingauge user add` may look only."""

    @model_validator(mode="after")
    def _header_of_proxy(self) -> Self:
        if self.user_header and not self.proxies:
            raise ValueError("expected proxies beside user_header: the header counts only from them")
        return self


class SiteName(Config):
    docroot: Annotated[str, Field(pattern=r"/.*[^/]")]
    """Folder that the web server serves, absolute."""
    directory: str = "default"
    """Its folder below sites/."""
    name: Annotated[str, Field(pattern=r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}")]
    """How it is called, instead of by the first host name that leads to it."""


class AlertSettings(Config):
    mode: Literal["raingauge", "prometheus"] = "raingauge"
    """`prometheus`: what is not in a rule's result is over although it could not be read, and a restart forgets alerts
    as it does there. Else neither ends anything."""


def _targets_model() -> type[Config]:
    """A key for each collector, with a list of its settings."""
    fields: dict[str, Any] = {}
    for name in registry.MODULES:
        settings: Any = registry.collector(name).config
        fields[name] = (tuple[settings, ...], Field((), description=f"{name} targets that discovery does not find."))
    made: type[Config] = create_model("Targets", __base__=Config, **fields)
    return made


Targets = _targets_model()


class Configuration(Config):
    host: str = Field(default_factory=lambda: socket.gethostname().partition(".")[0] or "localhost", min_length=1)
    """This machine's name on every series; its host name if not set."""
    discovery: bool = True
    """Look for servers on this host by itself. Without it only `targets` are read."""
    interval: Annotated[Seconds, Field(ge=1, le=60)] = 10.0
    """Time between two reads of what changes fast; slow things keep their own."""
    sites: tuple[SiteName, ...] = ()
    """Names of sites that discovery finds. Where its database is, when settings.php does not say it plainly, is said
    under targets: drupal."""
    targets: Targets = Targets()  # type: ignore[valid-type] # made above, one key a collector
    """What to read beside or instead of what discovery finds, by collector."""
    exporter: ExporterSettings = ExporterSettings()
    """The HTTP server for Prometheus."""
    dashboard: DashboardSettings = DashboardSettings()
    """The HTTP server of the pages."""
    history: HistorySettings = HistorySettings()
    """What is kept."""
    scrape_configs: tuple[ScrapeConfig, ...] = ()
    """Scrape other agents and any exporter, in Prometheus' words."""
    agents: tuple[AgentAddress, ...] = ()
    """Other Raingauges whose events are copied here; `raingauge dashboard` also asks each one that it scrapes."""
    remote_write: tuple[RemoteWrite, ...] = ()
    """Send all samples on, to a Prometheus or whatever takes remote write."""
    heartbeats: tuple[Heartbeat, ...] = ()
    """Jobs that ask for `/ping/<key>` of the exporter when they are done, and are missed when they do not."""
    rules: tuple[Path, ...] = ()
    """Prometheus rule files of your own; `*` in a name stands for several. A file that changes is taken anew."""
    shipped_rules: bool = True
    """Evaluate the rules that come with Raingauge."""
    alerts: AlertSettings = AlertSettings()
    """How rules become alerts."""
    dead_man: DeadMan = DeadMan()
    """A watch outside that alerts when Raingauge itself is silent."""
    slos: tuple[Slo, ...] = ()
    """Objectives of sites: how many of their requests are to be good. Access logs tell whether they are."""
    notify: NotifySettings = NotifySettings()  # type: ignore[valid-type] # made above, one key a notifier
    """Who is told about alerts."""
    ship: Ship = Ship()
    """Where events of security are sent at once, off this host."""
    external_url: str = ""
    """Address of these pages as people reach it; links in notifications begin with it."""

    _file: str = PrivateAttr("")
    _document: yaml_lines.Document | None = PrivateAttr(None)

    def place(self, *key: int | str) -> str:
        """file:line of a key, or of the nearest thing above it; "" without a file."""
        return f"{self._file}:{self._document.line(key)}" if self._document else ""

    def given(self, *key: str) -> Any:
        """What the file has there, as it is written; None for nothing."""
        value = self._document.value if self._document else None
        for name in key:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    @field_validator("scrape_configs")
    @classmethod
    def _each_job_once(cls, configs: tuple[ScrapeConfig, ...]) -> tuple[ScrapeConfig, ...]:
        names = [config.job_name for config in configs]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"expected each job_name once, found {twice!r} again")
        return configs

    @field_validator("heartbeats", "slos", "sites")
    @classmethod
    def _each_name_once(cls, jobs: tuple[Any, ...]) -> tuple[Any, ...]:
        names = [job.name for job in jobs]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"expected each name once, found {twice!r} again")
        return jobs

    @field_validator("external_url")
    @classmethod
    def _no_slash(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("expected an http:// or https:// address")
        return url.rstrip("/")

    def targets_of(self, collector: str) -> tuple[Config, ...]:
        found: tuple[Config, ...] = getattr(self.targets, collector)
        return found

    def password(self) -> str | None:
        """OSError when the file cannot be read; ConfigurationError when it is empty."""
        settings = self.dashboard
        password = os.environ.get("RAINGAUGE_PASSWORD") or reveal(settings.password, settings.password_file)
        if password == "":
            raise ConfigurationError(f"dashboard.password: expected a password, found none in {settings.password_file}")
        return password


def load(path: Path) -> Configuration:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path}:1: file: expected UTF-8 text, found byte {error.object[error.start]}"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot read the configuration: {error.strerror or error}") from error
    return parse(text, str(path))


def parse(text: str, file: str) -> Configuration:
    """ConfigurationError with a line for each problem."""
    try:
        document = yaml_lines.parse(text)
    except yaml_lines.NotYaml as error:
        raise ConfigurationError(f"{file}:{error.line}: {error.key or 'file'}: {error}") from error
    if not isinstance(document.value, Mapping):
        raise ConfigurationError(f"{file}:1: file: expected keys with values, found {shown('', document.value)}")
    try:
        configuration = Configuration.model_validate(document.value)
    except ValidationError as error:
        raise ConfigurationError("\n".join(problems(error, document, file, Configuration))) from error
    configuration._file, configuration._document = file, document
    return configuration
