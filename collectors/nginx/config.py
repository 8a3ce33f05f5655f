"""Settings of an nginx."""

from collectors.config import Config, HttpUrl, Timeout


class Nginx(Config):
    url: HttpUrl = "http://127.0.0.1/stub_status"
    """Address of the stub_status page."""
    host_header: str = ""
    """Host header to send, where the page is inside a named virtual host."""
    status_json: HttpUrl | None = None
    """Address of what the module vts counts, such as http://127.0.0.1/status/format/json, or of the API of nginx Plus
    with its version, such as http://127.0.0.1:8080/api/9; without it no zones."""
    timeout: Timeout = 2.0
    """How long one read may take."""
