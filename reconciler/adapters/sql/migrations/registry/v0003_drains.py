"""Who takes a VM out of service, since when, and for how long its last requests are awaited."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column."""
    op.add_column("registry_machines", sa.Column("drain", sa.String(2048), nullable=False, server_default=""))
