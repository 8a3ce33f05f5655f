"""Events that wait for somebody are found at once."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    if "event" in sa.inspect(op.get_bind()).get_table_names():
        op.create_index("event_open", "event", ["state", "severity", "kind"])
