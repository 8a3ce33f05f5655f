"""Where one request goes: the address to connect to, and the site to ask for there."""

import string
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urljoin, urlsplit


class Hop(NamedTuple):
    """Where to connect, and which site to ask for there ("" for the one of the address)."""

    at: SplitResult
    name: str

    @property
    def site(self) -> str:
        """In lower case, and other letters than English ones as name servers know them (xn--...)."""
        name = (self.name or self.at.hostname or "").lower()
        return name if name.isascii() else name.encode("idna").decode()

    @property
    def port(self) -> int:
        return self.at.port or (443 if self.at.scheme == "https" else 80)

    @property
    def host(self) -> str:
        """The Host header."""
        site = f"[{self.site}]" if ":" in self.site else self.site
        return site if self.port == (443 if self.at.scheme == "https" else 80) else f"{site}:{self.port}"

    @property
    def path(self) -> str:
        path = f"{self.at.path or '/'}?{self.at.query}" if self.at.query else self.at.path or "/"
        return quote(path, safe=string.punctuation)

    @property
    def url(self) -> str:
        """As a visitor knows it."""
        return f"{self.at.scheme}://{self.host}{self.path}"

    def onward(self, location: str) -> "Hop":
        """The next hop; a redirect to the same site stays at the same address."""
        as_named = self.at._replace(netloc=self.host)
        there = Hop(urlsplit(urljoin(as_named.geturl(), location)), "")
        if self.name and there.same_site(self):
            return Hop(there.at._replace(netloc=self.at.netloc), self.name)
        return there

    def same_site(self, other: "Hop") -> bool:
        return (self.site, self.port, self.at.scheme) == (other.site, other.port, other.at.scheme)

    def same_server(self, other: "Hop") -> bool:
        return (self.at.hostname, self.port, self.at.scheme) == (other.at.hostname, other.port, other.at.scheme)
