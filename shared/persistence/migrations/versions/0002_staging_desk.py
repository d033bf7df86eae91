"""Make room for requests, raw payloads, tombstones, name keys and field times."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("correlation_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("reply_to", sa.Text(), nullable=True),
        sa.Column("reply_id", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default="wanted", nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("customer_number", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_requests")),
    )
    with op.batch_alter_table("import_requests", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_import_requests_correlation_id"), ["correlation_id"], unique=False
        )
        batch_op.create_index("ix_import_requests_state", ["state", "channel"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_import_requests_import_id"), ["import_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_import_requests_answered_at"), ["answered_at"], unique=False
        )

    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reply_to", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("reply_id", sa.Text(), nullable=True))

    op.create_table(
        "raw_payloads",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "external_id", name=op.f("pk_raw_payloads")),
    )
    with op.batch_alter_table("raw_payloads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_raw_payloads_read_at"), ["read_at"], unique=False)

    op.create_table(
        "tombstones",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_tombstones")),
    )
    with op.batch_alter_table("tombstones", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tombstones_key_id"), ["key_id"], unique=False)

    with op.batch_alter_table("cursors", schema=None) as batch_op:
        batch_op.add_column(sa.Column("enabled_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("sweep_mode", sa.Text(), server_default="normal", nullable=False)
        )
        batch_op.add_column(sa.Column("sweep_error", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("start_date", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("sweep_failures", sa.Integer(), server_default="0", nullable=False)
        )

    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "name_key",
                sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
                nullable=True,
            )
        )
        batch_op.add_column(sa.Column("field_times", sa.LargeBinary(), nullable=True))
        batch_op.create_index(batch_op.f("ix_customers_name_key"), ["name_key"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_customers_name_key"))
        batch_op.drop_column("field_times")
        batch_op.drop_column("name_key")

    with op.batch_alter_table("cursors", schema=None) as batch_op:
        batch_op.drop_column("sweep_failures")
        batch_op.drop_column("start_date")
        batch_op.drop_column("sweep_error")
        batch_op.drop_column("sweep_mode")
        batch_op.drop_column("enabled_at")

    with op.batch_alter_table("tombstones", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tombstones_key_id"))

    op.drop_table("tombstones")
    with op.batch_alter_table("raw_payloads", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_raw_payloads_read_at"))

    op.drop_table("raw_payloads")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_column("reply_id")
        batch_op.drop_column("reply_to")

    with op.batch_alter_table("import_requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_requests_answered_at"))
        batch_op.drop_index(batch_op.f("ix_import_requests_import_id"))
        batch_op.drop_index("ix_import_requests_state")
        batch_op.drop_index(batch_op.f("ix_import_requests_correlation_id"))

    op.drop_table("import_requests")
