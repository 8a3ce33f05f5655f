"""Who may ask: API tokens and one-time login links, kept as hashes in the local database; users, sessions, walls."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Column, Engine, Float, String, Table, delete, insert, select

from history.audit import Audit
from history.database import METADATA
from history.sessions import Sessions, Walls, digest
from history.users import Users

Scope = Literal["read", "write"]

LOGIN_SECONDS = 900.0

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


@dataclass(frozen=True)
class Token:
    name: str
    scope: Scope
    created: float  # Unix seconds


class Access:
    """Every method is one short transaction; any thread, any process. `now` is Unix seconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.users = Users(engine)
        self.sessions = Sessions(engine)
        self.walls = Walls(engine)
        self.audit = Audit(engine)

    def create_token(self, scope: Scope, now: float, name: str = "") -> str:
        """The new token; it is shown this once. ValueError if the name is taken."""
        text = f"rg_{secrets.token_urlsafe(32)}"
        name = name or f"{scope}-{text[3:9]}"
        with self._engine.begin() as connection:
            if connection.execute(select(token_table.c.name).where(token_table.c.name == name)).first():
                raise ValueError(f"a token named {name!r} exists")
            connection.execute(insert(token_table).values(name=name, hash=digest(text), scope=scope, created=now))
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
                select(token_table.c.scope).where(token_table.c.hash == digest(text))
            ).scalar()
        return scope

    def create_login(self, now: float) -> str:
        """The secret of a link that logs in once, within LOGIN_SECONDS."""
        text = secrets.token_urlsafe(32)
        with self._engine.begin() as connection:
            connection.execute(delete(login_table).where(login_table.c.expires < now))
            connection.execute(insert(login_table).values(hash=digest(text), expires=now + LOGIN_SECONDS))
        return text

    def use_login(self, text: str, now: float) -> bool:
        """True once, for a link that is known and not too old."""
        with self._engine.begin() as connection:
            gone = connection.execute(
                delete(login_table).where(login_table.c.hash == digest(text), login_table.c.expires >= now)
            )
        return gone.rowcount > 0
