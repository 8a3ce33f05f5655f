"""Who may ask: API tokens, one-time login links and browser sessions, kept as hashes in the local database."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Column, Engine, Float, String, Table, delete, insert, select, update

from history.database import METADATA

Scope = Literal["read", "write"]

LOGIN_SECONDS = 900.0
SESSION_SECONDS = 14 * 86400.0

token_table = Table(
    "token", METADATA,
    Column("name", String, primary_key=True),
    Column("hash", String, nullable=False, unique=True),
    Column("scope", String, nullable=False),
    Column("created", Float, nullable=False),
)  # fmt: skip
login_table = Table(
    "login", METADATA,
    Column("hash", String, primary_key=True),
    Column("expires", Float, nullable=False),
)  # fmt: skip
session_table = Table(
    "session", METADATA,
    Column("hash", String, primary_key=True),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
)  # fmt: skip


@dataclass(frozen=True)
class Token:
    name: str
    scope: Scope
    created: float  # Unix seconds


def _hash(text: str) -> str:
    # The text is 256 random bits, so a plain hash is enough and no slow one is needed.
    return hashlib.sha256(text.encode()).hexdigest()


class Access:
    """Every method is one short transaction; any thread, any process. `now` is Unix seconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create_token(self, scope: Scope, now: float, name: str = "") -> str:
        """The new token; it is shown this once. ValueError if the name is taken."""
        text = f"rg_{secrets.token_urlsafe(32)}"
        name = name or f"{scope}-{text[3:9]}"
        with self._engine.begin() as connection:
            if connection.execute(select(token_table.c.name).where(token_table.c.name == name)).first():
                raise ValueError(f"a token named {name!r} exists")
            connection.execute(insert(token_table).values(name=name, hash=_hash(text), scope=scope, created=now))
        return text

    def tokens(self) -> Sequence[Token]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(token_table).order_by(token_table.c.created)).all()
        return [Token(row.name, row.scope, row.created) for row in rows]

    def revoke_token(self, name: str) -> bool:
        with self._engine.begin() as connection:
            return connection.execute(delete(token_table).where(token_table.c.name == name)).rowcount > 0

    def token_scope(self, text: str) -> Scope | None:
        """None for a token that is not known."""
        with self._engine.connect() as connection:
            scope: Scope | None = connection.execute(
                select(token_table.c.scope).where(token_table.c.hash == _hash(text))
            ).scalar()
        return scope

    def create_login(self, now: float) -> str:
        """The secret of a link that logs in once, within LOGIN_SECONDS."""
        text = secrets.token_urlsafe(32)
        with self._engine.begin() as connection:
            connection.execute(delete(login_table).where(login_table.c.expires < now))
            connection.execute(insert(login_table).values(hash=_hash(text), expires=now + LOGIN_SECONDS))
        return text

    def use_login(self, text: str, now: float) -> bool:
        """True once, for a link that is known and not too old."""
        with self._engine.begin() as connection:
            gone = connection.execute(
                delete(login_table).where(login_table.c.hash == _hash(text), login_table.c.expires >= now)
            )
        return gone.rowcount > 0

    def open_session(self, now: float) -> str:
        text = secrets.token_urlsafe(32)
        with self._engine.begin() as connection:
            connection.execute(delete(session_table).where(session_table.c.expires < now))
            connection.execute(
                insert(session_table).values(hash=_hash(text), created=now, expires=now + SESSION_SECONDS)
            )
        return text

    def session_valid(self, text: str, now: float) -> bool:
        with self._engine.connect() as connection:
            expires = connection.execute(
                select(session_table.c.expires).where(session_table.c.hash == _hash(text))
            ).scalar()
        return expires is not None and expires >= now

    def close_session(self, text: str, now: float) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(session_table).where(session_table.c.hash == _hash(text)).values(expires=now - 1))
