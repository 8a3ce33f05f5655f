"""A look at how each site is set up, once an hour: a few GETs over loopback with its name, and files of settings."""

import http.client
import re
import socket
import ssl
import time
import warnings
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from collectors.errors import Absent, Denied
from collectors.inventory.php.memory import Dynamic
from collectors.inventory.settings_php import Settings, read_settings
from collectors.own_requests import AGENT
from collectors.security.config import Security, SiteFiles
from collectors.security.pace import due
from collectors.security.posture import findings
from collectors.sources.files import read_text

SECONDS = 3600.0
TIMEOUT = 3.0
MOST_TEXT = 2048
MOST_VALUE = 300
MOST_HEADERS = 60
MOST_FILES = 20
INI = re.compile(
    r"^\s*(?:php(?:_admin)?_(?:value|flag)\[)?(display_errors|expose_php|allow_url_include)\]?\s*=\s*(\S*)"
)


def read(config: Security, cursor: Any) -> tuple[Any, Any]:
    if not config.sites:
        raise Absent("no Drupal site is known")
    if not due(cursor, SECONDS):
        return None, cursor
    found = [_site(site) for site in config.sites]
    now = time.time()
    return {"at": now, "sites": found}, {"at": now}


def _site(site: SiteFiles) -> dict[str, Any]:
    found: dict[str, Any] = {"site": site.name, "answers": {}, "headers": None, "cookies": [], "tls": None,
                             "php": _php(site.pool), "settings": _settings(Path(site.settings))}  # fmt: skip
    at = urlsplit(site.url)
    if not at.hostname:
        return found
    front = _get(site, "/")
    if front is None:
        return found
    _, headers, _ = front
    found["headers"] = {name.lower(): value[:MOST_VALUE] for name, value in headers[:MOST_HEADERS]}
    # Names and flags only: the value is somebody's session.
    cookies = [value.split(";") for name, value in headers if name.lower() == "set-cookie"]
    found["cookies"] = [";".join([each[0].partition("=")[0], *each[1:]])[:MOST_VALUE] for each in cookies[:20]]
    found["headers"].pop("set-cookie", None)
    for path in sorted({path for about in findings().values() for path in about.files}):
        if (answer := _get(site, path)) is not None:
            found["answers"][path] = [answer[0], _told(path, answer[2])]
    if at.scheme == "https":
        found["tls"] = {"old": _old(site), "chain": _chain(site)}
    return found


def _told(path: str, text: str) -> str:
    """Only what a pattern found: the rest may be secrets."""
    patterns = [about.files[path] for about in findings().values() if path in about.files]
    return next((match[0][:100] for each in patterns if (match := re.search(each, text))), "")


def _get(site: SiteFiles, path: str) -> tuple[int, list[tuple[str, str]], str] | None:
    """Status, headers and the first of the body; None without an answer."""
    at = urlsplit(site.url)
    assert at.hostname
    connection: http.client.HTTPConnection
    if at.scheme == "https":
        connection = _Named(at.hostname, at.port, site.host)
    else:
        connection = http.client.HTTPConnection(at.hostname, at.port, timeout=TIMEOUT)
    try:
        connection.request("GET", path, headers={"User-Agent": AGENT, "Host": site.host})
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read(MOST_TEXT).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class _Named(http.client.HTTPSConnection):
    """To an address, with the name that the certificate is chosen by."""

    def __init__(self, address: str, port: int | None, name: str) -> None:
        super().__init__(address, port, timeout=TIMEOUT, context=_trusting())
        self._name = name

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), TIMEOUT)
        self.sock = _trusting().wrap_socket(plain, server_hostname=self._name)


@cache
def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@cache
def _verifying() -> ssl.SSLContext:
    return ssl.create_default_context()


@cache
def _outdated() -> ssl.SSLContext:
    """Speaks nothing newer than TLS 1.1: to see whether the server does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def _old(site: SiteFiles) -> bool:
    return _shake(site, _outdated()) == ""


def _chain(site: SiteFiles) -> str:
    """What is wrong with it; "": nothing."""
    return _shake(site, _verifying())


def _shake(site: SiteFiles, context: ssl.SSLContext) -> str:
    at = urlsplit(site.url)
    try:
        with (
            socket.create_connection((at.hostname or "", at.port or 443), TIMEOUT) as plain,
            context.wrap_socket(plain, server_hostname=site.host),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return error.verify_message or "certificate"
    except OSError as error:
        return error.strerror or type(error).__name__


def _php(pool: str) -> dict[str, str] | None:
    """Of php.ini, the files beside it and the pool's file, the last one counting; None where php.ini is shut."""
    if not pool:
        return None
    folder = Path(pool).parent.parent
    main = next((path for path in (folder / "php.ini", Path(pool).parent / "php.ini") if path.exists()), None)
    try:
        texts = [read_text(main)] if main else []
        texts += [read_text(path) for path in sorted((folder / "conf.d").glob("*.ini"))]
        texts.append(read_text(pool))
    except (Absent, Denied, OSError):
        return None
    return _set(line for text in texts for line in text.splitlines()) if main else None


def _set(lines: Iterable[str]) -> dict[str, str]:
    found = (INI.match(line) for line in lines)
    return {each[1]: each[2].strip("\"'") for each in found if each}


def _settings(path: Path) -> dict[str, bool]:
    """Findings of settings.php; what only PHP knows is left out."""
    texts: dict[str, str] = {}
    wanted = [str(path)]
    while wanted and len(texts) < MOST_FILES:
        try:
            texts |= {each: read_text(each) for each in wanted}
        except (Absent, Denied, OSError):
            return {}
        said = read_settings(str(path), texts, str(path.parent.parent.parent))
        wanted = [each for each in said.wanted if each not in texts and Path(each).exists()]
    return dict(_judged(said)) if texts and said.variables else {}


def _judged(said: Settings) -> Iterable[tuple[str, bool]]:
    values: Mapping[str, Any] = {
        "trusted_hosts_missing": said.get("settings", "trusted_host_patterns"),
        "update_free_access": said.get("settings", "update_free_access") or said.get("update_free_access"),
        "errors_shown": said.get("config", "system.logging", "error_level"),
    }
    is_seven = bool(said.get("drupal_hash_salt"))
    for name, value in values.items():
        if isinstance(value, Dynamic) or (is_seven and name == "trusted_hosts_missing") or said.unread:
            continue
        shown = value in ("all", "some", "verbose")
        yield name, {"trusted_hosts_missing": not value, "errors_shown": shown}.get(name, bool(value))
