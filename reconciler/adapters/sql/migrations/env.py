"""alembic's entry: runs the steps of one part on the connection, and in the transaction, that `migrate` gave it."""

from alembic import context

_given = context.config.attributes
_part = _given["part"]

context.configure(
    connection=_given["connection"],
    target_metadata=_part.tables,
    version_table=_part.version_table,
    # SQLite cannot alter most things in place; alembic then copies the table.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
