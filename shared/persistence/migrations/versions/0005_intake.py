"""Make room for the intake: events of webhooks, pushed requests, whose e-mail address it is."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("import_requests", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("is_hint", sa.Boolean(), server_default=sa.false(), nullable=False)
        )

    op.create_table(
        "webhook_events",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", "event_id", name=op.f("pk_webhook_events")),
    )
    with op.batch_alter_table("webhook_events", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_webhook_events_received_at"), ["received_at"], unique=False
        )

    op.create_table(
        "push_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("signature", sa.Text(), nullable=True),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_requests")),
        sa.UniqueConstraint(
            "channel", "idempotency_key", name=op.f("uq_push_requests_channel_idempotency_key")
        ),
        sa.UniqueConstraint(
            "channel", "signature", name=op.f("uq_push_requests_channel_signature")
        ),
    )
    with op.batch_alter_table("push_requests", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_push_requests_received_at"), ["received_at"], unique=False
        )

    op.create_table(
        "push_items",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("faults", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["push_requests.id"],
            name=op.f("fk_push_items_request_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("request_id", "position", name=op.f("pk_push_items")),
    )
    with op.batch_alter_table("push_items", schema=None) as batch_op:
        batch_op.create_index("ix_push_items_source", ["channel", "external_id"], unique=False)

    op.create_table(
        "push_emails",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "email_key", name=op.f("pk_push_emails")),
    )
    with op.batch_alter_table("push_emails", schema=None) as batch_op:
        batch_op.create_index("ix_push_emails_source", ["channel", "external_id"], unique=False)


def downgrade() -> None:
    op.drop_table("push_emails")
    op.drop_table("push_items")
    op.drop_table("push_requests")
    op.drop_table("webhook_events")
    with op.batch_alter_table("import_requests", schema=None) as batch_op:
        batch_op.drop_column("is_hint")
