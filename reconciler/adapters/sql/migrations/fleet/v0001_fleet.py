"""Rows, signs of life, the audit log, and what counts their changes."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_HASH = sa.String(64)


def _key(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True)


def upgrade() -> None:
    """Create the tables."""
    target = sa.String(63)
    op.create_table(
        "fleet_targets",
        _key("target", target),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("links", sa.BigInteger, nullable=False),
        sa.Column("newest", _HASH, nullable=False),
    )
    op.create_table(
        "fleet_rows",
        _key("target", target),
        _key("kind", sa.String(16)),
        _key("id", sa.String(320)),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("fleet_rows_version", "fleet_rows", ["target", "version"])
    op.create_table(
        "fleet_signs",
        _key("target", target),
        _key("agent", sa.String(64)),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
    )
    op.create_table(
        "fleet_audit",
        _key("target", target),
        _key("number", sa.BigInteger),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("actor", "action", "subject", "detail")),
        sa.Column("before", _HASH, nullable=False),
        sa.Column("hash", _HASH, nullable=False),
    )
