"""Settings of the mail queue."""

from typing import Literal

from collectors.config import Config

POSTFIX = "/var/spool/postfix"
EXIM = "/var/spool/exim4"


class Mail(Config):
    server: Literal["postfix", "exim"] = "postfix"
    """Whose queue it is."""
    spool: str = POSTFIX
    """Its spool directory; Debian's Exim has /var/spool/exim4."""
