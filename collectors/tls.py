"""TLS to a server that we keep a connection to: whom we trust, and what a refused certificate means.

Source: https://docs.python.org/3/library/ssl.html
"""

import ssl
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, ValidationInfo

from collectors.config import Config
from collectors.errors import Denied
from collectors.sources.bounded import BoundedTls


class Tls(Config):
    ca: Path | None = None
    """File with the authorities that may have signed the server's certificate; none: those of the system."""
    verify: Literal["full", "ca", "none"] = "full"
    """What is checked of the certificate: authority and name, the authority alone (MySQL's own certificates bear no
    name), or nothing: encrypted, to whoever answers."""
    certificate: Path | None = None
    """Our own certificate, for an account that must show one."""
    key: Path | None = None
    """Its key."""

    def check_files(self) -> None:
        """Denied for a file that cannot be read: the server may well be there."""
        for file in (self.ca, self.certificate, self.key):
            try:
                if file:
                    file.open("rb").close()
            except OSError as error:
                raise Denied(f"read {file}: {error.strerror or error}") from error

    def context(self) -> ssl.SSLContext:
        self.check_files()
        try:
            made = ssl.create_default_context(cafile=self.ca)
            if self.certificate:
                made.load_cert_chain(self.certificate, self.key)
        except OSError as error:  # ssl's own errors are such
            raise Denied(f"read certificates from {self.ca or self.certificate}: {error.strerror or error}") from error
        made.check_hostname = self.verify == "full"
        made.verify_mode = ssl.CERT_NONE if self.verify == "none" else ssl.CERT_REQUIRED
        made.sslsocket_class = BoundedTls
        made.verify_flags &= ~ssl.VERIFY_X509_STRICT  # what MySQL makes for itself lacks some of RFC 5280
        return made


def _over_tcp(tls: Tls | None, others: ValidationInfo) -> Tls | None:
    if tls and others.data.get("socket"):
        raise ValueError("expected address and port beside tls, found socket, which does not leave the host")
    return tls


TlsOverTcp = Annotated[Tls | None, AfterValidator(_over_tcp)]
"""For a model that has `socket` before it."""
