"""One lease a target."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "lease_targets",
        sa.Column("target", sa.String(63), primary_key=True),
        sa.Column("holder", sa.String(253), nullable=False),
        sa.Column("store", sa.String(64), nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("renewed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("clock", sa.String(64), nullable=False),
        sa.Column("beat", sa.Float, nullable=False),
    )
