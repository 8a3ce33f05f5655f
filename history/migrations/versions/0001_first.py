"""The first schema: nothing to do, its tables are there."""

revision = "0001"
down_revision = None


def upgrade() -> None: ...
