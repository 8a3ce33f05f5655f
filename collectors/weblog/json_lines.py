"""Access logs with a JSON object in each line, under the names that are usual.

Sources: https://caddyserver.com/docs/caddyfile/directives/log
https://doc.traefik.io/traefik/observe/logs-and-access-logs/
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from collectors.weblog.layout import FIELDS, Columns

JSON = "json"
"""In the place of a format."""
NAMES = {
    "remote": ("remote_addr", "client_ip", "remote_ip", "ClientHost", "clientip", "remote_host"),
    "time": ("time_iso8601", "time_local", "@timestamp", "timestamp", "time", "ts", "msec", "StartUTC"),
    "host": ("host", "http_host", "RequestHost", "server_name", "vhost"),
    "method": ("request_method", "method", "RequestMethod"),
    "target": ("request_uri", "uri", "url", "RequestPath", "path"),
    "query": ("args", "query_string", "query"),
    "status": ("status", "DownstreamStatus", "response", "code"),
    "bytes": ("body_bytes_sent", "bytes_sent", "size", "bytes", "DownstreamContentSize"),
    "duration": ("request_time", "duration", "rt"),
    "upstream": ("upstream_response_time", "urt"),
    "cache": ("upstream_cache_status",),
    "drupal_cache": ("x_drupal_cache", "upstream_http_x_drupal_cache", "sent_http_x_drupal_cache"),
    "dynamic_cache": (
        "x_drupal_dynamic_cache",
        "upstream_http_x_drupal_dynamic_cache",
        "sent_http_x_drupal_dynamic_cache",
    ),
    "referrer": ("http_referer", "referer", "referrer", "request_Referer"),
    "agent": ("http_user_agent", "user_agent", "agent", "request_User-Agent"),
}
HEADERS = {"User-Agent": "user_agent", "Referer": "referer"}
SIZE = re.compile(r"\d{1,15}", re.ASCII)
LOGGED = {"X-Drupal-Cache": "x_drupal_cache", "X-Drupal-Dynamic-Cache": "x_drupal_dynamic_cache"}


class JsonLines:
    seconds = 1.0

    def columns(self, text: str) -> tuple[int, Columns]:
        found = [row for line in text.split("\n") if (row := _row(line))]
        return len(found), {name: [row[name] for row in found] for name in FIELDS}


def _row(line: str) -> dict[str, str] | None:
    """None for a line that tells neither what was asked for nor the answer."""
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict):
        return None
    flat = dict(_flat(given))
    row = {field: next((flat[name] for name in names if name in flat), "") for field, names in NAMES.items()}
    target = row.pop("target")
    request = flat.get("request", "").split(" ")
    if len(request) >= 2:
        row["method"], target = row["method"] or request[0], target or request[1]
    row["path"], _, query = target.partition("?")
    row["query"] = row["query"] or query
    row["bytes"] = row["bytes"] if SIZE.fullmatch(row["bytes"]) else ""
    return row if row["path"] or row["status"] else None


def _flat(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Caddy has the request, and in it the headers, one level down."""
    for name, value in given.items():
        if isinstance(value, str | int | float):
            yield name, str(value).replace("\n", " ")
        elif isinstance(value, dict) and name == "request":
            yield from _flat(value)
            yield from _headers(value.get("headers"), HEADERS)
        elif name == "resp_headers":
            yield from _headers(value, LOGGED)


def _headers(given: Any, wanted: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for header, name in wanted.items():
        values = given.get(header) if isinstance(given, dict) else None
        if isinstance(values, list) and values and isinstance(values[0], str):
            yield name, values[0]
