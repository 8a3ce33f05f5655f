"""The people who may log in, with their roles; passwords are kept as argon2 hashes."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Literal

from sqlalchemy import Column, ColumnElement, Engine, Float, String, Table, delete, exists, insert, select, update

from history.database import METADATA

Role = Literal["viewer", "responder", "admin"]
"""viewer: looks; responder: also acknowledges, silences and notes; admin: everything."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
FEWEST_CHARACTERS = 10
MOST_CHARACTERS = 1000

user_table = Table(
    "user", METADATA,
    Column("name", String, primary_key=True),
    Column("hash", String, nullable=False),
    Column("role", String, nullable=False),
    Column("created", Float, nullable=False),
)  # fmt: skip
hashing = Lock()
"""One at a time: argon2 takes 64 MiB and a core while it looks at a password."""


@dataclass(frozen=True)
class User:
    name: str
    role: Role
    created: float  # Unix seconds


def fits(hash_: str, password: str) -> bool:
    """Whether it is the password of that argon2 hash."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        with hashing:
            return PasswordHasher().verify(hash_, password)
    except (VerificationError, InvalidHashError):
        return False


def hashed(password: str) -> str:
    """argon2. ValueError for a password that is too short or too long."""
    if not FEWEST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise ValueError(
            f"the password needs {FEWEST_CHARACTERS} to {MOST_CHARACTERS} characters, found {len(password)}"
        )
    from argon2 import PasswordHasher

    with hashing:
        return PasswordHasher().hash(password)


@cache
def _nobodys() -> str:
    """What the password of a name that is not there is compared with, so that the answer takes as long."""
    return hashed(secrets.token_urlsafe(32))


class Users:
    """Every method is one short transaction; any thread, any process. `now` is Unix seconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, name: str, password: str, role: Role, now: float) -> None:
        """ValueError for a name that is taken or none, and for a password that is too short."""
        if not NAME.fullmatch(name):
            raise ValueError(f"expected a name of letters, digits and . _ @ -, at most 64, found {name!r}")
        row = {"name": name, "hash": hashed(password), "role": role, "created": now}
        with self._engine.begin() as connection:
            if connection.execute(select(user_table.c.name).where(user_table.c.name == name)).first():
                raise ValueError(f"a user named {name!r} exists")
            connection.execute(insert(user_table).values(**row))

    def all(self) -> Sequence[User]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(user_table).order_by(user_table.c.name)).all()
        return [User(row.name, row.role, row.created) for row in rows]

    def get(self, name: str) -> User | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(user_table).where(user_table.c.name == name)).first()
        return User(row.name, row.role, row.created) if row else None

    def check(self, name: str, password: str) -> bool:
        """Takes as long for a name that is not there."""
        with self._engine.connect() as connection:
            found = connection.execute(select(user_table.c.hash).where(user_table.c.name == name)).scalar()
        return fits(found or _nobodys(), password) and found is not None

    def set_password(self, name: str, password: str) -> bool:
        """False for a name that is not there; ValueError for a password that is too short."""
        return self._change(_one(name), hash=hashed(password))

    def set_role(self, name: str, role: Role, *, keep_an_admin: bool = False) -> bool:
        """False for a name that is not there; and for the last admin's, if one is to be kept."""
        which = _one(name, but_the_last_admin=keep_an_admin and role != "admin")
        return self._change(which, role=role)

    def remove(self, name: str, *, keep_an_admin: bool = False) -> bool:
        """As set_role."""
        with self._engine.begin() as connection:
            which = _one(name, but_the_last_admin=keep_an_admin)
            return connection.execute(delete(user_table).where(which)).rowcount > 0

    def _change(self, which: ColumnElement[bool], **values: str) -> bool:
        with self._engine.begin() as connection:
            return connection.execute(update(user_table).where(which).values(**values)).rowcount > 0


def _one(name: str, *, but_the_last_admin: bool = False) -> ColumnElement[bool]:
    """Part of the statement that changes it, as two admins may take each other's role at the same moment."""
    here, other = user_table.c.name == name, user_table.alias()
    if not but_the_last_admin:
        return here
    return here & ((user_table.c.role != "admin") | exists().where(other.c.role == "admin", other.c.name != name))
