"""The records of VMs and what counts their changes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TARGET, _NAMESPACE, _NAME = sa.String(63), sa.String(63), sa.String(253)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "registry_targets",
        sa.Column("target", _TARGET, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("floor", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "registry_machines",
        sa.Column("target", _TARGET, primary_key=True),
        sa.Column("namespace", _NAMESPACE, primary_key=True),
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("uid", sa.String(36), nullable=False, unique=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("address", sa.String(45), nullable=False),
        sa.Column("health", sa.String(16), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True)),
        sa.Column("reported", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
    )
    op.create_index("registry_machines_changed", "registry_machines", ["target", "changed"])
    op.create_table(
        "registry_removed",
        sa.Column("target", _TARGET, primary_key=True),
        sa.Column("namespace", _NAMESPACE, primary_key=True),
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("changed", sa.BigInteger, nullable=False),
    )
    op.create_index("registry_removed_changed", "registry_removed", ["target", "changed"])
