"""Whether a server of ours keeps the records of a target."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column."""
    op.add_column("registry_targets", sa.Column("served", sa.Boolean, nullable=False, server_default=sa.false()))
