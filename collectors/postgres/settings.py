"""The server's settings in base units, its version, and the limits of roles.

Source: https://www.postgresql.org/docs/current/view-pg-settings.html
"""

import math
import re
from collections.abc import Iterator

from collectors.model import Gauge, Part, Sample, Untyped
from collectors.postgres.connection import MANNERS, Row, Session
from collectors.postgres.rows import MOST_DATABASES, Payload, label, read_all, rows_of, samples

SETTING = Gauge("pg_settings_*", "The setting * of the server.")
STATIC = Untyped("pg_static", "1; the server's version is its labels.", ("server", "version", "short_version"))
ROLES = Gauge("pg_roles_connection_limit", "Most connections that the role may have; -1 without a limit.", ("rolname",))
AGE = Gauge(
    "pg_database_wraparound_age_datfrozenxid_seconds",
    "Transactions since the oldest that is not frozen yet; no seconds, in spite of the name.",
    ("datname",),
)
MULTIXACT_AGE = Gauge(
    "pg_database_wraparound_age_datminmxid_seconds",
    "Multixacts since the oldest that is still needed; no seconds, in spite of the name.",
    ("datname",),
)

TIMES = {"ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400}
SIZES = {"B": 1, "kB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
NOT_NUMBERS = ("sync_commit_cancel_wait", "google_dataplex.max_messages")
"""Settings of two vendors that are no numbers in spite of their type."""

MOST_ROLES = 1000

STATEMENTS = {
    # What we have set for our own session is not what others get.
    "settings": """
        SELECT name, CASE WHEN name = ANY ('{MANNERS}') THEN reset_val ELSE setting END AS setting, unit, vartype
        FROM pg_settings WHERE vartype IN ('bool', 'integer', 'real') AND name <> 'transaction_read_only'""".replace(
        "MANNERS", ",".join((*MANNERS, "idle_session_timeout"))
    ),
    "version": "SELECT version()",
    "roles": f"SELECT rolname, rolconnlimit FROM pg_roles LIMIT {MOST_ROLES}",  # noqa: S608 # no input
    "wraparound": f"""
        SELECT datname, age(datfrozenxid) AS xids, mxid_age(datminmxid) AS multixacts
        FROM pg_database WHERE datallowconn ORDER BY age(datfrozenxid) DESC LIMIT {MOST_DATABASES}""",  # noqa: S608 # no input: the worst
}


def read(session: Session) -> Payload:
    answers = read_all(session, STATEMENTS)
    for row in answers["version"] or ():
        row |= {"server": session.server, "number": session.version}
    return answers


def parse(payload: Payload) -> Iterator[Sample]:
    for row in rows_of(payload, "settings"):
        if sample := _setting(row):
            yield sample
    for row in rows_of(payload, "version")[:1]:
        yield STATIC(1, label(row, "server"), label(row, "version"), _short(row.get("number")))
    for row in rows_of(payload, "roles"):
        yield from samples(row, {"rolconnlimit": (ROLES, 1)}, label(row, "rolname"))
    for row in rows_of(payload, "wraparound"):
        yield from samples(row, {"xids": (AGE, 1), "multixacts": (MULTIXACT_AGE, 1)}, label(row, "datname"))


def _setting(row: Row) -> Sample | None:
    name, text = re.sub(r"[^A-Za-z0-9_]", "_", label(row, "name")), label(row, "setting")
    if not name or row.get("name") in NOT_NUMBERS:
        return None
    if row.get("vartype") == "bool":
        return SETTING.named(name)(int(text == "on"))
    try:
        value, unit = float(text), _unit(label(row, "unit"))
    except ValueError:
        return None
    if unit is None or not math.isfinite(value):
        return None
    # -1 means "as another setting says" or "none"; it is no length of time.
    return SETTING.named(name + unit[0])(value if value == -1 else value * unit[1])


def _unit(unit: str) -> tuple[str, float] | None:
    """What it adds to the name, and its factor to the base unit. `8kB` is a unit, too: the size of a block."""
    if not unit:
        return "", 1
    if unit in TIMES:
        return "_seconds", TIMES[unit]
    found = re.fullmatch(r"(\d{0,9})([kMGT]?B)", unit)
    return ("_bytes", int(found[1] or 1) * SIZES[found[2]]) if found else None


def _short(number: object) -> str:
    """150018 -> 15.18.0."""
    return f"{number // 10000}.{number % 10000}.0" if isinstance(number, int) else ""


PART = Part("settings", (SETTING, STATIC, ROLES, AGE, MULTIXACT_AGE), read, parse, interval=60.0)
