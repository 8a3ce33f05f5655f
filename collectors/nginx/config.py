"""Settings of an nginx."""

from collectors.config import Config, HttpUrl, Timeout


class Nginx(Config):
    url: HttpUrl = "http://127.0.0.1/stub_status"
    """Address of the stub_status page."""
    host_header: str = ""
    """Host header to send, where the page is inside a named virtual host."""
    status_json: HttpUrl | None = None
    """Address of what the module vts counts, such as http://127.0.0.1/status/format/json; without it no zones."""
    timeout: Timeout = 2.0
    """How long one read may take."""
