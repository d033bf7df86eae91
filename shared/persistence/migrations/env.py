"""What Alembic runs: migrate within the transaction that `shared.persistence.migrate` opened."""

from alembic import context

from shared.persistence.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite alters a table by copying it.
    render_as_batch=True,
    # True on SQLite as well, since our transactions begin before the first statement.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
