"""Make room for companies: what a customer is kept as, locations, contacts and their accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_IS_LOCATION = "location_number IS NOT NULL"


def upgrade() -> None:
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("entity", sa.Text(), server_default="account", nullable=True))
        batch_op.add_column(
            sa.Column("locations", sa.Integer(), server_default="0", nullable=False)
        )

    with op.batch_alter_table("customer_addresses", schema=None) as batch_op:
        batch_op.add_column(sa.Column("location_name", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("location_number", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("defaults", sa.LargeBinary(), nullable=True))
        batch_op.create_index(
            "uq_customer_addresses_location",
            ["customer_id", "location_number"],
            unique=True,
            postgresql_where=sa.text(_IS_LOCATION),
            sqlite_where=sa.text(_IS_LOCATION),
        )

    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("is_contact", sa.Boolean(), server_default=sa.false(), nullable=False)
        )

    op.create_table(
        "customer_contacts",
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("is_main", sa.Boolean(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "record", "channel", "external_id", name=op.f("pk_customer_contacts")
        ),
    )
    with op.batch_alter_table("customer_contacts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_customer_contacts_customer_id"), ["customer_id"], unique=False
        )
        batch_op.create_index("ix_customer_contacts_account", ["account", "channel"], unique=False)


def downgrade() -> None:
    op.drop_table("customer_contacts")
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.drop_column("is_contact")

    with op.batch_alter_table("customer_addresses", schema=None) as batch_op:
        batch_op.drop_index("uq_customer_addresses_location")
        batch_op.drop_column("defaults")
        batch_op.drop_column("location_number")
        batch_op.drop_column("location_name")

    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.drop_column("locations")
        batch_op.drop_column("entity")
