"""Why a VM is not healthy, and whether a person is taking it out of service."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("registry_machines", sa.Column("reason", sa.String(256), nullable=False, server_default=""))
    op.add_column("registry_machines", sa.Column("draining", sa.Boolean, nullable=False, server_default=sa.false()))
