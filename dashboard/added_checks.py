"""Checks that people add on the pages, in the local database. No Flask: the process that runs them reads them too."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

import yaml
from pydantic import ValidationError
from sqlalchemy import Column, Engine, String, Table, Text, delete, func, insert, select

from collectors.probe.config import Probe
from history.database import METADATA, make_tables

MOST_CHECKS = 50
MOST_NAME = 60
SHORTEST_SECONDS = 10.0

check_table = Table(
    "added_check", METADATA,
    Column("name", String(MOST_NAME), primary_key=True),
    Column("settings", Text, nullable=False),  # JSON
)  # fmt: skip


@dataclass(frozen=True)
class AddedCheck:
    name: str
    """The `module` label of its series."""
    url: str
    interval: float = 60.0  # seconds
    expect_status: int | None = None
    """None: 200 to 399."""
    pattern: str = ""
    """Regular expression that a good page has."""

    @property
    def settings(self) -> dict[str, object]:
        """As the configuration file has them below `targets: probe`."""
        found: dict[str, object] = {"url": self.url, "module": self.name, "interval": self.interval}
        if self.expect_status is not None:
            found["expect_status"] = [self.expect_status]
        return {**found, "must_match": [self.pattern]} if self.pattern else found

    @property
    def probe(self) -> Probe:
        return Probe.model_validate(self.settings)


def checked(check: AddedCheck) -> AddedCheck:
    """ValueError says what is wrong with it."""
    if not 0 < len(check.name) <= MOST_NAME or not check.name.isprintable():
        raise ValueError(f"expected a name of 1 to {MOST_NAME} characters, found {len(check.name)}")
    if check.interval < SHORTEST_SECONDS:
        raise ValueError(f"expected an interval of {SHORTEST_SECONDS:g} s or more, found {check.interval:g} s")
    try:
        _ = check.probe
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        words = first["msg"].removeprefix("Value error, ").replace("Input should be", "expected a value")
        raise ValueError(f"{first['loc'][0]}: {words}") from None
    if "@" in urlsplit(check.url).netloc:
        raise ValueError(
            "url: expected an address without an account; the configuration file has username and password"
        )
    return check


def written(checks: Iterable[AddedCheck]) -> str:
    """For the configuration file."""
    found = {"targets": {"probe": [check.settings for check in checks]}}
    return yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=110)


class AddedChecks:
    """Every method is one short transaction; any thread, any process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        make_tables(engine, [check_table])

    def all(self) -> Sequence[AddedCheck]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(check_table).order_by(check_table.c.name))
            return [AddedCheck(**json.loads(row.settings)) for row in rows]

    def add(self, check: AddedCheck) -> None:
        """ValueError for one that is none, whose name is taken, or that is one too many."""
        check = checked(check)
        with self._engine.begin() as connection:
            if connection.execute(select(func.count()).select_from(check_table)).scalar_one() >= MOST_CHECKS:
                raise ValueError(
                    f"there are {MOST_CHECKS} added checks already: more belong into the configuration file"
                )
            if connection.execute(select(check_table.c.name).where(check_table.c.name == check.name)).first():
                raise ValueError(f"a check named {check.name!r} exists")
            connection.execute(insert(check_table).values(name=check.name, settings=json.dumps(asdict(check))))

    def remove(self, name: str) -> bool:
        """False where there is none of this name."""
        with self._engine.begin() as connection:
            return connection.execute(delete(check_table).where(check_table.c.name == name)).rowcount > 0
