"""A reverse proxy in front: what it says of scheme, host, path prefix and user counts only if it is one of ours."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix

Network = IPv4Network | IPv6Network
SAID = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT",
        "HTTP_X_FORWARDED_PREFIX", "HTTP_FORWARDED")  # fmt: skip
USER = "raingauge.user"
"""In the WSGI environment: the user that the proxy names."""


class Proxied:
    """A WSGI application behind `proxies`. Others' X-Forwarded headers are taken off, so that nobody reads them."""

    def __init__(self, app: Any, proxies: Sequence[Network], user_header: str) -> None:
        self._app = app
        self._fixed = ProxyFix(app, x_for=1, x_proto=1, x_host=1, x_port=1, x_prefix=1)
        self._proxies = proxies
        self._user = f"HTTP_{user_header.upper().replace('-', '_')}" if user_header else ""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        user = environ.pop(self._user, "") if self._user else ""
        if not self._trusted(environ.get("REMOTE_ADDR", "")):
            for name in SAID:
                environ.pop(name, None)
            answer: Iterable[bytes] = self._app(environ, start_response)
            return answer
        environ[USER] = user.encode("latin-1").decode("utf-8", "replace")
        fixed: Iterable[bytes] = self._fixed(environ, start_response)
        return fixed

    def _trusted(self, address: str) -> bool:
        try:
            here = ip_address(address)
        except ValueError:
            return False
        return any(here in network for network in self._proxies)
