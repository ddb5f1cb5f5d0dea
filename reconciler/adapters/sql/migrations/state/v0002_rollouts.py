"""Rollouts: themselves, what happened to them, what people said, what is refused, what is held."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_ID, _UNIT = sa.String(64), sa.String(400)


def _store(*, primary: bool = False) -> sa.Column[Any]:
    return sa.Column("store", _NUMBER, sa.ForeignKey("state_stores.number"), primary_key=primary, nullable=False)


def _number() -> sa.Column[Any]:
    return sa.Column("number", _NUMBER, primary_key=True)


def _document() -> sa.Column[Any]:
    return sa.Column("document", sa.Text, nullable=False)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "state_rollouts",
        _number(),
        _store(),
        sa.Column("id", _ID, nullable=False),
        sa.Column("unit", _UNIT, nullable=False),
        sa.Column("stands", sa.Boolean, nullable=False),
        sa.Column("turn", sa.BigInteger, nullable=False),
        sa.Column("ended", _MOMENT),
        _document(),
        sa.UniqueConstraint("store", "id", name="state_rollouts_id"),
    )
    op.create_index("state_rollouts_standing", "state_rollouts", ["store", "stands", "number"])
    op.create_index("state_rollouts_unit", "state_rollouts", ["store", "unit", "number"])
    op.create_table("state_evidence", _number(), _store(), sa.Column("rollout", _ID, nullable=False), _document())
    op.create_index("state_evidence_rollout", "state_evidence", ["store", "rollout", "number"])
    _create_words()


def _create_words() -> None:
    op.create_table(
        "state_commands",
        _number(),
        _store(),
        sa.Column("id", _ID, nullable=False),
        sa.Column("rollout", _ID, nullable=False),
        sa.Column("handled", sa.Boolean, nullable=False),
        _document(),
        sa.UniqueConstraint("store", "id", name="state_commands_id"),
    )
    op.create_index("state_commands_open", "state_commands", ["store", "handled", "number"])
    unit = sa.Column("unit", _UNIT, primary_key=True, nullable=False)
    content = sa.Column("content", _ID, primary_key=True, nullable=False)
    op.create_table("state_refusals", _store(primary=True), unit, content, _document())
    unit = sa.Column("unit", _UNIT, primary_key=True, nullable=False)
    until = sa.Column("until", _MOMENT, nullable=False)
    op.create_table("state_holds", _store(primary=True), unit, until, _document())
