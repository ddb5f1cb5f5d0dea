"""Whether a brake keeps the last health of a VM that is silent."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column."""
    op.add_column("registry_machines", sa.Column("held", sa.Boolean, nullable=False, server_default=sa.false()))
