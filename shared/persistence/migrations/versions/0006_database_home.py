"""Note where the database is, so that one restored from a backup is noticed."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# What `shared.persistence.home` reads; a migration stays as it was written.
_HERE = (
    "SELECT (SELECT system_identifier::text FROM pg_control_system()) || '/' || oid"
    " FROM pg_database WHERE datname = current_database()"
)
_HERE_WITHOUT_RIGHTS = "SELECT '-/' || oid FROM pg_database WHERE datname = current_database()"
_MAY_ASK = "SELECT has_function_privilege('pg_control_system()', 'execute')"


def upgrade() -> None:
    table = op.create_table(
        "database_home",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_database_home")),
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        may_ask = connection.scalar(sa.text(_MAY_ASK))
        here = connection.scalar(sa.text(_HERE if may_ask else _HERE_WITHOUT_RIGHTS))
        op.bulk_insert(table, [{"place": here, "settled_at": datetime.now(UTC)}])


def downgrade() -> None:
    op.drop_table("database_home")
