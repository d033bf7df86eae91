"""What Alembic runs: migrate within the transaction that `shared.persistence.migrate` opened."""

from typing import Literal

from alembic import context

from shared.persistence.tables import Moment, metadata


def _render(kind: str, item: object, _context: object) -> str | Literal[False]:
    # A migration says what the database has, and must not change when our types do.
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Moment) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=_render,
    # SQLite alters a table by copying it.
    render_as_batch=True,
    # True on SQLite as well, since our transactions begin before the first statement.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
