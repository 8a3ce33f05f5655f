"""Where another server keeps the history. Numpy-free: the bare agent reads its configuration too."""

import base64
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class Address:
    """Where the server is, and how we are known to it. No secret is in its text."""

    url: str
    """http or https, with a path if the API is not at the root."""
    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """ValueError for what no header can hold; http.client's own would show the token."""
        if not (self.token.isascii() and self.token.isprintable()):
            raise ValueError("expected a token of one line of ASCII characters, found others")

    def __str__(self) -> str:
        at = urlsplit(self.url)
        host = f"[{at.hostname}]" if ":" in (at.hostname or "") else at.hostname
        return f"{at.scheme}://{host}{f':{at.port}' if at.port else ''}{at.path.rstrip('/')}"

    @property
    def headers(self) -> dict[str, str]:
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        at = urlsplit(self.url)
        user, password = (self.username, self.password) if self.username else (at.username, at.password)
        if not user:
            return {}
        pair = f"{unquote(user)}:{unquote(password or '')}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
