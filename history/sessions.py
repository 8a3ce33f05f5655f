"""Sessions of browsers, and links that show the pages on a wall. Secrets are kept as hashes only."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Engine, Float, String, Table, delete, insert, or_, select, update

from history.database import METADATA

SESSION_SECONDS = 14 * 86400.0
SEEN_EVERY = 60.0
"""Seconds; more often is not written down that a session is used."""
MOST_AGENT = 200

session_table = Table(
    "session", METADATA,
    Column("hash", String, primary_key=True),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("user", String, nullable=False, server_default=""),
    Column("wall", String, nullable=False, server_default=""),
    Column("address", String, nullable=False, server_default=""),
    Column("agent", String, nullable=False, server_default=""),
    Column("seen", Float, nullable=False, server_default="0"),
)  # fmt: skip
wall_table = Table(
    "wall", METADATA,
    Column("name", String, primary_key=True),
    Column("hash", String, nullable=False, unique=True),
    Column("created", Float, nullable=False),
    Column("expires", Float),
)  # fmt: skip


@dataclass(frozen=True)
class Session:
    id: str
    """The hash of the secret: it names the session, and opens nothing."""
    created: float  # Unix seconds
    expires: float  # Unix seconds
    user: str
    """ "" for who came by a login link or by the configuration's password."""
    wall: str
    """The wall whose link was followed; "" for people."""
    address: str
    agent: str
    """As the browser names itself."""
    seen: float  # Unix seconds


@dataclass(frozen=True)
class Wall:
    name: str
    created: float  # Unix seconds
    expires: float | None  # Unix seconds; None: never


def digest(text: str) -> str:
    # The text is 256 random bits, so a plain hash is enough and no slow one is needed.
    return hashlib.sha256(text.encode()).hexdigest()


class Sessions:
    """Every method is one short transaction; any thread, any process. `now` is Unix seconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open(self, now: float, user: str = "", *, wall: str = "", address: str = "", agent: str = "") -> str:
        """The secret of a new session."""
        text = secrets.token_urlsafe(32)
        values = {"hash": digest(text), "created": now, "expires": now + SESSION_SECONDS, "user": user, "wall": wall,
                  "address": address, "agent": agent[:MOST_AGENT], "seen": now}  # fmt: skip
        with self._engine.begin() as connection:
            connection.execute(delete(session_table).where(session_table.c.expires < now))
            connection.execute(insert(session_table).values(**values))
        return text

    def find(self, text: str, now: float) -> Session | None:
        """The one that is open under this secret; that it is used is written down now and then."""
        with self._engine.connect() as connection:
            row = connection.execute(select(session_table).where(session_table.c.hash == digest(text))).first()
        if row is None or row.expires < now:
            return None
        if now - row.seen >= SEEN_EVERY:
            with self._engine.begin() as connection:
                connection.execute(update(session_table).where(session_table.c.hash == row.hash).values(seen=now))
        return Session(*row)

    def all(self, now: float) -> Sequence[Session]:
        """Those that are open, the last used first."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(session_table).where(session_table.c.expires >= now).order_by(session_table.c.seen.desc())
            ).all()
        return [Session(*row) for row in rows]

    def close(self, id_: str) -> bool:
        with self._engine.begin() as connection:
            return connection.execute(delete(session_table).where(session_table.c.hash == id_)).rowcount > 0

    def close_all(self, *, user: str = "", wall: str = "") -> None:
        """Of a user, or of a wall."""
        which = session_table.c.user == user if user else session_table.c.wall == wall
        with self._engine.begin() as connection:
            connection.execute(delete(session_table).where(which))


class Walls:
    """As Sessions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, name: str, now: float, expires: float | None = None) -> str:
        """The secret of the link; it is shown this once. ValueError if the name is taken."""
        text = secrets.token_urlsafe(32)
        with self._engine.begin() as connection:
            if connection.execute(select(wall_table.c.name).where(wall_table.c.name == name)).first():
                raise ValueError(f"a wall named {name!r} exists")
            connection.execute(insert(wall_table).values(name=name, hash=digest(text), created=now, expires=expires))
        return text

    def of(self, text: str, now: float) -> str | None:
        """The name of the wall whose link has this secret."""
        return self._valid(wall_table.c.hash == digest(text), now)

    def valid(self, name: str, now: float) -> bool:
        return self._valid(wall_table.c.name == name, now) is not None

    def all(self) -> Sequence[Wall]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(wall_table).order_by(wall_table.c.created)).all()
        return [Wall(row.name, row.created, row.expires) for row in rows]

    def revoke(self, name: str) -> bool:
        with self._engine.begin() as connection:
            return connection.execute(delete(wall_table).where(wall_table.c.name == name)).rowcount > 0

    def _valid(self, which: object, now: float) -> str | None:
        lasts = or_(wall_table.c.expires.is_(None), wall_table.c.expires >= now)
        with self._engine.connect() as connection:
            name: str | None = connection.execute(select(wall_table.c.name).where(which, lasts)).scalar()  # type: ignore[arg-type]
        return name
