"""Sessions say whose they are; those from before are of who runs Raingauge. (Users, walls and audit are new tables.)"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    if "session" in sa.inspect(op.get_bind()).get_table_names():
        for name in ("user", "wall", "address", "agent"):
            op.add_column("session", sa.Column(name, sa.String, nullable=False, server_default=""))
        op.add_column("session", sa.Column("seen", sa.Float, nullable=False, server_default="0"))
