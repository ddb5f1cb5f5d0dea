"""The state store: inventory and what was last written, journal, decisions of people, memory, history."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def _store(*, primary: bool = True) -> sa.Column[Any]:
    return sa.Column("store", _NUMBER, sa.ForeignKey("state_stores.number"), primary_key=primary, nullable=False)


def _key(*, primary: bool = True) -> list[sa.Column[Any]]:
    lengths = {"kind": 63, "namespace": 63, "name": 253}
    return [sa.Column(name, sa.String(length), primary_key=primary, nullable=False) for name, length in lengths.items()]


def upgrade() -> None:
    """Create the tables."""
    _create_stores()
    _create_journal()
    _create_decisions()
    _create_memory()


def _create_stores() -> None:
    op.create_table(
        "state_stores",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("target", sa.String(63), nullable=False, unique=True),
        sa.Column("id", sa.String(36), nullable=False, unique=True),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("entries", sa.BigInteger, nullable=False),
        sa.Column("turns", sa.BigInteger, nullable=False),
        sa.Column("accepted", sa.Text),
    )
    op.create_table(
        "state_objects",
        _store(),
        *_key(),
        sa.Column("document", sa.Text),
        sa.Column("entry", sa.BigInteger, nullable=False),
    )


def _create_journal() -> None:
    op.create_table(
        "state_journal",
        _store(),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("plan", sa.String(128), nullable=False),
        *_key(primary=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("after", sa.Text),
        sa.Column("uid", sa.String(64), nullable=False),
        sa.Column("resource_version", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("started", _MOMENT),
        sa.Column("ended", _MOMENT),
    )
    still_open = sa.text("outcome = ''")
    op.create_index(
        "state_journal_open", "state_journal", ["store", "id"], sqlite_where=still_open, postgresql_where=still_open
    )
    op.create_index("state_journal_ended", "state_journal", ["store", "ended"])


def _create_decisions() -> None:
    op.create_table("state_due", _store(), *_key(), sa.Column("since", _MOMENT, nullable=False))
    op.create_table(
        "state_overrides",
        _store(),
        sa.Column("digest", sa.String(128), primary_key=True),
        sa.Column("name", sa.String(400), primary_key=True),
        sa.Column("given_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("given_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "state_flips",
        sa.Column("number", _NUMBER, primary_key=True),
        _store(primary=False),
        *_key(primary=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("manager", sa.Text, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
    )
    op.create_index("state_flips_object", "state_flips", ["store", "kind", "namespace", "name"])
    op.create_table(
        "state_fights",
        _store(),
        *_key(),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("manager", sa.Text, primary_key=True),
    )


def _create_memory() -> None:
    op.create_table(
        "state_remembered",
        _store(),
        sa.Column("name", sa.String(400), primary_key=True),
        sa.Column("family", sa.String(400), nullable=False),
        sa.Column("turn", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_index("state_remembered_turn", "state_remembered", ["store", "family", "turn"])
    op.create_table(
        "state_cycles",
        sa.Column("id", _NUMBER, primary_key=True),
        _store(primary=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("commit_id", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(128), nullable=False),
        sa.Column("outcome", sa.String(64), nullable=False),
        sa.Column("written", sa.Integer, nullable=False),
        sa.Column("report", sa.Text, nullable=False),
    )
    op.create_index("state_cycles_store", "state_cycles", ["store", "id"])
    op.create_index("state_cycles_at", "state_cycles", ["store", "at"])
