"""Whether the registry's server doubts the records of a target."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column."""
    op.add_column("registry_targets", sa.Column("recovering", sa.Boolean, nullable=False, server_default=sa.false()))
