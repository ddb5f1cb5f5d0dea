"""Tables of the state store. Several targets may share them: every row belongs to one store, and a store to one target.

Those of rollouts are in `schema_rollouts`; the part is both.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, String, Table, Text, event, text

from reconciler.adapters.sql.schema import DOCUMENT, KIND, NAME, NAMESPACE, NUMBER, Part, Utc
from reconciler.adapters.sql.schema_rollouts import rollouts
from reconciler.adapters.sql.schema_stores import store_column, stores

__all__ = ["METADATA", "PART", "cycles", "due", "fights", "flips", "journal", "objects", "overrides", "remembered", "stores"]

#: It holds the tables of rollouts already.
METADATA = rollouts.metadata
PART = Part("state", METADATA, revisions=("0001", "0002"))


def _key(*, primary: bool = True) -> tuple[Column[Any], ...]:
    parts = {"kind": KIND, "namespace": NAMESPACE, "name": NAME}
    return tuple(Column(name, kind, primary_key=primary, nullable=False) for name, kind in parts.items())


#: The inventory, and of each object what was last written by journal entry `entry` (null: nothing, or it was deleted).
objects = Table(
    "state_objects",
    METADATA,
    store_column(),
    *_key(),
    Column("document", DOCUMENT),
    Column("entry", BigInteger, nullable=False),
)

journal = Table(
    "state_journal",
    METADATA,
    store_column(),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("plan", String(128), nullable=False),
    *_key(primary=False),
    Column("action", String(32), nullable=False),
    Column("after", DOCUMENT),
    Column("uid", String(64), nullable=False),
    Column("resource_version", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("started", Utc),
    Column("ended", Utc),
)
Index("state_journal_ended", journal.c.store, journal.c.ended)


@event.listens_for(journal, "after_create")
def _index_what_is_open(_table: Table, connection: Connection, **_options: Any) -> None:
    """Make a partial index; as an `Index` it would load the dialect of the database that is not used, too."""
    connection.execute(text("CREATE INDEX state_journal_open ON state_journal (store, id) WHERE outcome = ''"))


#: Since when an object has been due for deletion.
due = Table("state_due", METADATA, store_column(), *_key(), Column("since", Utc, nullable=False))

overrides = Table(
    "state_overrides",
    METADATA,
    store_column(),
    Column("digest", String(128), primary_key=True),
    Column("name", String(400), primary_key=True),
    Column("given_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("given_at", Utc, nullable=False),
)

#: Each time that another manager flipped a field back.
flips = Table(
    "state_flips",
    METADATA,
    Column("number", NUMBER, primary_key=True),
    store_column(primary=False),
    *_key(primary=False),
    Column("path", Text, nullable=False),
    Column("manager", Text, nullable=False),
    Column("at", Utc, nullable=False),
)
Index("state_flips_object", flips.c.store, flips.c.kind, flips.c.namespace, flips.c.name)

fights = Table(
    "state_fights",
    METADATA,
    store_column(),
    *_key(),
    Column("path", Text, primary_key=True),
    Column("manager", Text, primary_key=True),
)

#: Named values. `family` is the name up to its first slash; within a family the oldest `turn` goes first.
remembered = Table(
    "state_remembered",
    METADATA,
    store_column(),
    Column("name", String(400), primary_key=True),
    Column("family", String(400), nullable=False),
    Column("turn", BigInteger, nullable=False),
    Column("value", DOCUMENT, nullable=False),
)
Index("state_remembered_turn", remembered.c.store, remembered.c.family, remembered.c.turn)

cycles = Table(
    "state_cycles",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    store_column(primary=False),
    Column("at", Utc, nullable=False),
    Column("commit_id", String(64), nullable=False),
    Column("digest", String(128), nullable=False),
    Column("outcome", String(64), nullable=False),
    Column("written", Integer, nullable=False),
    Column("report", DOCUMENT, nullable=False),
)
Index("state_cycles_store", cycles.c.store, cycles.c.id)
Index("state_cycles_at", cycles.c.store, cycles.c.at)
