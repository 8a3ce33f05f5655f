"""TLS of a check: its contexts, and what is told of a connection and of the certificates.

Source: https://docs.python.org/3/library/ssl.html
"""

import contextlib
import socket
import ssl
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from collectors.errors import Denied
from collectors.probe.attempt import Attempt, Failed

MOST_NAMES = 1000
"""Characters of a certificate's names that become a label."""


class Trust(NamedTuple):
    """Which certificates are good."""

    verify: bool = True
    ca_file: Path | None = None


def context(trust: Trust) -> ssl.SSLContext:
    """Made once, and anew when the authority's file has changed: reading the machine's certificates takes 20 ms."""
    return _made(trust, _changed(trust.ca_file))


def _changed(file: Path | None) -> int:
    """In nanoseconds; 0 without a file."""
    try:
        return file.stat().st_mtime_ns if file else 0
    except OSError as error:
        raise Denied(f"read certificates from {file}: {error.strerror or error}") from error


@lru_cache(maxsize=100)
def _made(trust: Trust, _changed: int) -> ssl.SSLContext:
    made = ssl.create_default_context()
    if trust.ca_file:
        _load(made, trust.ca_file)
    if not trust.verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def _load(made: ssl.SSLContext, file: Path) -> None:
    try:
        made.load_verify_locations(file)
    except OSError as error:  # ssl's own errors are such, too
        raise Denied(f"read certificates from {file}: {error.strerror or error}") from error


def secured(
    attempt: Attempt, sock: socket.socket, name: str, trust: Trust, again: Callable[[], socket.socket]
) -> ssl.SSLSocket:
    """A certificate that is refused is asked for once more over `again()`, so that its end is still told."""
    try:
        with attempt.phase("tls"):
            sock.settimeout(attempt.left())
            found = context(trust).wrap_socket(sock, server_hostname=name)
    except ssl.SSLCertVerificationError:
        with contextlib.suppress(OSError, Failed), again() as other:
            other.settimeout(attempt.left())
            with context(Trust(verify=False)).wrap_socket(other, server_hostname=name) as unverified:
                attempt.tls = told(unverified)
        raise
    attempt.tls = told(found)
    return found


def told(secured: ssl.SSLSocket) -> dict[str, Any]:
    """Of the connection and the server's certificates: plain data, `earliest` the first end of any (Unix seconds)."""
    sent = [read_certificate(each) for each in _sent(secured, verified=False)]
    ends = [each["end"] for each in sent if each]
    verified = secured.context.verify_mode != ssl.CERT_NONE
    chain = [read_certificate(each) for each in _sent(secured, verified=True)] if verified else []
    chain_ends = [each["end"] for each in chain if each]
    return {
        "version": secured.version(),
        "cipher": (secured.cipher() or ("",))[0],
        "earliest": min(ends, default=None),
        "chain_end": min(chain_ends, default=None),
        "leaf": sent[0] if sent else None,
    }


def _sent(secured: Any, verified: bool) -> list[bytes]:
    """Certificates that the server sent, or of the verified chain; before Python 3.13 only the inner object knows."""
    name = "get_verified_chain" if verified else "get_unverified_chain"
    if hasattr(secured, name):
        return list(getattr(secured, name)())
    return [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in getattr(secured._sslobj, name)() or ()]


@lru_cache(maxsize=500)
def read_certificate(der: bytes) -> dict[str, Any] | None:
    """None where the reader is stricter than OpenSSL."""
    from cryptography import x509  # only for hosts with TLS
    from cryptography.hazmat.primitives import hashes

    try:
        certificate = x509.load_der_x509_certificate(der)
        return {
            "end": certificate.not_valid_after_utc.timestamp(),
            "subject": certificate.subject.rfc4514_string(),
            "issuer": certificate.issuer.rfc4514_string(),
            "names": _names(certificate),
            "serial": f"{certificate.serial_number:x}",
            "fingerprint": certificate.fingerprint(hashes.SHA256()).hex(),
        }
    except ValueError:
        return None


def _names(certificate: Any) -> list[str]:
    from cryptography import x509

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, x509.DuplicateExtension):
        return []
    return list(extension.value.get_values_for_type(x509.DNSName))
