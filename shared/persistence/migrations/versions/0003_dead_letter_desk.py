"""Group dead letters, note who gave them up, keep amendments, and make room for replays."""

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _keep_the_last_letter_of_each_message()
    with op.batch_alter_table("dead_letters", schema=None) as batch_op:
        for column in _new_columns():
            batch_op.add_column(column)
        batch_op.drop_constraint(batch_op.f("uq_dead_letters_message_id_attempts"), type_="unique")
        batch_op.create_unique_constraint(batch_op.f("uq_dead_letters_message_id"), ["message_id"])
        batch_op.create_index("ix_dead_letters_state_group", ["state", "group_key"], unique=False)
        batch_op.create_index("ix_dead_letters_subject", ["channel", "subject"], unique=False)
    _name_states_anew()
    _group_what_is_there()

    op.create_table(
        "amendments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dead_letter_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("diff", sa.Text(), nullable=False),
        sa.Column("original_body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dead_letter_id"],
            ["dead_letters.id"],
            name=op.f("fk_amendments_dead_letter_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendments")),
    )
    with op.batch_alter_table("amendments", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_amendments_dead_letter_id"), ["dead_letter_id"], unique=False
        )

    op.create_table(
        "replay_jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("selection", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("rate_per_second", sa.Float(), nullable=False),
        sa.Column("failure_limit", sa.Float(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replay_jobs")),
    )
    with op.batch_alter_table("replay_jobs", schema=None) as batch_op:
        batch_op.create_index("ix_replay_jobs_state", ["state", "created_at"], unique=False)

    op.create_table(
        "replay_items",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("dead_letter_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["replay_jobs.id"],
            name=op.f("fk_replay_items_job_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_id", "dead_letter_id", name=op.f("pk_replay_items")),
    )
    with op.batch_alter_table("replay_items", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_replay_items_dead_letter_id"), ["dead_letter_id"], unique=False
        )
        batch_op.create_index(
            "ix_replay_items_state", ["job_id", "state", "position"], unique=False
        )


def downgrade() -> None:
    op.drop_table("replay_items")
    op.drop_table("replay_jobs")
    op.drop_table("amendments")
    with op.batch_alter_table("dead_letters", schema=None) as batch_op:
        batch_op.drop_index("ix_dead_letters_subject")
        batch_op.drop_index("ix_dead_letters_state_group")
        batch_op.drop_constraint(batch_op.f("uq_dead_letters_message_id"), type_="unique")
        batch_op.create_unique_constraint(
            batch_op.f("uq_dead_letters_message_id_attempts"), ["message_id", "attempts"]
        )
        for column in reversed(_new_columns()):
            batch_op.drop_column(column.name)


def _new_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("reply_to", sa.Text(), nullable=True),
        sa.Column("reply_id", sa.Text(), nullable=True),
        sa.Column("frame", sa.Text(), nullable=True),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("group_key", sa.Text(), server_default="", nullable=False),
        sa.Column("origin", sa.Text(), server_default="worker", nullable=False),
        sa.Column("broker_reason", sa.Text(), nullable=True),
        sa.Column("replays", sa.Integer(), server_default="0", nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
    ]


def _keep_the_last_letter_of_each_message() -> None:
    """Of a message that was given up again after a replay, the last letter says all."""
    op.execute(
        "DELETE FROM dead_letters WHERE EXISTS (SELECT 1 FROM dead_letters AS later"
        " WHERE later.message_id = dead_letters.message_id AND later.id <> dead_letters.id"
        " AND (later.last_failed_at, later.id) > (dead_letters.last_failed_at, dead_letters.id))"
    )


def _name_states_anew() -> None:
    op.execute(
        "UPDATE dead_letters SET resolved_at = last_failed_at,"
        " resolution = CASE state WHEN 'discarded' THEN 'discarded' ELSE 'replayed' END,"
        " state = CASE state WHEN 'discarded' THEN 'discarded' ELSE 'resolved' END"
        " WHERE state <> 'open'"
    )


def _group_what_is_there() -> None:
    """Give letters without frame and platform the group that later ones without them will have."""
    letters = sa.table(
        "dead_letters",
        *(sa.column(name) for name in ("reason", "error_class", "channel", "group_key")),
    )
    what = (letters.c.reason, letters.c.error_class, letters.c.channel)
    connection = op.get_bind()
    for row in connection.execute(sa.select(*what).distinct()).all():
        parts = (row.reason, row.error_class, None, None, row.channel)
        digest = sha256("\x1f".join(part or "" for part in parts).encode()).hexdigest()[:12]
        its = (column.is_not_distinct_from(value) for column, value in zip(what, row, strict=True))
        connection.execute(sa.update(letters).where(*its).values(group_key=digest))
