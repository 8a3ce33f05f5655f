"""Events count what was folded into them, and are found by kind and key. (Sealed pages came too, in new tables.)"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    if "event" in sa.inspect(op.get_bind()).get_table_names():
        op.add_column("event", sa.Column("folded", sa.Text, nullable=False, server_default=""))
        op.create_index("event_key", "event", ["kind", "dedup_key", "last"])
        op.create_index("event_kind", "event", ["kind", "last"])
