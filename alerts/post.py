"""One POST of JSON or PUT of a picture over HTTP(S), and what its answer means for the message."""

import http.client
import json
import ssl
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from alerts.notifier import Answer, Request

FIRST_LINE = 300
"""Most bytes of an answer that are read."""


def post(request: Request, timeout: float) -> Answer:
    """Raise OSError or http.client.HTTPException. No redirect is followed. `timeout` is for each wait, seconds."""
    at = urlsplit(request.url)
    host = at.hostname or ""
    connection: http.client.HTTPConnection
    if at.scheme == "https":
        connection = http.client.HTTPSConnection(host, at.port, timeout=timeout, context=ssl.create_default_context())
    else:
        connection = http.client.HTTPConnection(host, at.port, timeout=timeout)
    method, kind = ("PUT", "image/png") if request.picture else ("POST", "application/json")
    headers = {"Content-Type": kind, "User-Agent": "raingauge", "Connection": "close", **request.headers}
    if request.bearer is not None:
        headers["Authorization"] = f"Bearer {request.bearer}"
    try:
        path = (at.path or "/") + (f"?{at.query}" if at.query else "")
        connection.request(method, path, request.picture or json.dumps(request.json).encode(), headers)
        response = connection.getresponse()
        return Answer(response.status, response.getheader("Retry-After", ""), _first_line(response))
    finally:
        connection.close()


def _first_line(response: http.client.HTTPResponse) -> str:
    """What came with the headers or right after them; a body that does not come is none."""
    try:
        found = response.read1(FIRST_LINE).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException):
        return ""
    line = found.splitlines()[0] if found else ""
    return "".join(character for character in line if character.isprintable())


def retry_after_seconds(header: str, now: float) -> float:
    """Seconds or a date; 0 for none and for one that is not understood."""
    if header.strip().isdigit():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return 0.0
    return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now)
