"""The configuration's keys with their texts and defaults: for the example file and the reference page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, get_origin

import yaml
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from agent.configuration import Configuration
from collectors.config import Config

NAME = "NAME"
"""Stands for a name that the operator chooses."""
REQUEST = {
    "extract[].name": "token", "extract[].regex": 'name="token" value="([^"]+)"',
    "expect_headers[].name": "Content-Type", "form[].name": "name", "form[].value": "monitor",
    "headers[].name": "Accept", "headers[].value": "text/html",
}  # fmt: skip
EXAMPLES: Mapping[str, Any] = {
    "agents[].url": "http://web-02:9876",
    "host": "web-01",
    "heartbeats[].key_file": "/etc/raingauge/cron-key",
    "heartbeats[].name": "drupal cron",
    "heartbeats[].period": "1h",
    "notify.alertmanager.NAME.url": "http://127.0.0.1:9093",
    "notify.apprise.NAME.url": "tgram://TOKEN/CHAT",
    "notify.email.NAME.sender": "raingauge@example.org",
    "notify.email.NAME.server": "mail.example.org",
    "notify.email.NAME.to": ["ops@example.org"],
    "notify.mattermost.NAME.url": "https://chat.example.org/hooks/KEY",
    "notify.ntfy.NAME.topic": "TOPIC",
    "notify.opsgenie.NAME.api_key": "KEY",
    "notify.pagerduty.NAME.routing_key": "KEY",
    "notify.slack.NAME.url": "https://hooks.slack.com/services/KEY",
    "notify.teams.NAME.url": "https://example.webhook.office.com/KEY",
    "notify.inhibit_rules[].equal": ["host"],
    "notify.inhibit_rules[].source_matchers": ['alertname="SwitchDown"'],
    "notify.inhibit_rules[].target_matchers": ['severity="warning"'],
    "notify.route.escalate[].after": "15m",
    "notify.route.escalate[].receiver": "webhook-NAME",
    "notify.route.group_by": ["alertname", "host"],
    "notify.route.group_interval": "5m",
    "notify.route.group_wait": "30s",
    "notify.route.receiver": "webhook-NAME",
    "notify.route.repeat_interval": "4h",
    "notify.time_intervals[].name": "nights",
    "notify.time_intervals[].time_intervals[].times[].end_time": "24:00",
    "notify.time_intervals[].time_intervals[].times[].start_time": "22:00",
    "notify.webhook.NAME.url": "https://example.org/hook",
    "sites[].docroot": "/var/www/shop/web",
    "sites[].name": "shop",
    "slos[].name": "shop",
    "slos[].site": "shop.example",
    "remote_write[].url": "https://prometheus.example.org/api/v1/write",
    "scrape_configs[].basic_auth.username": "raingauge",
    "scrape_configs[].file_sd_configs[].files": ["/etc/raingauge/targets/*.yml"],
    "scrape_configs[].http_sd_configs[].url": "http://127.0.0.1:9876/sd",
    "scrape_configs[].job_name": "node",
    "scrape_configs[].params": {},
    "scrape_configs[].static_configs[].labels": {},
    "scrape_configs[].static_configs[].targets": ["web-02:9100"],
    "targets.probe[].dns.name": "shop.example",
    "targets.probe[].dns.server": "192.0.2.53",
    "targets.probe[].fastcgi.address": "unix:/run/php/php8.2-fpm.sock",
    "targets.probe[].icmp.address": "192.0.2.1",
    "targets.probe[].steps[].name": "log in",
    "targets.probe[].steps[].url": "/user/login",
    "targets.probe[].tcp.address": "mail.example:25",
    **{f"targets.probe[].{key}": value for key, value in REQUEST.items()},
    **{f"targets.probe[].steps[].{key}": value for key, value in REQUEST.items()},
    "targets.security[].sites[].name": "shop.example",
    "targets.security[].sites[].uploads": "/var/www/shop/web/sites/default/files",
    "targets.weblog[].files[].path": "/var/log/nginx/access.log",
    "targets.weblog[].sites[].name": "shop.example",
    "targets.weblog[].sites[].uses[].job": "phpfpm",
    "targets.weblog[].sites[].uses[].instance": "web-01:/run/php/shop.sock",
}
"""Keys without a default, whose default says nothing, or of which one has to be set."""
INSTEAD = frozenset(f"targets.probe[].{kind}" for kind in ("tcp", "dns", "icmp", "fastcgi"))
"""Keys of which only one may be set: the example shows them as text."""


@dataclass(frozen=True)
class Option:
    key: str
    """`targets.nginx[].url`, `notify.webhook.NAME.url`."""
    text: str
    default: Any
    """Plain data; None for a mapping, which has keys of its own."""
    is_leaf: bool


def options() -> Iterator[Option]:
    yield from _options(Configuration, "")


def _options(model: type[Config], above: str) -> Iterator[Option]:
    for attribute, field in model.model_fields.items():
        name = field.alias or attribute
        key = f"{above}{name}"
        inner, shape = _inner(field.annotation)
        inner = None if inner is model else inner  # routes within routes have the keys that were listed
        text = " ".join((field.description or "").split())
        if inner is None:
            yield Option(key, text, _default(key, field), True)
            continue
        yield Option(key, text, None, False)
        yield from _options(inner, f"{key}{shape}.")


def _inner(annotation: Any) -> tuple[type[Config] | None, str]:
    """The model in `X`, `tuple[X, ...]` or `dict[str, X]`, and how a key goes on from there."""
    if isinstance(annotation, type) and issubclass(annotation, Config):
        return annotation, ""
    inside = [one for one in getattr(annotation, "__args__", ()) if isinstance(one, type) and issubclass(one, Config)]
    if not inside:
        return None, ""
    outer = get_origin(annotation)
    if outer is UnionType:  # `X | None`
        return inside[0], ""
    return inside[0], f".{NAME}" if issubclass(outer, Mapping) else "[]"


def _default(key: str, field: FieldInfo) -> Any:
    if key in EXAMPLES or field.default is PydanticUndefined:
        return EXAMPLES.get(key)
    if isinstance(field.default, tuple):
        return list(field.default)
    return str(field.default) if isinstance(field.default, Path) else field.default


def example() -> Iterator[str]:
    """The lines of a file with every key: texts behind `##`, keys behind `#`, so that taking the `#` away sets one."""
    yield "## Raingauge's configuration. Every key may be left out; what is shown is the default."
    yield from _example(Configuration, "", "")


def _example(model: type[Config], above: str, indent: str) -> Iterator[str]:
    for position, (attribute, field) in enumerate(model.model_fields.items()):
        name = field.alias or attribute
        key = f"{above}{name}"
        inner, shape = _inner(field.annotation)
        inner = None if inner is model else inner
        text = " ".join((field.description or "").split())
        if key in INSTEAD:
            yield f"##{indent} {name}: {text}"
            yield from (f"##  {line.lstrip('#')}" for line in _example(inner or model, f"{key}.", indent + "  "))
            continue
        yield f"##{indent} {text}"
        listed = above.endswith("[].")
        lead = f"#{indent[:-2]} {'- ' if position == 0 else '  '}" if listed else f"#{indent} "
        if inner is None:
            yield f"{lead}{name}: {_yaml(_default(key, field))}"
            continue
        yield f"{lead}{name}:"
        deeper = indent + "  "
        if shape == f".{NAME}":
            yield f"#{deeper} {name}-{NAME}:"  # each name once
        yield from _example(inner, f"{key}{shape}.", deeper if not shape else deeper + "  ")


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=1000).strip().removesuffix("\n...")
