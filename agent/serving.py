"""The dashboard's HTTP server: Flask's application under waitress, in threads of this process."""

import logging
import os
import secrets
import threading
from pathlib import Path

import waitress

from agent.configuration import Configuration, ConfigurationError
from agent.tokens import is_loopback
from dashboard.app import create_app
from dashboard.login import login_url
from dashboard.services import Services

log = logging.getLogger("raingauge.serving")

THREADS = 8
MOST_CONNECTIONS = 800
"""Two hundred browsers hold several each, and those above waitress' own 100 were never answered; a process may usually
have 1,024 files open."""
MOST_BODY_BYTES = 2_000_000  # waitress keeps a body on disk before anyone is asked who sends it; its default is 1 GB

OUTPUT_BYTES = 2**26
"""An answer that is longer waits on disk while it is sent; waitress would from 1 MB on."""
SEND_BYTES = 2**18


class Dashboard:
    """Binds the address: OSError if it is taken. Port 0 takes a free one."""

    def __init__(self, host: str, port: int, services: Services) -> None:
        logging.getLogger("waitress").setLevel(logging.WARNING)
        logging.getLogger("waitress.queue").setLevel(
            logging.ERROR
        )  # a browser opens more connections than we have threads
        self._server = waitress.create_server(
            create_app(services), host=host, port=port, threads=THREADS, ident=None,
            clear_untrusted_proxy_headers=False,  # dashboard.proxies does, as it knows more than one proxy
            max_request_body_size=MOST_BODY_BYTES, outbuf_overflow=OUTPUT_BYTES, send_bytes=SEND_BYTES,
            connection_limit=MOST_CONNECTIONS, asyncore_use_poll=True,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._server.run, name="dashboard", daemon=True)

    @property
    def url(self) -> str:
        host, port = self._server.effective_host, self._server.effective_port
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def login_link(self, secret: str) -> str:
        return login_url(self.url, secret)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.close()


def secret_key(state_dir: Path) -> str:
    """The key that signs cookies, made at the first start; only its owner can read it."""
    path = state_dir / "secret-key"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text()


def refuse_open(configuration: Configuration) -> str | None:
    """The password, if there is one. ConfigurationError where other machines could come in without any."""
    password = configuration.password()
    if not is_loopback(configuration.dashboard.listen) and not password:
        raise ConfigurationError(
            f"dashboard.listen: {configuration.dashboard.listen} can be reached from other machines, so a password "
            "is needed: expected dashboard.password_file in the configuration or RAINGAUGE_PASSWORD, found none"
        )
    return password


def password_hash(password: str | None) -> str:
    """argon2, or "" without a password."""
    if not password:
        return ""
    from argon2 import PasswordHasher

    return PasswordHasher().hash(password)
