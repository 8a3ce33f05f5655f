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

    def __str__(self) -> str:
        at = urlsplit(self.url)
        return f"{at.scheme}://{at.hostname}{f':{at.port}' if at.port else ''}{at.path.rstrip('/')}"

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
