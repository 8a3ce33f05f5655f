"""Events say from which host they were copied, and in which order they changed. (Their numbers are a new table.)"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    if "event" not in sa.inspect(op.get_bind()).get_table_names():
        return
    op.add_column("event", sa.Column("origin", sa.String(255), nullable=False, server_default=""))
    op.add_column("event", sa.Column("changed", sa.Integer, nullable=False, server_default="0"))
    op.create_index("event_changed", "event", ["changed"])
    op.execute("UPDATE event SET changed = number")
    newest = op.get_bind().execute(sa.text("SELECT max(number) FROM event")).scalar()
    if newest:
        table = op.create_table(
            "event_changes",
            sa.Column("only", sa.Integer, primary_key=True),
            sa.Column("era", sa.String(32), nullable=False),
            sa.Column("number", sa.Integer, nullable=False),
        )
        op.bulk_insert(table, [{"only": 1, "era": secrets.token_hex(8), "number": newest}])
