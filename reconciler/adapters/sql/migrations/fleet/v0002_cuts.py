"""Where the audit log begins, once old entries are cut off."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("fleet_targets", sa.Column("cut", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("fleet_targets", sa.Column("anchor", sa.String(64), nullable=False, server_default="0" * 64))
