"""TLS contexts, and what a finished handshake says.

Source: https://docs.python.org/3/library/ssl.html
"""

import ssl
from functools import cache
from typing import Any


@cache
def context(verify: bool) -> ssl.SSLContext:
    """Made once: reading the machine's certificates takes 20 ms."""
    made = ssl.create_default_context()
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def told(secured: ssl.SSLSocket) -> dict[str, Any]:
    """version, cipher and earliest: when the first of the certificates ends, in Unix seconds, or None."""
    ends = [end for certificate in _sent(secured) if (end := _end(certificate)) is not None]
    return {
        "version": secured.version(),
        "cipher": (secured.cipher() or ("",))[0],
        "earliest": min(ends, default=None),
    }


def _sent(secured: Any) -> list[bytes]:
    """Every certificate that the server sent; before Python 3.13 only the inner object knows those above the first."""
    if hasattr(secured, "get_unverified_chain"):
        return list(secured.get_unverified_chain())
    return [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in secured._sslobj.get_unverified_chain() or ()]


def _end(certificate: bytes) -> float | None:
    from cryptography import x509  # only for hosts with TLS

    try:
        return x509.load_der_x509_certificate(certificate).not_valid_after_utc.timestamp()
    except ValueError:  # stricter than OpenSSL
        return None
